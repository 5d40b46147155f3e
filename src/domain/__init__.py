"""The rules of fluffy-train: what is posted, when, and what may be done after a failure. Standard library only."""
