"""One folder or file per outside system. Each implements ports of the domain, and nothing of its library leaks out."""
