"""Entry of Google Cloud Functions and Cloud Run: the target is `classify`."""

from core import instance  # noqa: F401  # first of all: it stamps the start of initialisation

# isort: split
import os
from typing import TYPE_CHECKING

import functions_framework

from adapters.gcp import translate
from core.service import Service

if TYPE_CHECKING:
    import flask

SERVICE = Service.from_env(os.environ)


@functions_framework.http
def classify(request: "flask.Request") -> "flask.Response":
    """Answer one HTTP request."""
    return translate.encode(SERVICE.infer(translate.decode(request)))
