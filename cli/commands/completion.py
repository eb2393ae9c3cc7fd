"""`tripoint completion`: the script that lets a shell complete commands, options and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_TRIPOINT_COMPLETE"
INSTALL = {
    "bash": 'eval "$(tripoint completion bash)" in ~/.bashrc (Bash 4.4 or newer)',
    "zsh": 'eval "$(tripoint completion zsh)" in ~/.zshrc, after compinit',
    "fish": "tripoint completion fish > ~/.config/fish/completions/tripoint.fish",
}
_EPILOG = 'Example: eval "$(tripoint completion bash)"'


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(list(INSTALL)))
def command(shell: str) -> None:
    """Print the completion script of SHELL; its last line says where to put it."""
    found = get_completion_class(shell)
    assert found is not None  # click has one for each choice
    script = found(click.get_current_context().find_root().command, {}, "tripoint", VARIABLE)
    text = script.source_template % script.source_vars()
    text = text.replace('string split ","', 'string split --max 1 ","')  # in fish, values with commas stay whole
    click.echo(f"{text.rstrip()}\n# To use it: {INSTALL[shell]}")
