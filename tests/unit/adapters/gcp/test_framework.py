"""What a local instance of Google Cloud imports is what the cloud's own instance would."""

from __future__ import annotations

import subprocess
import sys

from tests.paths import ROOT

FRAMEWORK = ROOT / "adapters" / "gcp" / "local" / "framework.py"


def test_the_framework_starts_without_the_sdk_that_deploying_needs() -> None:
    code = (
        "import runpy, sys\n"
        f"runpy.run_path({str(FRAMEWORK)!r})['hide_sdk']()\n"
        "import functions_framework\n"
        "from google.cloud.functions.context import Context\n"
        "sdk = ('google.api_core', 'google.cloud.functions_v1.services', 'proto.')\n"
        "print(sorted(name for name in sys.modules if name.startswith(sdk)))\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
