"""Read the import graph of the project from its syntax trees, and find circles and imports against the layers.

Every import counts: at the top of a module, inside a function, and in a `TYPE_CHECKING` block. Each is a fact about
who knows whom, whenever it is carried out.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

Graph = dict[str, set[str]]


def modules(root: Path, folders: Iterable[str]) -> dict[str, Path]:
    """Return the file of every module below `folders`, by its dotted name."""
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph_of(files: Mapping[str, Path]) -> Graph:
    """Return who imports whom among `files`. An import of a name counts for the module that holds it.

    `from package import module` counts for the module, and not for the package around it.
    """
    graph: Graph = {}
    for name, path in files.items():
        named = {each for each in imports(path) if each in files}
        inner = {each.rpartition(".")[0] for each in named}
        packages = {each for each in named if files[each].name == "__init__.py" and each in inner}
        graph[name] = named - packages - {name}
    return graph


def rooms(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the room of every module: its package, or the module itself where it lies beside packages."""
    package = {name: name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in files.items()}
    with_rooms = {each.rpartition(".")[0] for each in package.values()}
    return {
        name: name if package[name] in with_rooms and files[name].name != "__init__.py" else package[name]
        for name in files
    }


def merged(graph: Graph, groups: Mapping[str, str]) -> Graph:
    """Return the graph of the groups: an arrow for every import from one group into another."""
    result: Graph = defaultdict(set)
    for name, others in graph.items():
        result[groups[name]] |= {groups[other] for other in others} - {groups[name]}
    return dict(result)


def circles(graph: Graph) -> list[list[str]]:
    """Return every set of nodes that all lead to each other, each set in name order."""
    reached = {node: _reachable(graph, node) for node in graph}
    found = {frozenset({node} | {o for o in reached[node] if node in reached.get(o, ())}) for node in graph}
    return sorted(sorted(circle) for circle in found if len(circle) > 1)


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        for other in graph.get(left.pop(), set()) - seen:
            seen.add(other)
            left.append(other)
    return seen


def against(graph: Graph, layers: Sequence[Iterable[str]]) -> list[str]:
    """Return the imports that run against `layers`, which stand in order, the top first.

    A node may import those of lower layers only: nothing above it, and nothing beside it.
    """
    floor = {name: number for number, layer in enumerate(layers) for name in layer}
    return sorted(
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if name in floor and other in floor and floor[other] <= floor[name]
    )
