"""Make, change and remove resources step by step, so that an interruption leaves nothing unrecorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.deployment.errors import DeployError
from adapters.deployment.patience import until

if TYPE_CHECKING:
    from adapters.deployment.provider import FoundResource, Provider, Resource, Step
    from adapters.deployment.state import State

    Say = Callable[[str], None]


LISTING_S = 30.0


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

    What cannot be removed does not keep the rest. Raises DeployError naming what is still there, and why.
    """
    chosen = set(clouds)
    regions = regions_of(state)
    problems: list[str] = []
    recorded = [entry.resource for entry in reversed(list(state.entries.values()))]
    _remove_each(providers, state, [each for each in recorded if each.cloud in chosen], say, problems)
    for cloud in sorted(chosen):
        listed = [found.resource for found in _ours(providers[cloud], state, regions)]
        _remove_each(providers, state, listed, say, problems)
        left: list[FoundResource] = []

        def gone(cloud: str = cloud, left: list[FoundResource] = left) -> bool:
            left[:] = _ours(providers[cloud], state, regions)
            return not left

        # A listing may show for a while what has gone.
        if not until(gone, within_s=0.0 if problems else LISTING_S):
            problems.append(f"still there: {', '.join(found.resource.key for found in left)}")
    if problems:
        raise DeployError(f"{'; '.join(dict.fromkeys(problems))}; run `tripoint deploy destroy` again")


def _remove_each(
    providers: Mapping[str, Provider], state: State, resources: Iterable[Resource], say: Say, problems: list[str]
) -> None:
    for resource in resources:
        try:
            _remove(providers, state, resource, say)
        except Exception as error:
            if not isinstance(error, (*providers[resource.cloud].errors(), DeployError)):
                raise
            said = str(error).strip().splitlines() or [type(error).__name__]
            problems.append(f"{resource.kind} {resource.name} was not removed: {said[0]}")


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
