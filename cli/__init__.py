"""The operator's command `fluffy-train`: a second front on the use cases that the Lambda functions serve."""
