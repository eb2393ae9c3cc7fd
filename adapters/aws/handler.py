"""Entry of AWS Lambda: the handler is `adapters.aws.handler.lambda_handler`."""

from core import instance  # first of all: it stamps the start of initialisation

# isort: split
import os
from typing import Any

from adapters.aws import translate
from core.service import Service

# docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, as of 2026-11-20.
instance.CURRENT.platform = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
# An execution environment serves one request at a time: a second interpreter would only cost memory.
SERVICE = Service.from_env({"TRIPOINT_POOL": "1", **os.environ})


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event, in the shape it came in."""
    return translate.encode(SERVICE.infer(translate.decode(event)), event)
