"""The life cycle against an account held in memory: whatever happens, what exists is recorded and goes away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.deployment import lifecycle, state
from adapters.deployment.errors import DeployError
from adapters.deployment.naming import Deployment, identity_in, new_deployment
from adapters.deployment.provider import FoundResource, Resource, Step
from adapters.deployment.request_auth import RequestAuth

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.provider import DeployedEndpoint, Outputs, Provider

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class PowerCut(BaseException):
    """As a kill: nothing catches it."""


class Throttled(Exception):
    """What this cloud's SDK raises."""


@dataclass
class Account:
    """A cloud in memory. It goes dark at its `cut`-th change, before or after that is done.

    It removes nothing where it is `stubborn`, none of the `refused` kinds, and lists what is gone
    `shown_again` times more.
    """

    things: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    after: bool = False
    changes: int = 0
    stubborn: bool = False
    refused: frozenset[str] = frozenset()
    shown_again: int = 0
    gone: dict[str, str] = field(default_factory=dict)

    def put(self, resource: Resource, contents: str) -> None:
        self._change(lambda: self.things.__setitem__(resource.key, contents))

    def remove(self, resource: Resource) -> None:
        if resource.kind in self.refused:
            raise Throttled(f"slow down with {resource.kind}")
        if not self.stubborn:
            self.gone[resource.key] = ""
            self._change(lambda: self.things.pop(resource.key, None))

    def find(self, project: str, regions: Iterable[str]) -> Sequence[FoundResource]:
        found = []
        late = self.gone if self.shown_again > 0 else {}
        self.shown_again = max(self.shown_again - 1, 0)
        for key in {**late, **self.things}:
            cloud, region, kind, name = key.split("/", 3)
            identity = identity_in(name, project)
            if identity and region in set(regions):
                found.append(FoundResource(Resource(cloud, kind, name, region), identity))
        return found

    def _change(self, act: object) -> None:
        self.changes += 1
        if self.changes == self.cut and not self.after:
            raise PowerCut
        assert callable(act)
        act()
        if self.changes == self.cut:
            raise PowerCut

    def everywhere(self) -> Sequence[str]:
        return ["here"]

    def check(self) -> None: ...
    def errors(self) -> tuple[type[Exception], ...]:
        return (Throttled,)

    def permissions(self) -> Sequence[str]:
        return ()

    def notes(self, variants: Sequence[FunctionSpec]) -> Iterable[str]:
        return ()

    def steps(self, deployment: Deployment, variants: Sequence[FunctionSpec]) -> Sequence[Step]:
        return steps(self, deployment, ["a"])

    def endpoints(
        self, deployment: Deployment, variants: Sequence[FunctionSpec], made: Mapping[str, Outputs]
    ) -> Sequence[DeployedEndpoint]:
        return ()

    def open(self, endpoint: DeployedEndpoint) -> RequestAuth:
        return RequestAuth()

    def force_cold_start(self, deployment: Deployment, variant: FunctionSpec) -> None: ...
    def logs(self, deployment: Deployment, variant: FunctionSpec, *, limit: int) -> Iterable[str]:
        return ()

    def reports(self, deployment: Deployment, variant: FunctionSpec, *, since: datetime) -> None:
        return None


_provider: type[Provider] = Account


def steps(account: Account, deployment: Deployment, kinds: Sequence[str], version: str = "1") -> list[Step]:
    """One step for each kind; each reads what the one before gave."""
    found: list[Step] = []
    for kind in kinds:
        resource = Resource("aws", kind, f"{deployment.name}-{kind}", "here")
        before = found[-1].resource.key if found else None

        def make(
            outputs: Mapping[str, Outputs], resource: Resource = resource, before: str | None = before
        ) -> Outputs:
            assert before is None or outputs[before]["key"] == before
            account.put(resource, version)
            return {"key": resource.key}

        found.append(Step(resource, f"{kind} {resource.name}", {"version": version}, make))
    return found


def fresh(folder: Path) -> state.State:
    return state.create(new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=NOW), folder)


def quiet(line: str) -> None:
    """Say nothing."""


