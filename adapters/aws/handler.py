"""Entry of AWS Lambda: the handler is `adapters.aws.handler.lambda_handler`."""

import os
from typing import Any

from adapters.aws import translate
from core.service import Service

SERVICE = Service.from_env(os.environ)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event, in the shape it came in."""
    return translate.encode(SERVICE.infer(translate.decode(event)), event)
