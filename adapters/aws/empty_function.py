"""The empty function of AWS Lambda: in a bundle it takes the handler's place."""

from typing import Any

from adapters import empty_function


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a Function URL or an HTTP API."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": empty_function.answer()}
