"""`tripoint runs`: what is listed, and what is never deleted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.record.store import FILE_NAME, Event, Store
from tests.kits.cli import Caller

TARGET = Target("aws-512", "aws", "on-demand", "local", 512, "http://127.0.0.1:1/").document()


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Caller:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Caller(monkeypatch, capsys)


def make_run(name: str, *endings: str, started: str = "2026-11-20T10:00:00+00:00", planned: int = 0) -> Path:
    """A run in the working folder's `runs/`, without samples."""
    run = Path("runs") / name
    header = {"started_at": started, "scenario": "quick", "targets": [TARGET], "command": "tripoint compare"}
    with Store.create(run / FILE_NAME, header) as store:
        store.plan([Arrival(index, 0.0, "aws-512", "steady", 0, 0) for index in range(planned)])
        for ending in endings:
            store.record(Event(1.0, ending))
    return run


def test_runs_are_listed_newest_first_with_state_targets_and_verdict(call: Caller) -> None:
    make_run("old", "finished", started="2026-11-19T10:00:00+00:00")
    (make_run("new", "interrupted") / "summary.json").write_text(json.dumps({"verdicts": ["aws is faster"]}))
    lines = call("runs", "list").out.splitlines()
    assert lines[0].startswith("runs/new  2026-11-20 10:00  0.0 MB  interrupted  quick: aws-512")
    assert lines[1].strip() == "aws is faster"
    assert lines[2].startswith("runs/old  2026-11-19 10:00")
    assert "complete" in lines[2]
    assert lines[3].strip() == "not summarised: tripoint report runs/old"


def test_a_run_without_a_comparison_is_listed_with_its_medians(call: Caller) -> None:
    targets = [{"name": "aws-512", "warm": {"p50_ms": {"value": 8.194}}}, {"name": "gcp", "warm": {"p50_ms": None}}]
    file = make_run("one", "finished") / "summary.json"
    file.write_text(json.dumps({"verdicts": [], "targets": targets}))
    assert call("runs", "list").out.splitlines()[1].strip() == "warm median: aws-512 8.19 ms"
    file.write_text(json.dumps({"verdicts": [], "targets": targets[1:]}))
    assert "no target has a warm median" in call("runs", "list").out


@pytest.mark.parametrize(
    ("endings", "planned", "state"),
    [
        (("finished",), 0, "complete"),
        (("finished",), 3, "incomplete"),
        (("interrupted",), 3, "interrupted"),
        (("interrupted", "finished"), 0, "complete"),
        (("failed",), 0, "failed"),
        ((), 0, "interrupted"),
    ],
)
def test_the_state_is_that_of_the_last_ending(
    call: Caller, endings: tuple[str, ...], planned: int, state: str
) -> None:
    make_run("one", *endings, planned=planned)
    assert json.loads(call("runs", "list", "--json").out)[0]["state"] == state
    assert json.loads(call("runs", "show", "one", "--json").out)["missing"] == planned


def test_a_run_that_is_written_now_is_running_and_not_deleted(call: Caller) -> None:
    run = make_run("now")
    (run / f"{FILE_NAME}-wal").write_bytes(b"begun")
    assert json.loads(call("runs", "list", "--json").out)[0]["state"] == "running"
    ended = call("runs", "delete", "now", "--yes")
    assert ended.code == 2
    assert "wait for its end" in ended.err
    assert run.is_dir()


def test_a_store_that_cannot_be_read_is_listed_as_such(call: Caller) -> None:
    run = make_run("broken", "finished")
    (run / FILE_NAME).write_bytes(b"not a database, but long enough to look at" * 100)
    assert json.loads(call("runs", "list", "--json").out)[0]["state"] == "unreadable"
    assert "cannot be read" in call("runs", "show", "broken").out


def test_show_tells_what_the_run_was_and_what_comes_next(call: Caller) -> None:
    make_run("one", "finished", planned=4)
    shown = call("runs", "show", "runs/one").out
    assert "0, 4 planned ones are missing" in shown
    assert "command    tripoint compare" in shown
    assert "tripoint check runs/one; tripoint report runs/one" in shown


def test_no_runs_and_no_folder_are_told_apart(call: Caller) -> None:
    assert "`tripoint compare` makes runs" in call("runs", "list").err
    Path("runs").mkdir()
    ended = call("runs", "list")
    assert (ended.code, ended.out) == (0, "no run in runs: `tripoint compare` makes one\n")


def test_delete_asks_and_a_no_keeps_the_run(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("one", "finished")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert call("runs", "delete", "one").code == 130  # no answer at all
    monkeypatch.setattr("click.confirm", lambda question: False)
    ended = call("runs", "delete", "one")
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "nothing is deleted")
    assert run.is_dir()


def test_delete_removes_the_whole_folder(call: Caller) -> None:
    first, second = make_run("one", "finished"), make_run("two", "finished")
    (first / "report.md").write_text("text")
    assert call("runs", "delete", "one", "runs/two", "--yes").code == 0
    assert not first.exists()
    assert not second.exists()
    assert first.parent.is_dir()


def test_what_is_no_run_is_never_deleted(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("one", "finished")
    Path("photos").mkdir()
    assert "photos is no run" in call("runs", "delete", "photos", "--yes").err
    (run / "thesis").mkdir()
    assert "also holds 'thesis'" in call("runs", "delete", "one", "--yes").err
    (run / "thesis").rmdir()
    (run / ".git").write_text("gitdir: elsewhere")
    assert "also holds '.git'" in call("runs", "delete", "one", "--yes").err
    (run / ".git").unlink()
    Path("link").symlink_to(run)
    assert "link is a link" in call("runs", "delete", "link", "--yes").err
    monkeypatch.chdir(run)
    assert "the folder that you are in" in call("runs", "delete", ".", "--yes").err
    assert Path(FILE_NAME).is_file()


def test_one_that_is_refused_keeps_all(call: Caller) -> None:
    run = make_run("one", "finished")
    assert call("runs", "delete", "one", "nowhere", "--yes").code == 2
    assert run.is_dir()
