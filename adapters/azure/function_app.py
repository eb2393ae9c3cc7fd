"""Entry of Azure Functions (Python v2 programming model): one function behind every route."""

from core import instance  # noqa: F401  # first of all: it stamps the start of initialisation

# isort: split
import os

import azure.functions as func

from adapters.azure import translate
from core.service import Service

SERVICE = Service.from_env(os.environ)

# A key is asked for unless the app setting says ANONYMOUS.
app = func.FunctionApp(http_auth_level=os.environ.get("TRIPOINT_AUTH_LEVEL", "FUNCTION"))


@app.function_name("classify")
@app.route(route="{*path}", methods=list(func.HttpMethod))
def classify(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one HTTP request."""
    return translate.encode(SERVICE.infer(translate.decode(req)))
