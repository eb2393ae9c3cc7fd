"""Make, change and remove resources step by step, so that an interruption leaves nothing unrecorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.deployment.errors import DeployError

if TYPE_CHECKING:
    from adapters.deployment.provider import FoundResource, Provider, Resource, Step
    from adapters.deployment.state import State

    Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What `apply` would do with one resource: make, change, keep or remove."""

    action: str
    resource: Resource
    summary: str


def changes(state: State | None, steps: Sequence[Step]) -> list[ResourceChange]:
    """What `apply` would do; pure."""
    wanted = {step.resource.key for step in steps}
    entries = state.entries if state else {}
    found = [_change(state, step) for step in steps]
    gone = [entry.resource for key, entry in entries.items() if key not in wanted]
    return [
        *found,
        *(ResourceChange("remove", resource, f"{resource.kind} {resource.name}") for resource in reversed(gone)),
    ]


def _change(state: State | None, step: Step) -> ResourceChange:
    if state is not None and state.is_made(step):
        return ResourceChange("keep", step.resource, step.summary)
    known = state is not None and step.resource.key in state.entries
    return ResourceChange("change" if known else "make", step.resource, step.summary)


def apply(providers: Mapping[str, Provider], state: State, steps: Sequence[Step], *, say: Say) -> None:
    """Bring what exists to `steps`: remove what is not wanted any more, make what is missing or differs.

    Each resource is recorded before it is touched. A resource that someone removed by hand is made again.
    """
    for change in changes(state, steps):
        if change.action == "remove":
            _remove(providers, state, change.resource, say)
    there = _listed(providers, state)
    for step in steps:
        if state.is_made(step) and step.resource.key in there:
            say(f"keep    {step.summary}")
            continue
        say(f"{'change' if step.resource.key in there else 'make':7} {step.summary}")
        state.begin(step)
        state.finish(step, step.make(state.outputs()))


def destroy(providers: Mapping[str, Provider], state: State, *, clouds: Iterable[str], say: Say) -> None:
    """Remove everything recorded for `clouds`, last made first, then list the accounts and remove what is left.

    Raises DeployError naming what is still there.
    """
    chosen = set(clouds)
    regions = regions_of(state)
    for entry in reversed(list(state.entries.values())):
        if entry.resource.cloud in chosen:
            _remove(providers, state, entry.resource, say)
    for cloud in sorted(chosen):
        for found in _ours(providers[cloud], state, regions):
            _remove(providers, state, found.resource, say)
        left = _ours(providers[cloud], state, regions)
        if left:
            names = ", ".join(found.resource.key for found in left)
            raise DeployError(f"still there: {names}; run `tripoint deploy destroy` again")


def expired(found: Iterable[FoundResource], now: datetime) -> list[FoundResource]:
    """Those whose time is past; pure."""
    return [each for each in found if each.expires <= now]


def sweep(provider: Provider, found: Sequence[FoundResource], *, say: Say) -> None:
    """Remove what a listing showed. `find` lists in order of making; the last made goes first."""
    for each in reversed(found):
        say(f"remove  {each.resource.kind} {each.resource.name}")
        provider.remove(each.resource)


def regions_of(state: State) -> set[str]:
    return {entry.resource.region for entry in state.entries.values()}


def _remove(providers: Mapping[str, Provider], state: State, resource: Resource, say: Say) -> None:
    say(f"remove  {resource.kind} {resource.name}")
    providers[resource.cloud].remove(resource)
    state.forget(resource)


def _ours(provider: Provider, state: State, regions: Iterable[str]) -> list[FoundResource]:
    """What a listing still shows of this deployment, last made first."""
    found = provider.find(state.deployment.project, regions)
    return [each for each in reversed(found) if each.identity == state.deployment.identity]


def _listed(providers: Mapping[str, Provider], state: State) -> set[str]:
    regions = regions_of(state)
    if not regions:
        return set()
    found = (each for provider in providers.values() for each in _ours(provider, state, regions))
    return {each.resource.key for each in found}
