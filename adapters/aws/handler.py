"""Entry of AWS Lambda: the handler is `adapters.aws.handler.lambda_handler`."""

from core import instance  # noqa: F401  # first of all: it stamps the start of initialisation

# isort: split
import os
from typing import Any

from adapters.aws import translate
from core.service import Service

# An execution environment serves one request at a time: a second interpreter would only cost memory.
SERVICE = Service.from_env({"TRIPOINT_POOL": "1", **os.environ})


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event, in the shape it came in."""
    return translate.encode(SERVICE.infer(translate.decode(event)), event)
