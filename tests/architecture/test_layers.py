"""The direction of imports: no circle of files, rooms or folders, and none against the order of the layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import import_graph
from tests.paths import ROOT

FOLDERS = ("core", "adapters", "loadtests", "model", "cli", "bench")
LAYERS = [{"cli", "bench"}, {"model"}, {"loadtests"}, {"adapters"}, {"core"}]
STAGES = [  # of a load test, as docs/architecture.md shows them
    {"loadtests.locustfile"},
    {"loadtests.run"},
    {"loadtests.report", "loadtests.live", "loadtests.selftest"},
    {"loadtests.analysis", "loadtests.send"},
    {"loadtests.cost", "loadtests.expected"},
    {"loadtests.record"},
    {"loadtests.launch"},
    {"loadtests.plan", "loadtests.prices", "loadtests.stats", "loadtests.credentials"},
]
COMMAND = [{"cli.reference"}, {"cli.main"}, {"cli.commands"}, {"cli.measurement", "cli.diagnosis"}, {"cli.framework"}]
FILES = import_graph.modules(ROOT, FOLDERS)
GRAPH = import_graph.graph_of(FILES)
ROOMS = import_graph.rooms(FILES)


def part_of(name: str, depth: int) -> str:
    return ".".join(name.split(".")[:depth])


def test_no_files_import_each_other_in_a_circle() -> None:
    assert import_graph.circles(GRAPH) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert import_graph.circles(import_graph.merged(GRAPH, ROOMS)) == []


def test_the_top_folders_import_one_way() -> None:
    folders = import_graph.merged(GRAPH, {name: part_of(name, 1) for name in GRAPH})
    assert import_graph.circles(folders) == []
    assert import_graph.against(folders, LAYERS) == []


@pytest.mark.parametrize(("folder", "layers"), [("loadtests", STAGES), ("cli", COMMAND)])
def test_the_stages_of_a_folder_import_one_way(folder: str, layers: list[set[str]]) -> None:
    parts = {name: part_of(name, 2) for name in GRAPH if part_of(name, 1) == folder and name != folder}
    inside = {name: {other for other in GRAPH[name] if other in parts} for name in parts}
    graph = import_graph.merged(inside, parts)
    unplaced = set(graph) - set().union(*layers) - {"cli.__main__"}
    assert not unplaced, "a new room needs its place among the layers"
    assert import_graph.against(graph, layers) == []


def written(folder: Path, **texts: str) -> import_graph.Graph:
    """The graph of made-up modules of one package `p`."""
    (folder / "p").mkdir()
    (folder / "p" / "__init__.py").touch()
    for name, text in texts.items():
        (folder / "p" / f"{name}.py").write_text(text)
    return import_graph.graph_of(import_graph.modules(folder, ["p"]))


@pytest.mark.parametrize(
    "late",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import A\n",
        "def late():\n    from p import a\n",
        "import p.a\n",
    ],
)
def test_a_circle_is_found_however_late_or_only_for_types_it_imports(tmp_path: Path, late: str) -> None:
    assert import_graph.circles(written(tmp_path, a="from p.b import B\n", b=late)) == [["p.a", "p.b"]]


def test_a_chain_is_no_circle(tmp_path: Path) -> None:
    graph = written(tmp_path, a="from p import b\n", b="from p.c import C\n", c="")
    assert import_graph.circles(graph) == []


def test_an_import_of_a_higher_or_equal_layer_is_named(tmp_path: Path) -> None:
    graph = written(tmp_path, a="from p import b, c\n", b="from p import c\n", c="from p import a\n")
    assert import_graph.against(graph, [["p.a"], ["p.b", "p.c"]]) == ["p.b imports p.c", "p.c imports p.a"]
