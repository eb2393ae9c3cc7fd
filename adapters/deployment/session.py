"""One folder's deployment from start to end, as the command line and `compare --deploy` use it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.deployment import lifecycle, state
from adapters.deployment import provider as resources
from adapters.deployment.errors import DeployError, NotReady
from adapters.deployment.function_spec import FunctionSpec, distinct, function_spec_of
from adapters.deployment.naming import Deployment, new_deployment
from adapters.deployment.state import this_process
from adapters.deployment.targets import TARGETS, by_target_name, write

if TYPE_CHECKING:
    from adapters.deployment.provider import DeployedEndpoint, FoundResource, Provider, Step
    from adapters.deployment.state import OwnerProcess, State


@dataclass(frozen=True, slots=True)
class Session:
    """The deployment recorded in `folder`. `say` gets one line for each thing that happens."""

    folder: Path = state.FOLDER
    say: Callable[[str], None] = print
    project: str = "tripoint"
    owner: str = field(default_factory=lambda: owner_label(_user()))
    life: timedelta = timedelta(hours=4)

    def plan(self, variants: Sequence[FunctionSpec]) -> list[lifecycle.ResourceChange]:
        """What `apply` would do; nothing is asked of a cloud. Raises ValueError and BundleError."""
        recorded = state.read(self.folder)
        deployment = recorded.deployment if recorded else self._fresh()
        return lifecycle.changes(recorded, _steps(deployment, distinct(variants)))

    def apply(
        self, variants: Sequence[FunctionSpec], *, holder: OwnerProcess | None = None
    ) -> list[DeployedEndpoint]:
        """Make what is missing of `variants`, change what differs, remove the rest; return where they answer.

        With a `holder` it is removed again by `deployed`, or after a crash of that process.
        """
        with state.lock(self.folder):
            recorded = state.read(self.folder)
            deployment = recorded.deployment if recorded else self._fresh()
            steps = _steps(deployment, distinct(variants))
            used = {variant.cloud for variant in variants} | {entry.resource.cloud for entry in _entries(recorded)}
            providers = _checked(used)
            current = recorded or state.create(deployment, self.folder)
            current.variants = [_document(variant) for variant in variants]
            current.holder = holder
            current.save()
            with translated(providers.values()):
                lifecycle.apply(providers, current, steps, say=self.say)
            return self._write_targets(current)

    def destroy(self, clouds: Iterable[str] | None = None) -> None:
        """Remove what is recorded (of `clouds`, or all), and check by listing that nothing is left."""
        with state.lock(self.folder):
            recorded = state.read(self.folder)
            if recorded is None:
                return
            chosen = {entry.resource.cloud for entry in _entries(recorded)} & set(clouds or contract.clouds())
            problems: list[str] = []
            for cloud in sorted(chosen):  # each by itself: a login that has ended keeps nothing on the others
                try:
                    providers = _checked([cloud])
                    with translated(providers.values()):
                        lifecycle.destroy(providers, recorded, clouds=[cloud], say=self.say)
                except DeployError as error:
                    problems.append(str(error))
            standing = {entry.resource.cloud for entry in _entries(recorded)}
            recorded.variants = [each for each in recorded.variants if each["cloud"] in standing]
            if recorded.entries:
                recorded.save()
                self._write_targets(recorded)
            else:
                recorded.delete()
                (self.folder / TARGETS).unlink(missing_ok=True)
            if problems:
                raise DeployError("\n".join(problems))

    def sweep(self, clouds: Iterable[str], *, regions: Iterable[str], everything: bool) -> list[FoundResource]:
        """Remove what is past its time (or everything) of this project in the accounts, without any record."""
        removed: list[FoundResource] = []
        for provider in _checked(clouds).values():
            found = self._found(provider, list(regions) or provider.everywhere())
            chosen = found if everything else lifecycle.expired(found, datetime.now(UTC))
            with translated([provider]):
                lifecycle.sweep(provider, chosen, say=self.say)
            removed += chosen
        return removed

    def _found(self, provider: Provider, regions: Iterable[str]) -> list[FoundResource]:
        """What there is of this project in each region by itself; what cannot be looked at is said."""
        found: dict[str, FoundResource] = {}
        for region in regions:
            try:
                found |= {each.resource.key: each for each in provider.find(self.project, [region])}
            except provider.errors() as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                self.say(f"not looked at: {region} ({said[0]})")
        return list(found.values())

    def endpoints(self) -> list[DeployedEndpoint]:
        """Where the deployed variants answer. Raises DeployError when nothing is deployed."""
        return _endpoints(self.recorded())

    def named(self) -> dict[str, DeployedEndpoint]:
        """The same by target name. Raises DeployError when nothing is deployed."""
        return by_target_name(self.endpoints())

    def recorded(self) -> State:
        """The record. Raises DeployError when nothing is deployed."""
        found = state.read(self.folder)
        if found is None:
            raise DeployError("nothing is deployed from this folder: run `tripoint deploy apply` first")
        return found

    def orphaned(self) -> State | None:
        """Return the record of a deployment whose owner process has ended without removing it."""
        found = state.read(self.folder)
        return found if found is not None and found.holder is not None and not found.holder.is_alive() else None

    @contextmanager
    def deployed(self, variants: Sequence[FunctionSpec]) -> Iterator[list[DeployedEndpoint]]:
        """Apply, yield where the variants answer, and destroy on every way out; Ctrl-C included.

        After a crash the record stays: the next start finds it with `orphaned` and offers to destroy it.
        Raises DeployError where something is deployed already.
        """
        if state.read(self.folder) is not None:
            raise DeployError(
                "something is deployed from this folder already: measure it with `tripoint compare --targets "
                "deployed`, or remove it with `tripoint deploy destroy`"
            )
        try:
            yield self.apply(variants, holder=this_process())
        finally:
            self.say("removing what was deployed")
            self.destroy()

    def logs(self, *, limit: int) -> Iterable[tuple[FunctionSpec, Iterable[str]]]:
        """The last lines of each deployed variant."""
        recorded = self.recorded()
        for document in recorded.variants:
            variant = function_spec_of(document)
            provider = resources.provider_of(variant.cloud)
            with translated([provider]):
                lines = provider.logs(recorded.deployment, variant, limit=limit)
            yield variant, lines

    def _fresh(self) -> Deployment:
        return new_deployment(self.project, owner=self.owner, life=self.life, now=datetime.now(UTC))

    def _write_targets(self, current: State) -> list[DeployedEndpoint]:
        found = _endpoints(current)
        write(self.folder, found)
        return found


@contextmanager
def translated(providers: Iterable[Provider]) -> Iterator[None]:
    """Turn what an SDK raises into a DeployError with the next step."""
    raised = tuple(error for provider in providers for error in provider.errors())
    try:
        yield
    except raised as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise DeployError(
            f"{said[0]}; `tripoint deploy apply` resumes, `tripoint deploy destroy` cleans up"
        ) from error


def owner_label(user: str) -> str:
    """A user's name as the clouds take it in tags."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in user.lower())
    return kept.strip("-")[:63] or "unknown"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return ""


