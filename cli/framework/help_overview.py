"""`tripoint --help`: every command on one screen, by what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

EXIT_CODES = "Exit codes: 0 done; 1 the answer is no; 2 wrong use or missing; 130 interrupted."
SECTIONS = {
    "Measure": {
        "compare": "All clouds in one run: cold start, latency, errors, cost",
        "tune": "Which memory size to take, on which cloud",
        "serve": "Run local clouds until Ctrl-C, and try them by hand",
        "idle": "How long idle instances live, by gaps that adapt",
        "calibrate": "What the load test itself adds to a latency",
    },
    "Runs": {
        "runs": "List, show and delete the runs that are kept",
        "report": "Make the report of a run again, from its samples",
        "check": "Can a run be trusted? (1: no)",
        "diff": "Did a change make anything worse? (1: yes)",
        "export": "Every raw sample as CSV, Parquet or JSON",
    },
    "Cost": {
        "cost": "What a load would cost on every plan, without a run",
        "prices": "The prices, their source and age; newer ones",
    },
    "Model": {
        "predict": "Classify photographs here, without any cloud",
        "model": "Bring your model, make it small, keep it exact",
    },
    "Deploy": {
        "bundle": "Make what ships, and check it against limits",
        "deploy": "Real clouds: plan, apply, status, logs, destroy",
    },
    "Setup": {
        "doctor": "What works on this machine, and what to do (1: too little)",
        "config": "Every setting, and where it came from",
        "completion": "The script that completes commands in your shell",
    },
}

SUBCOMMANDS = {
    "deploy": {
        "apply": "Make it, step by step; again, to change what differs",
        "destroy": "Remove all that is recorded, and check that it is gone",
        "logs": "The last lines that the functions wrote",
        "plan": "What would exist, the rights it needs, what it costs",
        "reports": "What a run was billed, as the platform wrote it",
        "status": "What is recorded as made, and where it answers",
        "sweep": "Find and remove what is past its time, without a record",
    },
    "model": {
        "add": "Give a TFLite or Keras classifier a name",
        "convert": "Make small TFLite files of a Keras or PyTorch model",
        "evaluate": "Accuracy, speed, size and cost of every variant",
        "list": "The models that have a name",
        "optimise": "Make a model smaller and faster, and say at what cost",
        "pull": "Fetch a public model, check it and give it a name",
        "remove": "Delete a model of yours",
        "show": "Labels, input, files, and where it comes from",
        "train": "Train a classifier on folders of photographs",
    },
    "runs": {
        "delete": "Delete runs, with every sample",
        "list": "The runs, newest first, and what each shows",
        "show": "What one run was, whether it is whole, what it shows",
    },
}


def short_help(path: tuple[str, ...]) -> str:
    """Return what a command does as the overview says it, "" for a command without such a line."""
    found = [section[path[0]] for section in SECTIONS.values() if path[0] in section]
    return found[0] if len(path) == 1 and found else SUBCOMMANDS.get(path[0], {}).get(path[-1], "")


def write_overview(group: click.Group, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write sections on the left and commands on the right; commands without a section come last."""
    names = group.list_commands(context)
    listed = {name for section in SECTIONS.values() for name in section}
    others = {name: _words(group, context, name) for name in names if name not in listed}
    formatter.write("Usage: tripoint [--debug] [--version] [--help] COMMAND …\n")
    formatter.write("Start with `tripoint compare` (no account); COMMAND --help shows an example.\n\n")
    for title, section in {**SECTIONS, "More": others}.items():
        for place, name in enumerate(each for each in section if each in names):
            formatter.write(f"{'' if place else title:9}{name:12}{section[name]}\n")
    formatter.write(f"\n{EXIT_CODES}\n")


def _words(group: click.Group, context: click.Context, name: str) -> str:
    command = group.get_command(context, name)
    return command.get_short_help_str(57) if command else ""
