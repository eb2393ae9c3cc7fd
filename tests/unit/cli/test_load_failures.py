"""What a load test that failed says on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loadtests.launch import explain
from tests.kits.cli import Caller

if TYPE_CHECKING:
    import pytest


def test_a_sentence_in_the_log_is_the_answer_without_the_logs_own_words(tmp_path: Path) -> None:
    log = tmp_path / "locust.log"
    log.write_text(
        "[2026-11-21 08:20:00,150] host/INFO/locust.main: Starting\n"
        "[2026-11-21 08:20:00,150] host/ERROR/loadtests.run.master: tripoint: no images in 'empty': expected some\n"
        "[2026-11-21 08:20:01,150] host/INFO/locust.main: Shutting down\n"
    )
    assert explain(log, 2) == f"no images in 'empty': expected some ({log} has more)"


def test_without_a_sentence_the_last_errors_are_shown_and_the_log_is_named(tmp_path: Path) -> None:
    log = tmp_path / "locust.log"
    log.write_text("[2026] host/ERROR/locust.main: boom\n[2026] host/INFO/locust.main: Shutting down\n")
    assert explain(log, 1).splitlines() == [
        f"the load test ended with exit code 1; {log} has the whole log:",
        "[2026] host/ERROR/locust.main: boom",
    ]


def test_a_target_that_does_not_answer_ends_compare_and_tune_with_its_url_and_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "http://127.0.0.1:9/"  # the port of discard: nothing listens there
    (tmp_path / "targets.toml").write_text(
        '[[targets]]\nname = "gone"\ncloud = "aws"\nplan = "on-demand"\nregion = "local"\nmemory_mb = 512\n'
        f'url = "{url}"\n'
    )
    call = Caller(monkeypatch, capsys)
    for command, step in (("compare", "try `curl"), ("tune", "start it, or correct the URL")):
        ended = call(command, "--targets", "targets.toml", "--quiet")
        assert ended.code == 2
        assert url in ended.err
        assert step in ended.err
        assert len(ended.err.splitlines()) == 1, ended.err
        assert "Traceback" not in ended.err
