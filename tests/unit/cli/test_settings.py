"""Settings: a flag goes over the environment, that over `tripoint.toml`, that over the default; all are shown."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest

from adapters.deployment.function_spec import read_function_specs
from cli.framework.settings import key_of, options_of, settings_note, variable_of
from cli.main import tripoint
from tests.kits.cli import Caller, every_command

COST = ("cost", "--duration-ms", "60", "--json")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Caller:
    """In an empty folder, without any variable of ours."""
    for name in [name for name in os.environ if name.startswith("TRIPOINT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Caller(monkeypatch, capsys)


def memory_mb(call: Caller, *words: str) -> float:
    """The memory that `tripoint cost` works with."""
    ended = call(*COST, *words)
    assert ended.code == 0, ended.err
    return float(json.loads(ended.out)["question"]["memory_mb"])


def shown(call: Caller, *words: str) -> dict[str, dict[str, Any]]:
    """What `tripoint config` says of one command, by key."""
    return {each["key"]: each for each in json.loads(call("config", *words, "--json").out)}


def write(folder: Path, text: str) -> Path:
    (folder / "tripoint.toml").write_text(text, encoding="utf-8")
    return folder / "tripoint.toml"


def test_a_flag_goes_over_the_environment_and_that_over_the_file(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory_mb(call) == 1024
    write(tmp_path, "[cost]\nmemory-mb = 2048\n")
    assert memory_mb(call) == 2048
    monkeypatch.setenv("TRIPOINT_COST_MEMORY_MB", "512")
    assert memory_mb(call) == 512
    assert memory_mb(call, "--memory-mb", "256") == 256


def test_config_says_where_each_setting_comes_from(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, '[compare]\nclouds = ["aws", "gcp"]\nrate = 5\nquiet = true\n')
    monkeypatch.setenv("TRIPOINT_COMPARE_SEED", "7")
    found = shown(call, "compare")
    told = {
        key: (found[key]["value"], found[key]["origin"]) for key in ("clouds", "rate", "quiet", "seed", "scenario")
    }
    assert told == {
        "clouds": ("aws,gcp", "tripoint.toml"),
        "rate": (5.0, "tripoint.toml"),
        "quiet": (True, "tripoint.toml"),
        "seed": (7, "TRIPOINT_COMPARE_SEED"),
        "scenario": ("quick", "default"),
    }


def test_config_lists_every_option_of_every_command(call: Caller) -> None:
    listed = json.loads(call("config", "--json").out)
    found = {(each["command"], each["key"], each["variable"]) for each in listed if each["variable"]}
    expected = {
        (name, key_of(option), variable_of(path, key_of(option)))
        for name, (path, command) in every_command().items()
        for option in options_of(command)
    }
    assert found == expected


def test_config_shows_what_is_not_set_as_a_dash_and_only_changes_on_request(call: Caller, tmp_path: Path) -> None:
    assert "memory" in call("config", "serve").out
    assert "Every setting is its default." in call("config", "--changed").out
    write(tmp_path, "[serve]\nmax-instances = 3\n")
    lines = call("config", "--changed").out.splitlines()
    assert [line.split() for line in lines[1:]] == [["serve", "max-instances", "3", "tripoint.toml"]]


def test_a_setting_that_cannot_be_used_is_shown_and_answered_with_1(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOINT_SERVE_MAX_INSTANCES", "0")
    ended = call("config", "serve")
    assert ended.code == 1
    assert "wrong: serve --max-instances (TRIPOINT_SERVE_MAX_INSTANCES)" in " ".join(ended.out.split())


def test_a_wrong_value_names_the_file_or_the_variable_that_has_it(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, '[tune]\nminutes = "long"\n')
    assert "(tripoint.toml)" in call("tune").err
    monkeypatch.setenv("TRIPOINT_TUNE_MINUTES", "short")
    assert "(TRIPOINT_TUNE_MINUTES)" in call("tune").err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[compare]\nraet = 5\n", "unknown [compare] raet: did you mean 'rate'?"),
        ("[compere]\nrate = 5\n", "unknown [compere]: did you mean 'compare'?"),
        ("[serve]\nmax_instances = 5\n", "unknown [serve] max_instances: did you mean 'max-instances'?"),
        ("[runs.delete]\nyes = true\n", "unknown [runs.delete] yes"),
        ("projekt = 'x'\n", "unknown 'projekt': did you mean 'project'?"),
        ("compare = 5\n", "expected a table [compare]"),
        ("[compare]\nquiet = 'yes'\n", "[compare] quiet is 'yes': expected true or false"),
        ("[compare]\nrate = true\n", "[compare] rate is True: expected a value or a list"),
        ("[deploy.plan]\nmemory = 512\n", "[deploy.plan] memory is set elsewhere: in [[variants]]"),
        ("[deploy.sweep]\nall = true\n", "unknown [deploy.sweep] all"),
        ("[compare\n", "tripoint.toml is not TOML"),
    ],
)
def test_what_the_file_may_not_say_is_refused_with_the_nearest(
    call: Caller, tmp_path: Path, text: str, sentence: str
) -> None:
    write(tmp_path, text)
    ended = call("prices")
    assert ended.code == 2
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 1


def test_help_and_completion_work_beside_a_broken_file(call: Caller, tmp_path: Path) -> None:
    write(tmp_path, "[compare\n")
    assert call("compare", "--help").code == 0
    assert call("completion", "bash").code == 0


def test_a_missing_file_of_another_command_troubles_none(call: Caller, tmp_path: Path) -> None:
    write(tmp_path, '[calibrate]\nrun = "runs/gone"\n')
    assert call("prices", "--json").code == 0
    assert "'runs/gone' does not exist. (tripoint.toml)" in call("calibrate").err


def test_one_file_serves_deploy_and_the_other_commands(call: Caller, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'project = "shop"\ntime_to_live_h = 2\n[deploy.plan]\nrequests = 77\n'
        '[compare]\nrate = 5\n[[variants]]\ncloud = "aws"\nmemory_mb = 512\n',
    )
    settings, variants = read_function_specs(file)
    assert settings == {"project": "shop", "time_to_live_h": 2}
    assert [(each.cloud, each.memory_mb) for each in variants] == [("aws", 512)]
    assert shown(call, "deploy", "plan")["requests"]["value"] == 77


def test_no_two_options_have_the_same_variable_and_none_is_a_setting_of_the_function() -> None:
    names = [str(option.envvar) for _, command in every_command().values() for option in options_of(command)]
    assert len(names) == len(set(names))
    taken = {"TRIPOINT_MODEL", "TRIPOINT_MODELS", "TRIPOINT_RUNTIME", "TRIPOINT_TARGETS", "TRIPOINT_PRICES"}
    assert not taken & set(names)


def test_the_settings_that_are_not_defaults_are_noted_for_the_run_with_who_set_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIPOINT_COMPARE_SEED", "7")
    root = click.Context(tripoint, info_name="tripoint")
    root.default_map = {"compare": {"rate": 5}}
    command = tripoint.get_command(root, "compare")
    assert command is not None
    context = command.make_context("compare", ["--clouds", "aws"], parent=root)
    assert json.loads(settings_note(context)["options"]) == {
        "clouds": {"value": "aws", "origin": "flag"},
        "rate": {"value": 5.0, "origin": "tripoint.toml"},
        "seed": {"value": 7, "origin": "TRIPOINT_COMPARE_SEED"},
    }


def test_config_shows_what_deploy_reads_of_the_file_and_what_is_wrong_in_it(call: Caller, tmp_path: Path) -> None:
    write(tmp_path, 'project = "shop"\n[[variants]]\ncloud = "aws"\nmemory_mb = 512\n')
    found = {each["key"]: each for each in json.loads(call("config", "deploy", "--json").out) if not each["variable"]}
    assert (found["project"]["value"], found["project"]["origin"]) == ("shop", "tripoint.toml")
    assert (found["time_to_live_h"]["value"], found["time_to_live_h"]["origin"]) == (4.0, "default")
    assert found["variants"]["value"] == ["aws on-demand 512 MB, us-east-1, x86_64"]
    write(tmp_path, '[[variants]]\ncloud = "awz"\n')
    ended = call("config", "deploy")
    assert ended.code == 1
    assert "wrong: tripoint.toml: unknown cloud 'awz': expected one of aws, azure, gcp" in " ".join(ended.out.split())


def test_a_mistyped_variable_is_found(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPOINT_COMPARE_RAET", "secret")
    ended = call("config", "--changed")
    assert ended.code == 1
    said = " ".join(ended.out.split())
    assert "TRIPOINT_COMPARE_RAET: no setting has this variable: did you mean TRIPOINT_COMPARE_RATE?" in said
    assert "secret" not in said


def test_a_setting_gives_way_to_a_flag_that_excludes_it_and_a_flag_does_not(call: Caller, tmp_path: Path) -> None:
    write(tmp_path, '[tune]\nclouds = "aws"\n')
    (tmp_path / "targets.json").write_text("[]")
    assert "exclude each other" not in call("tune", "--targets", "targets.json").err
    refused = call("tune", "--targets", "targets.json", "--clouds", "aws")
    assert (refused.code, "--clouds and --targets exclude each other" in refused.err) == (2, True)
