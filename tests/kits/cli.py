"""The command line as tests call it: in this process, through the same entry as the console script."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import click

from cli.framework.settings import leaves
from cli.main import main, tripoint

if TYPE_CHECKING:
    import pytest

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended, and what it wrote."""

    code: int
    out: str
    err: str


class Caller:
    """Calls `tripoint` with words; signal handlers and `sys.argv` are as before afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        code = 0
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["tripoint", *words])
            self._capsys.readouterr()
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                for number, handler in kept.items():
                    signal.signal(number, handler)
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)


@cache
def every_command() -> dict[str, tuple[Path, click.Command]]:
    """Every command that is no group, by what is typed after `tripoint`."""
    context = click.Context(tripoint, info_name="tripoint")
    return {" ".join(path): (path, command) for path, command in leaves(tripoint, context)}
