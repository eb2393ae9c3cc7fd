"""The commands that the documentation shows, read from its pages, and whether the command line knows them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from adapters import contract
from cli.framework.shell_values import CompletableType
from cli.main import tripoint
from loadtests.plan.scenarios import SCENARIOS
from tests.paths import ROOT

_FENCE = re.compile(r"^(<!-- run -->\n)?```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:tripoint|make) [^`\n]+(?:\n[^`\n]+)?)`")
_SHELLS = ("", "sh", "bash", "console")
_OPERATORS = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "("})
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*(\.\.\.)?|…|\.\.\.|\$.*|<.*>")
_MAKE = re.compile(r"^([a-z]+):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """One command on a page, as words; `whole` when it can be typed as it stands."""

    page: str
    words: tuple[str, ...]
    whole: bool

    @property
    def text(self) -> str:
        return shlex.join(self.words)


def pages() -> list[Path]:
    """Everything that people read; the generated reference has usage lines and is tested apart."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    found += [*(ROOT / "adapters").glob("*/README.md"), *(ROOT / "model").glob("*/README.md")]
    return sorted(page for page in found if page.name != "reference.md")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands() -> list[Shown]:
    """Every `tripoint` and `make` command of every page, once."""
    return list(dict.fromkeys(shown for page in pages() for shown in _commands_of(page)))


def scripts(page: Path) -> list[str]:
    """The blocks of a page that a test runs, in order."""
    return [text for mark, _, text in _FENCE.findall(page.read_text(encoding="utf-8")) if mark]


def _commands_of(page: Path) -> Iterator[Shown]:
    text = page.read_text(encoding="utf-8")
    for _, language, block in _FENCE.findall(text):
        if language in _SHELLS:
            for line in block.replace("\\\n", " ").splitlines():
                for words in _in_line(line):
                    yield Shown(name_of(page), words, whole=True)
    for found in _INLINE.findall(_FENCE.sub("", text)):
        for words in _in_line(found):
            yield Shown(name_of(page), words, whole=False)


def _in_line(line: str) -> Iterator[tuple[str, ...]]:
    """The commands of ours in one line of a shell, without those around them."""
    for inner in re.findall(r"\$\((tripoint [^)]*)\)", line):
        yield tuple(shlex.split(inner))
    lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a quote in prose or output
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in _OPERATORS:
            command.append(word)
            continue
        if command and Path(command[0]).name in ("tripoint", "make"):
            yield (Path(command[0]).name, *command[1:])
        command = []


def problem(shown: Shown) -> str:
    """Why the command cannot be typed, "" when it can."""
    if shown.words[0] == "make":
        return _make_problem(shown)
    return _tripoint_problem(list(shown.words[1:]), whole=shown.whole)


def _make_problem(shown: Shown) -> str:
    known = set(_MAKE.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    words = [word for word in shown.words[1:] if word not in ("-C", "before")]
    targets = [word for word in words if "=" not in word]
    if unknown := sorted(set(targets) - known):
        return f"no target {unknown[0]!r} in the Makefile"
    arguments = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
    before = {"compare": ["compare"], "serve": ["serve", "all"]}.get(targets[0] if targets else "", [])
    if arguments and before:
        return _tripoint_problem([*before, *shlex.split(arguments[0])], whole=True)
    return ""


def _tripoint_problem(words: list[str], *, whole: bool) -> str:
    command: click.Command = tripoint
    context = click.Context(command, info_name="tripoint")
    while isinstance(command, click.Group):
        words = [word for word in words if word not in ("--debug", "--help", "--version")]
        if not words or _PLACEHOLDER.fullmatch(words[0]):
            return ""
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]!r} in `{context.command_path}`"
        command, context, words = found, click.Context(found, info_name=words[0], parent=context), words[1:]
    return _options_problem(command, context, [word for word in words if word not in ("--help", "--debug")], whole)


def _options_problem(command: click.Command, context: click.Context, words: list[str], whole: bool) -> str:
    flags = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    if not whole:
        unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in flags]
        return f"no option {unknown[0]}" if unknown else ""
    try:
        given, left, _ = command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    if left:
        return f"{left[0]!r} is too much"
    for param in command.params:
        value = given.get(param.name or "")
        if param.required and value in (None, (), []):
            return f"{param.name} is missing"
        for each in value if isinstance(value, list | tuple) else [value]:
            if isinstance(each, str) and (wrong := _value_problem(param, each, context)):
                return wrong
    return ""


def _value_problem(param: click.Parameter, value: str, context: click.Context) -> str:
    if _PLACEHOLDER.fullmatch(value):
        return ""
    known = _known(param)
    if known and (unknown := [part for part in value.split(",") if part not in known]):
        return f"{param.name} {unknown[0]!r} is none of {', '.join(known)}"
    inner: Any = param.type.inner if isinstance(param.type, CompletableType) else param.type
    if isinstance(inner, click.Path):
        return ""
    try:
        inner.convert(value, param, context)
    except click.UsageError as error:
        return error.format_message()
    return ""


def _known(param: click.Parameter) -> Sequence[str]:
    """The values of a parameter that takes names of ours."""
    if param.name in ("cloud", "clouds"):
        return (*contract.clouds(), "all")
    return list(SCENARIOS) if param.name == "scenario" else ()
