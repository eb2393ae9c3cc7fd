"""What a terminal shows during a run, drawn for one of 80 columns, and what anything else gets."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.console import Console

from cli.framework.progress import Display
from loadtests.launch import RunProgress
from tests.kits.live import live

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def document(count: int) -> dict[str, Any]:
    return live(count)


def terminal(*, quiet: bool = False, **environ: str) -> Console:
    """A terminal of 80 columns, in that environment, that keeps what is written to it."""
    found = {"TERM": "xterm-256color", **environ}
    size: dict[str, Any] = {"width": 80, "height": 30}
    return Console(file=io.StringIO(), force_terminal=True, quiet=quiet, highlight=False, _environ=found, **size)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def drawn(console: Console) -> list[str]:
    return CONTROL.sub("", written(console)).splitlines()


def row(lines: list[str], target: str) -> list[str]:
    """The cells of a target's row."""
    return next(line.split() for line in lines if line.split()[:1] == [target])


def run(display: Display, *, count: int = 1500) -> None:
    """A phase from its start to its end, with figures on the way."""
    with display:
        display.show_load(RunProgress("constant", 10, 1500, 0.2, 30.0))
        if display.on_live is not None:
            display.on_live(document(count))
            display._screen.refresh()  # as it does four times a second
        display.show_load(RunProgress("constant", 1500, 1500, 30.0, 0.0))


def test_a_terminal_shows_each_target_below_the_phases() -> None:
    console = terminal()
    run(Display(console=console))
    lines = drawn(console)
    assert any("requests" in line and "p95, ms" in line and "USD/million" in line for line in lines)
    assert max(len(line) for line in lines) <= 80
    for entry in document(1500)["targets"]:
        own = row(lines, entry["name"])
        assert f"{entry['requests']}" in own
        assert f"{entry['warm']['p50_ms']['value']:.1f}" in own
        assert f"{entry['errors'] + entry['dropped']}" in own
    assert any("about 30 s left" in line for line in lines)


def test_it_is_too_early_to_say_what_few_requests_do_not_tell() -> None:
    console = terminal()
    run(Display(console=console), count=4)
    assert row(drawn(console), "aws")[3:5] == ["-", "-"]


def test_the_figures_so_far_make_room_for_the_result() -> None:
    console = terminal()
    run(Display(console=console))
    last = written(console).rpartition("\x1b[2K")[2]
    assert "USD/million" in written(console)
    assert "USD/million" not in last
    assert "1500/1500" in CONTROL.sub("", last)


def test_where_nothing_is_drawn_no_figures_are_asked_for_and_lines_are_plain() -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    display = Display(console=console)
    assert display.on_live is None
    run(display)
    assert written(console).splitlines() == [
        "constant: 10 of 1500 about 30 s left",
        "constant: 1500 of 1500",
    ]


def test_quiet_shows_nothing_even_on_a_terminal() -> None:
    console = terminal(quiet=True)
    display = Display(quiet=True, console=console)
    assert display.on_live is None
    run(display)
    assert written(console) == ""


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines() -> None:
    console = terminal(TERM="dumb")
    run(Display(console=console))
    assert drawn(console)[-1] == "constant: 1500 of 1500"


def test_no_colour_is_written_where_none_is_wanted() -> None:
    plain, coloured = terminal(NO_COLOR="1"), terminal()
    run(Display(console=plain))
    run(Display(console=coloured))
    assert colours(written(coloured))
    assert not colours(written(plain))


def colours(text: str) -> list[str]:
    """Control sequences that set a colour."""
    found = re.findall(r"\x1b\[([0-9;]*)m", text)
    return [code for code in found if re.search(r"\b(3[0-8]|4[0-8]|9[0-7])\b", code)]
