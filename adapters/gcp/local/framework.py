"""Start functions-framework as its command line does, without gunicorn's control socket and Google's SDK.

    python -P framework.py --source main.py --target classify --host 127.0.0.1 --port 0

gunicorn 25.1 and later opens `~/.gunicorn/gunicorn.ctl` (docs.gunicorn.org, settings, control_socket): the instances
of one machine would take it from each other and leave it behind. The framework has no switch for it.

The framework's `google.cloud.functions.context`, and what that imports, lie in the folders of the SDK's packages of
those names. Where the SDK is installed, to deploy with, importing the one would import all of the other: 350 ms that
no instance in the cloud has.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec

SHARED = ("google.cloud.functions", "google.cloud.functions_v1")


def hide_sdk() -> None:
    """Make what both share packages of their folders, whose `__init__` is not run."""
    for name in SHARED:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            sys.modules[name] = module_from_spec(spec)


def main() -> None:
    """Run the framework's own command line."""
    hide_sdk()
    from functions_framework._cli import _cli

    setting = getattr(importlib.import_module("gunicorn.config"), "ControlSocketDisable", None)
    if setting is not None:
        setting.default = True
    _cli()


if __name__ == "__main__":
    main()
