"""A small, strict cloud on this machine, for the real `sam deploy`: docs/local-cloud.md.

CloudFormation is ours, because it has to refuse what AWS refuses. The services behind it are moto's; the functions run
from the deployed package by Lambda's own runtime interface.
"""
