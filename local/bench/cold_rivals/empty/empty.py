"""The floor: what Lambda's own runtime takes."""


def handler(event: object, context: object) -> str:  # noqa: ARG001 - Lambda hands over both
    return "empty"
