"""Wrong use of every command: one sentence that names it and the next step, exit code 2, never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from cli.framework.errors import format_expected_error, format_missing_package
from cli.framework.settings import key_of, options_of
from core.errors import ModelError
from tests.kits.cli import Caller, Ended, every_command

MISSING = {
    "calibrate --run": ("calibrate", "--run", "nowhere"),
    "check": ("check", "nowhere"),
    "compare --images": ("compare", "--images", "nowhere"),
    "compare --scenario": ("compare", "--scenario", "nowhere.toml"),
    "compare --targets": ("compare", "--targets", "nowhere.json"),
    "diff": ("diff", "nowhere", "nowhere-else"),
    "export": ("export", "nowhere"),
    "model add": ("model", "add", "nowhere.tflite"),
    "model convert": ("model", "convert", "nowhere.keras", "--representative", "."),
    "model evaluate --data": ("model", "evaluate", "clothes", "--data", "nowhere"),
    "model remove": ("model", "remove", "nowhere"),
    "model show": ("model", "show", "nowhere"),
    "predict": ("predict", "nowhere.jpg"),
    "predict --model": ("predict", "--model", "./nowhere", "photo.jpg"),
    "runs delete": ("runs", "delete", "nowhere"),
    "runs list": ("runs", "list", "--in", "nowhere"),
    "runs show": ("runs", "show", "nowhere"),
    "report": ("report", "nowhere"),
    "tune --images": ("tune", "--images", "nowhere"),
    "tune --targets": ("tune", "--targets", "nowhere.json"),
}
UNKNOWN = {
    "bundle": (("bundle", "awz"), "expected one of aws, azure, gcp"),
    "compare --clouds": (("compare", "--clouds", "aws,oracle"), "expected one of aws, azure, gcp"),
    "cost --prices": (("cost", "--duration-ms", "5", "--prices", "1999-01-01"), "there are"),
    "deploy plan": (("deploy", "plan", "awz"), "expected one of aws, azure, gcp"),
    "deploy sweep": (("deploy", "sweep", "awz"), "expected one of aws, azure, gcp"),
    "deploy destroy": (("deploy", "destroy", "awz"), "expected one of aws, azure, gcp"),
    "compare --deploy": (("compare", "--deploy", "awz"), "expected one of aws, azure, gcp"),
    "export --format": (("export", "x", "--format", "xls"), "csv"),
    "serve": (("serve", "awz"), "expected one of aws, azure, gcp"),
    "tune --clouds": (("tune", "--clouds", "oracle"), "expected one of aws, azure, gcp"),
    "tune --memory": (("tune", "--memory", "big"), "expected whole numbers"),
}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Caller:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Caller(monkeypatch, capsys)


def check_refused(ended: Ended, *words: str) -> None:
    assert ended.code == 2, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    for word in words:
        assert word in ended.err


def test_an_unknown_command_is_answered_with_the_nearest(call: Caller) -> None:
    check_refused(call("comapre"), "No such command 'comapre'", "Did you mean 'compare'?", "tripoint --help")
    check_refused(call("deploy", "aply"), "Did you mean 'apply'?", "tripoint deploy --help")


@pytest.mark.parametrize("words", every_command())
def test_an_unknown_option_is_refused_by_every_command(call: Caller, words: str) -> None:
    check_refused(call(*words.split(), "--no-such-flag"), "'--no-such-flag'", f"See `tripoint {words} --help`")


@pytest.mark.parametrize("words", [name for name, (_, command) in every_command().items() if [*options_of(command)]])
def test_a_misspelled_option_is_answered_with_the_nearest(call: Caller, words: str) -> None:
    path, command = every_command()[words]
    key = max((key_of(option) for option in options_of(command)), key=len)
    check_refused(call(*path, f"--{key[:-1]}q"), f"Did you mean '--{key}'?")


@pytest.mark.parametrize(
    "words", [name for name, (_, each) in every_command().items() if any(param.required for param in each.params)]
)
def test_a_missing_argument_is_named_by_every_command_that_needs_one(call: Caller, words: str) -> None:
    check_refused(call(*words.split()), "Missing", f"See `tripoint {words} --help`")


@pytest.mark.parametrize("case", MISSING)
def test_a_file_that_is_not_there_is_named(call: Caller, case: str) -> None:
    check_refused(call(*MISSING[case]), "nowhere")


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_value_is_answered_with_the_known_ones(call: Caller, case: str) -> None:
    words, expected = UNKNOWN[case]
    check_refused(call(*words), expected)


@pytest.mark.parametrize("words", [("--debug", "check", "nowhere"), ("check", "nowhere", "--debug")])
def test_debug_shows_the_traceback_wherever_it_is_typed(call: Caller, words: tuple[str, ...]) -> None:
    with pytest.raises(click.ClickException):
        call(*words)


def test_debug_after_two_dashes_is_an_argument(call: Caller) -> None:
    check_refused(call("check", "--", "--debug"), "no run at --debug")


@pytest.mark.parametrize("words", every_command())
def test_debug_is_an_option_of_no_command_of_its_own(words: str) -> None:
    """It is taken wherever it stands, so no command can give it another meaning."""
    assert "--debug" not in {flag for param in every_command()[words][1].params for flag in param.opts}


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("google.cloud.functions_v2", "gcp"),
        ("azure.mgmt.web", "azure"),
        ("azure.identity", "azure"),
        ("pyarrow.parquet", "parquet"),
        ("tensorflow", "convert"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it(module: str, extra: str) -> None:
    sentence = format_missing_package(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert f"pip install 'tripoint[{extra}]'" in sentence
    assert "tripoint doctor" in sentence


def test_a_package_of_no_extra_asks_for_a_whole_installation() -> None:
    assert "--force-reinstall tripoint" in format_missing_package(
        ModuleNotFoundError("No module named 'PIL'", name="PIL")
    )


def test_a_module_of_ours_that_is_missing_is_a_fault_of_ours() -> None:
    assert format_missing_package(ModuleNotFoundError("No module named 'core.gone'", name="core.gone")) == ""


def test_a_command_whose_package_is_missing_says_which_to_install(
    call: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    ended = call("prices")
    check_refused(ended, "'rich.console' is not installed", "pip install")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "photo.jpg"), "photo.jpg: No such file or directory"),
        (LookupError("unknown cloud 'x': expected one of aws"), "unknown cloud 'x': expected one of aws"),
        (ModelError("model x has no variant: pip install y"), "model x has no variant: pip install y"),
        (KeyError("rate"), ""),
        (RecursionError("deep"), ""),
        (AttributeError("'NoneType' object has no attribute 'x'"), ""),
    ],
)
def test_errors_for_users_are_told_from_faults(error: Exception, words: str) -> None:
    assert format_expected_error(error) == words


def test_a_fault_asks_for_a_report_and_shows_no_traceback(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(name: str) -> None:
        raise AttributeError("made up by a test")

    monkeypatch.setattr("loadtests.prices.library.open_book", break_down)
    ended = call("prices")
    assert ended.code == 2
    assert "a fault of Tripoint itself" in ended.err
    assert "--debug" in ended.err
    assert "Traceback" not in ended.err
