"""`locust -f loadtests/locustfile.py --targets FILE --images DIR`: the load test, wiring only.

Works with the web page, `--headless`, `--processes N`, and with `--master` and `--worker` on several machines.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:  # an uninstalled checkout; Locust puts only this folder on the path
    sys.path.append(ROOT)

from loadtests.run.locust_hooks import register  # noqa: E402
from loadtests.users import ClosedLoopUser  # noqa: E402

__all__ = ["ClosedLoopUser"]

register()
