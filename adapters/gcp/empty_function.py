"""The empty function of Google Cloud Functions and Cloud Run: in a bundle it is `main.py`."""

from typing import TYPE_CHECKING

from adapters import empty_function  # first of all: it stamps the start of initialisation

# isort: split
import functions_framework

if TYPE_CHECKING:
    import flask


@functions_framework.http
def classify(request: "flask.Request") -> tuple[str, int, dict[str, str]]:
    """Answer any request."""
    return empty_function.answer(), 200, {"content-type": "application/json"}
