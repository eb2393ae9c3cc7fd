"""The empty function of Azure Functions: in a bundle it is `function_app.py`."""

from adapters import empty_function  # first of all: it stamps the start of initialisation

# isort: split
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("classify")
@app.route(route="{*path}", methods=list(func.HttpMethod))
def classify(req: func.HttpRequest) -> func.HttpResponse:
    """Answer any request."""
    return func.HttpResponse(empty_function.answer(), mimetype="application/json")
