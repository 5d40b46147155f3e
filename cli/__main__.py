"""`python -m cli` is `fluffy-train`, for a tree that is not installed."""

from cli.main import run

run()
