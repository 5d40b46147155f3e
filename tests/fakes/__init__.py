"""In-memory stand-ins for every port. The contract suites run on them as on the real adapters, so that none rots."""
