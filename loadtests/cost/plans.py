"""Read plans, the rules by which a cloud bills, from `[plans.NAME]` of its `cloud.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters import contract
from loadtests.cost.cpu import read_cpu
from loadtests.cost.duration import DurationRule
from loadtests.cost.memory import MemoryRule
from loadtests.cost.plan import KINDS, LINES, Meter, Plan, PlanKind, ReserveRule
from loadtests.cost.quantities import QUANTITIES
from loadtests.prices.rate import FreeGrant, decimal


class PlanError(ValueError):
    """A plan is unknown or its rules cannot be read; the message names the rule and the known ones."""


def load_plans(cloud: str) -> tuple[Plan, ...]:
    """All plans of a cloud, in the order of its `cloud.toml`."""
    sections: Mapping[str, Any] = contract.load(cloud).data.get("plans", {})
    return tuple(_read(cloud, name, _inherited(cloud, name, sections)) for name in sections)


def free_grants(cloud: str) -> Iterator[FreeGrant]:
    """Yield what each plan of a cloud gives free a month, meter by meter, for a refresh of its prices."""
    for plan in load_plans(cloud):
        for meter in plan.meters:
            yield FreeGrant(plan.name, meter.name, meter.rate, meter.free)


def load_plan(cloud: str, name: str | None = None) -> Plan:
    """The plan `name` of a cloud, or its default one. Raises PlanError naming the known plans."""
    plans = load_plans(cloud)
    for plan in plans:
        if plan.name == name or (name is None and plan.default):
            return plan
    known = ", ".join(plan.name for plan in plans) or "none"
    raise PlanError(f"cloud {cloud!r} has no plan {name or 'marked default'!r}: known plans are {known}")


def _inherited(cloud: str, name: str, sections: Mapping[str, Any]) -> dict[str, Any]:
    """A section with what it takes over from the plan that it is `like`; a meter set to false is dropped."""
    section = dict(sections[name])
    parent = section.pop("like", None)
    if parent is None:
        return section
    if parent not in sections or "like" in sections[parent]:
        raise PlanError(f"plan {cloud}/{name} is like {parent!r}: expected a plan that is not itself like another")
    inherited = {key: value for key, value in sections[parent].items() if key != "default"}
    meters = {**inherited.get("meters", {}), **section.get("meters", {})}
    kept = {meter: rules for meter, rules in meters.items() if rules is not False}
    return {**inherited, **section, "meters": kept}


def _read(cloud: str, name: str, section: Mapping[str, Any]) -> Plan:
    try:
        meters = tuple(_meter(cloud, name, key, data) for key, data in section["meters"].items())
        return Plan(
            cloud=cloud,
            name=name,
            about=str(section["about"]),
            default=bool(section.get("default", False)),
            alternative=str(section.get("alternative", "")),
            duration=DurationRule.read(section.get("duration", {})),
            memory=MemoryRule.read(section.get("memory", {})),
            cpu=read_cpu(section.get("cpu", {})),
            reserve=_reserve(section.get("reserve", {})),
            snapshot_minimum_s=decimal("snapshot_minimum_s", section.get("snapshot_minimum_s", 0)),
            architectures=tuple(section.get("architectures", ["x86_64"])),
            gateways=tuple(section.get("gateways", ["none"])),
            meters=meters,
            assumptions=tuple(section.get("assumptions", [])),
            source=str(section["source"]),
            read=str(section["read"]),
            limits=dict(section.get("limits", {})),
            kind=_kind(section.get("kind", KINDS[0])),
        )
    except KeyError as missing:
        raise PlanError(f"plan {cloud}/{name} lacks {missing}; add it to its cloud.toml") from None
    except (TypeError, ValueError) as error:
        raise PlanError(f"plan {cloud}/{name}: {error}") from None


def _kind(name: str) -> PlanKind:
    for known in KINDS:
        if name == known:
            return known
    raise ValueError(f"kind {name!r}: known kinds are {', '.join(KINDS)}")


def _reserve(data: Mapping[str, Any]) -> ReserveRule:
    step_s, use = decimal("reserve step_s", data.get("step_s", 1)), decimal("reserve use", data.get("use", "0.6"))
    minimum_s = decimal("reserve minimum_s", data.get("minimum_s", 0))
    places = decimal("reserve places", data.get("places", 1))
    return ReserveRule(step_s, minimum_s, int(data.get("minimum", 0)), use, places)


def _meter(cloud: str, plan: str, name: str, data: Mapping[str, Any]) -> Meter:
    line, quantity = str(data["line"]), str(data["quantity"])
    if line not in LINES:
        raise PlanError(f"meter {name!r} is on line {line!r}: known lines are {', '.join(LINES)}")
    others = {str(gateway): str(each) for gateway, each in data.get("quantities", {}).items()}
    for each in (quantity, *others.values()):
        if each not in QUANTITIES:
            raise PlanError(f"meter {name!r} counts {each!r}: known quantities are {', '.join(sorted(QUANTITIES))}")
    try:
        str(data["rate"]).format(architecture="", gateway="")
    except (KeyError, IndexError):
        known = "{architecture} and {gateway}"
        raise PlanError(f"meter {name!r} has rate {data['rate']!r}: only {known} are filled in") from None
    free = decimal(f"{name} free", data.get("free", 0))
    discount = decimal(f"{name} discount", data.get("discount", 0))
    return Meter(name, line, quantity, str(data["rate"]), free, data.get("credit_region"), others, discount)
