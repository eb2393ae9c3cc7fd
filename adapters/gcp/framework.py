"""functions-framework as its command line starts it, without gunicorn's control socket.

    python -P framework.py --source main.py --target classify --host 127.0.0.1 --port 0

gunicorn 25.1 and later opens `~/.gunicorn/gunicorn.ctl` (docs.gunicorn.org, settings, control_socket): the instances
of one machine would take it from each other and leave it behind. The framework has no switch for it.
"""

from __future__ import annotations

import importlib

from functions_framework._cli import _cli


def main() -> None:
    """Run the framework's own command line."""
    setting = getattr(importlib.import_module("gunicorn.config"), "ControlSocketDisable", None)
    if setting is not None:
        setting.default = True
    _cli()


if __name__ == "__main__":
    main()