KINDS = ["role", "log-group", "function", "url"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("cut", range(1, len(KINDS) + 1))
def test_cut_off_anywhere_the_record_on_disk_is_enough_to_remove_all(
    tmp_path: Path, *, cut: int, after: bool
) -> None:
    account = Account(cut=cut, after=after)
    current = fresh(tmp_path)
    with pytest.raises(PowerCut):
        lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    recorded = state.read(tmp_path)
    assert recorded is not None
    assert set(account.things) <= set(recorded.entries), "recorded before it exists"
    lifecycle.destroy({"aws": account}, recorded, clouds=["aws"], say=quiet)
    assert account.things == {}
    assert recorded.entries == {}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_series_of_interrupted_applies_and_destroys_ends_clean(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    account, folder = Account(), tmp_path_factory.mktemp("series")
    deployment = fresh(folder).deployment
    for _ in range(data.draw(st.integers(1, 5))):
        account.changes, account.cut = 0, data.draw(st.integers(1, 8) | st.none())
        account.after = data.draw(st.booleans())
        recorded = state.read(folder)
        assert recorded is not None
        wanted = data.draw(st.lists(st.sampled_from(KINDS), unique=True))
        try:
            if data.draw(st.booleans()):
                chosen = steps(account, deployment, wanted, data.draw(st.sampled_from("12")))
                lifecycle.apply({"aws": account}, recorded, chosen, say=quiet)
                assert {each.resource.key for each in chosen} == set(account.things)
            else:
                lifecycle.destroy({"aws": account}, recorded, clouds=["aws"], say=quiet)
                assert account.things == {}
        except PowerCut:
            pass
    account.cut = None
    recorded = state.read(folder)
    assert recorded is not None
    assert set(account.things) <= set(recorded.entries)
    lifecycle.destroy({"aws": account}, recorded, clouds=["aws"], say=quiet)
    assert account.things == {}


def test_a_second_apply_touches_only_what_differs(tmp_path: Path) -> None:
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    account.changes = 0
    said: list[str] = []
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=said.append)
    assert account.changes == 0
    assert [line.split()[0] for line in said] == ["keep"] * 4
    one = [*steps(account, current.deployment, KINDS)[:3], steps(account, current.deployment, KINDS, "2")[3]]
    assert [each.action for each in lifecycle.changes(current, one)] == ["keep", "keep", "keep", "change"]


def test_what_is_not_wanted_any_more_goes_last_made_first(tmp_path: Path) -> None:
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    fewer = steps(account, current.deployment, KINDS[:2])
    assert [each.resource.kind for each in lifecycle.changes(current, fewer)[2:]] == ["url", "function"]
    lifecycle.apply({"aws": account}, current, fewer, say=quiet)
    assert len(account.things) == 2


def test_destroy_also_removes_what_no_record_names_and_says_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "LISTING_S", 0.1)
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    stray = Resource("aws", "bucket", f"{current.deployment.name}-stray", "here")
    others = Resource("aws", "bucket", "tripoint-database", "here")
    account.things |= {stray.key: "", others.key: ""}
    lifecycle.destroy({"aws": account}, current, clouds=["aws"], say=quiet)
    assert list(account.things) == [others.key]
    account.things[stray.key] = ""
    account.stubborn = True
    current.begin(steps(account, current.deployment, ["role"])[0])
    with pytest.raises(DeployError, match=r"still there: aws/here/bucket/.*; run `tripoint deploy destroy` again"):
        lifecycle.destroy({"aws": account}, current, clouds=["aws"], say=quiet)


def test_one_removal_that_fails_keeps_nothing_else(tmp_path: Path) -> None:
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    account.refused = frozenset({"function"})
    with pytest.raises(DeployError, match=r"function tripoint-\w+-function was not removed: slow down with function"):
        lifecycle.destroy({"aws": account}, current, clouds=["aws"], say=quiet)
    assert [key.split("/")[2] for key in account.things] == ["function"]
    assert list(current.entries) == list(account.things), "what stands stays recorded"
    account.refused = frozenset()
    lifecycle.destroy({"aws": account}, current, clouds=["aws"], say=quiet)
    assert (account.things, current.entries) == ({}, {})


def test_what_a_listing_shows_for_a_while_after_its_end_is_not_left(tmp_path: Path) -> None:
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    account.shown_again = 3
    lifecycle.destroy({"aws": account}, current, clouds=["aws"], say=quiet)
    assert account.shown_again == 0
    assert current.entries == {}


def test_only_what_is_past_its_time_is_expired(tmp_path: Path) -> None:
    account, current = Account(), fresh(tmp_path)
    lifecycle.apply({"aws": account}, current, steps(account, current.deployment, KINDS), say=quiet)
    found = account.find("tripoint", {"here"})
    assert lifecycle.expired(found, NOW + timedelta(minutes=59)) == []
    assert len(lifecycle.expired(found, NOW + timedelta(minutes=61))) == 4
    lifecycle.sweep(account, found, say=quiet)
    assert account.things == {}


def test_two_deployments_in_one_folder_wait_for_each_other(tmp_path: Path) -> None:
    with (
        state.lock(tmp_path),
        pytest.raises(DeployError, match="another `tripoint deploy` runs in this folder"),
        state.lock(tmp_path),
    ):
        pass


def test_a_record_that_cannot_be_read_points_to_sweep(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text("{")
    with pytest.raises(DeployError, match="`tripoint deploy sweep` finds what exists"):
        state.read(tmp_path)
    assert state.read(tmp_path / "elsewhere") is None
