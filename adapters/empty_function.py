"""What the empty functions share: evidence of a cold start, and no work.

An empty function runs beside the model in a run on local clouds. What the two differ by is what our code and the
model add to the platform and its runtime.
"""

from core import instance  # first of all: it stamps the start of initialisation

# isort: split
import json
import time

instance.CURRENT.mark_ready(model_load_ms=0.0)


def answer() -> str:
    """Answer any request with JSON in the form of a classification, and with this instance's evidence."""
    started_s = time.perf_counter()
    name, number, since_ready_ms, initialisation = instance.CURRENT.arrived(started_s)
    evidence = {"instance": name, "request_number": number, "since_ready_ms": since_ready_ms}
    document = {
        "predictions": [{"label": "nothing", "score": 1.0}],
        "timings": {"total_ms": round((time.perf_counter() - started_s) * 1000, 3)},
        "instance": evidence | initialisation._asdict(),
    }
    return json.dumps(document)