def missing(clouds: Iterable[str]) -> dict[str, str]:
    """Of each cloud that is not ready, what is missing, in one line; nothing is changed anywhere."""
    found = {}
    for cloud in clouds:
        try:
            resources.provider_of(cloud).check()
        except NotReady as error:
            found[cloud] = str(error)
    return found


def _steps(deployment: Deployment, variants: Sequence[FunctionSpec]) -> list[Step]:
    found: list[Step] = []
    for cloud in sorted({variant.cloud for variant in variants}):
        own = [variant for variant in variants if variant.cloud == cloud]
        found += resources.provider_of(cloud).steps(deployment, own)
    return found


def _endpoints(current: State) -> list[DeployedEndpoint]:
    found: list[DeployedEndpoint] = []
    variants = [function_spec_of(document) for document in current.variants]
    for cloud in sorted({variant.cloud for variant in variants}):
        own = [variant for variant in variants if variant.cloud == cloud]
        found += resources.provider_of(cloud).endpoints(current.deployment, own, current.outputs())
    return found


def _checked(clouds: Iterable[str]) -> dict[str, Provider]:
    """Providers that are ready. Raises NotReady with every line at once."""
    wanted = sorted(set(clouds))
    lacking = missing(wanted)
    if lacking:
        raise NotReady("\n".join(lacking.values()))
    return {cloud: resources.provider_of(cloud) for cloud in wanted}


def _entries(recorded: State | None) -> list[state.StateEntry]:
    return list(recorded.entries.values()) if recorded else []


def _document(variant: FunctionSpec) -> dict[str, Any]:
    return {name: value for name, value in asdict(variant).items() if value not in (None, {})}
