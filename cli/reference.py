"""Write `docs/reference.md` from the commands themselves: `python -m cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from cli.framework.help_overview import SECTIONS
from cli.framework.settings import FILE_NAME
from cli.framework.variables import VARIABLES
from cli.main import tripoint

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
COMMAND = "python -m cli.reference"
EXIT_CODES = {
    0: "done",
    1: "the answer is no: a regression, a failed check, a request that failed, a setting that cannot be used",
    2: "wrong use, or something is missing; a fault of Tripoint itself, which asks for a report",
    130: "interrupted; what was measured is kept",
    141: "nobody reads the output any more, as with `| head`",
}
_HEAD = f"""# Reference

Made from the code by `{COMMAND}`; a test fails when it is out of date. `tripoint COMMAND --help` shows the same.

`--debug`, anywhere on the line, shows the traceback of an error. `NO_COLOR` takes the colours away, and output that
goes to a file or a pipe has none. Results are on standard output, progress and errors on standard error.
"""


def page() -> str:
    """Return the whole page."""
    root = click.Context(tripoint, info_name="tripoint")
    return "\n".join([_HEAD, *_exit_codes(), *_commands(root), *_settings(), *_variables()]).rstrip() + "\n"


def _exit_codes() -> Iterator[str]:
    yield from ("## Exit codes", "", "| code | meaning |", "|---|---|")
    yield from (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield ""


def _commands(root: click.Context) -> Iterator[str]:
    """Return the commands by section, in the order of `tripoint --help`."""
    names = tripoint.list_commands(root)
    listed = [name for section in SECTIONS.values() for name in section]
    for name in [*(each for each in listed if each in names), *(each for each in names if each not in listed)]:
        command = tripoint.get_command(root, name)
        if command is not None:
            yield from _command(command, click.Context(command, info_name=name, parent=root))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """Return one command, and for a group the commands below it."""
    group = isinstance(command, click.Group)
    level = "##" if context.parent is not None and context.parent.parent is None else "###"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield from (f"{level} {context.command_path}", "", f"```\n{context.command_path} {pieces}\n```", "")
    yield from (_prose(command.help or ""), "")
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    rows = [record for option in options if (record := option.get_help_record(context))]
    if not group:
        listed = [f"| `{_cell(flags)}` | {_cell(words)} |" for flags, words in rows if "--help" not in flags]
        yield from (["| option | meaning |", "|---|---|", *listed, ""] if listed else [])
    yield from (_prose(command.epilog or ""), "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            if each is not None:
                yield from _command(each, click.Context(each, info_name=name, parent=context))


def _settings() -> Iterator[str]:
    """Return which keys the settings file takes."""
    from adapters.deployment.function_spec import FunctionSpec

    yield from (f"## {FILE_NAME}", "")
    yield "A table for each command has its long options as keys ([configuration](configuration.md)). `deploy` reads"
    yield "`project`, `owner` and `time_to_live_h` at the top, and `[[variants]]` with these keys:"
    yield from ("", ", ".join(f"`{each.name}`" for each in fields(FunctionSpec)) + ".", "")


def _variables() -> Iterator[str]:
    yield from ("## Environment variables", "")
    yield "Every option has one: `TRIPOINT_`, the command, and the long option, in capitals with `_` for every space"
    yield "and dash: `TRIPOINT_SERVE_MAX_INSTANCES=3`. Options that may be repeated take several values with spaces"
    yield "between. An empty variable counts as unset. `--yes` and `--all` have none. The others:"
    yield ""
    for title, variables in VARIABLES.items():
        yield from (f"### {title}", "", "| variable | meaning |", "|---|---|")
        yield from (f"| `{name}` | {_cell(meaning)} |" for name, meaning in variables.items())
        yield ""


def _prose(text: str) -> str:
    """Return the paragraphs, each on one line, as click joins them."""
    paragraphs = (" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))
    return "\n\n".join(part.replace("<", "\\<").replace("*", "\\*") for part in paragraphs if part)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    click.echo(f"{PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE} is written")


if __name__ == "__main__":
    main()
