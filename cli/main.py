"""The `tripoint` command: finds its subcommands, and turns errors into one sentence with the next step."""

from __future__ import annotations

import importlib
import pkgutil
import signal
import sys
from typing import cast

import click

import cli

EXIT_CODES = """
Exit codes: 0 done; 1 the answer is no (a regression, a failed check, a failed request); 2 wrong use or
something missing; 130 interrupted.
"""
_EXPECTED = (LookupError, ValueError, OSError, RuntimeError)


class Commands(click.Group):
    """One subcommand for each module of this package that has a `command`; imported only when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the modules, main apart."""
        names = {module.name for module in pkgutil.iter_modules(cli.__path__)}
        return sorted(name for name in names if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand, or None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast("click.Command", importlib.import_module(f"cli.{cmd_name}").command)


@click.command(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tripoint")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def tripoint(context: click.Context, debug: bool) -> None:
    """Which cloud, which plan, which memory size; at what cold start, latency and cost; and how sure are we?

    Start with `tripoint compare`: three local clouds, no account.
    """
    context.obj = {"debug": debug}


def main() -> None:
    """Entry point of the console script."""
    debug = "--debug" in sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts its background jobs deaf to the first
        signal.signal(number, signal.default_int_handler)
    try:
        status = tripoint.main(prog_name="tripoint", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        raise SystemExit(130) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except _EXPECTED as error:
        if debug:
            raise
        click.echo(f"tripoint: {error}", err=True)
        raise SystemExit(2) from None
    except Exception as error:  # the entry boundary: a fault of ours
        if debug:
            raise
        click.echo(f"tripoint: a fault of Tripoint itself, {error!r}: please report it, with the traceback", err=True)
        click.echo("that `tripoint --debug` and the same words show; what was measured is kept", err=True)
        raise SystemExit(2) from None
    raise SystemExit(status if isinstance(status, int) else 0)
