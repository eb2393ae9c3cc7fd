"""The documentation says what is so: its commands exist, its links lead somewhere, its reference is up to date."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from cli import reference
from cli.framework.variables import documented
from tests.kits.cli import every_command
from tests.kits.docs import Shown, commands, name_of, pages, problem
from tests.paths import ROOT

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_VARIABLE = re.compile(r"\bTRIPOINT_[A-Z0-9_]*[A-Z0-9]\b")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_the_pages_show_many_commands() -> None:
    assert len(commands()) > 100
    assert {shown.words[0] for shown in commands()} == {"tripoint", "make"}


@pytest.mark.parametrize("shown", commands(), ids=lambda shown: f"{shown.page}: {shown.text}")
def test_a_command_on_a_page_can_be_typed(shown: Shown) -> None:
    assert problem(shown) == ""


@pytest.mark.parametrize("words", every_command())
def test_the_example_of_a_command_can_be_typed(words: str) -> None:
    epilog = " ".join((every_command()[words][1].epilog or "").split())
    examples = re.findall(rf"(tripoint {words}[^;,)]*)", epilog.partition("xample")[2])
    assert examples
    for example in examples:
        line = example.split(". ")[0].rstrip(".").replace('"', "")
        assert problem(Shown("epilog", tuple(shlex.split(line)), whole=True)) == ""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tripoint compare --image photos", "No such option '--image'."),
        ("tripoint comapre", "no command 'comapre'"),
        ("tripoint compare --clouds aws,oracle", "clouds 'oracle' is none of"),
        ("tripoint compare --scenario slow", "scenario 'slow' is none of"),
        ("tripoint tune --strategy best", "'best' is not one of"),
        ("tripoint compare --rate fast", "'fast' is not a valid float range"),
        ("tripoint cost", "duration_ms is missing"),
        ("tripoint check one two", "'two' is too much"),
        ("make compere", "no target 'compere'"),
        ('make compare ARGS="--image photos"', "No such option '--image'."),
        ("tripoint deploy aply", "no command 'aply' in `tripoint deploy`"),
    ],
)
def test_a_wrong_command_on_a_page_would_be_found(line: str, expected: str) -> None:
    assert expected in problem(Shown("page", tuple(shlex.split(line)), whole=True))


def test_the_reference_is_up_to_date() -> None:
    written = reference.PAGE.read_text(encoding="utf-8") if reference.PAGE.is_file() else ""
    assert written == reference.page(), f"docs/reference.md is out of date: run `{reference.COMMAND}` and commit it"


def test_the_reference_has_every_command_and_option() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    for words, (_, command) in every_command().items():
        part = re.split(r"\n###? ", text.partition(f"# tripoint {words}\n")[2])[0]
        assert part, words
        for param in command.params:
            for flag in param.opts if param.opts[0].startswith("-") else ():
                assert flag in part, (words, flag)


def test_the_reference_shows_nothing_of_the_machine_that_made_it() -> None:
    assert str(Path.home()) not in reference.page()
    assert str(ROOT) not in reference.page()


def test_every_variable_that_the_code_reads_is_documented_and_no_other() -> None:
    used: set[str] = set()
    for folder in ("core", "adapters", "loadtests", "model", "cli", "bench"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.toml")]:
            if path.name != "_variables.py":
                used |= set(_VARIABLE.findall(path.read_text(encoding="utf-8")))
    ours = {name for name in documented() if name.startswith("TRIPOINT_")}
    of_options = {"TRIPOINT_SERVE_MAX_INSTANCES"}  # an example
    of_tests = {"TRIPOINT_LIVE", "TRIPOINT_RIE", "TRIPOINT_CHROMIUM"}
    assert used - ours - of_options == set()
    assert ours - used - of_tests == set()


@pytest.mark.parametrize("page", [*pages(), ROOT / "docs" / "reference.md"], ids=name_of)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name_of(page)} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{name_of(page)} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The names of a page's headings in links."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_committed_page_of_docs_is_found_by_following_links() -> None:
    listed = subprocess.run(["git", "ls-files", "docs/*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    wanted = {(ROOT / name).resolve() for name in listed.stdout.split()}
    found: set[Path] = set()
    following = [ROOT / "README.md", ROOT / "docs" / "README.md"]
    while following:
        page = following.pop()
        found.add(page)
        linked = {(page.parent / target).resolve() for target, _ in _LINK.findall(page.read_text(encoding="utf-8"))}
        following += [each for each in linked - found if each.suffix == ".md" and each.is_file()]
    assert wanted - found == set(), "link these pages from docs/README.md"
