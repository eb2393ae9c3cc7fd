"""Our cold start: the entry file of AWS Lambda, its event, the first answer; no platform SDK is in the way."""

from __future__ import annotations

from adapters.aws.handler import lambda_handler
from bench.subjects.loop import event, serve


def main() -> None:
    def load(number: int) -> object:
        return event("aws", number)

    def answer(found: object) -> int:
        status: int = lambda_handler(found, None)["statusCode"]  # type: ignore[arg-type]
        return status

    serve(load, answer)
