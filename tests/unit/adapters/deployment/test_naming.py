"""Names that say whose they are and when they may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.deployment import naming
from adapters.deployment.function_spec import FunctionSpec, distinct, function_spec_of, read_function_specs
from adapters.deployment.session import owner_label

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=30 * 24 * 60))
def test_an_id_says_when_it_may_go_and_never_earlier_than_asked(minutes: int) -> None:
    life = timedelta(minutes=minutes)
    made = naming.new_deployment("tripoint", owner="ana", life=life, now=NOW)
    assert NOW + life <= made.expires < NOW + life + timedelta(minutes=1)


@pytest.mark.parametrize("form", ["{}", "{}-on-demand-1769", "/aws/lambda/{}-x", "projects/p/functions/{}-c1"])
def test_a_deployments_own_names_are_known(form: str) -> None:
    made = naming.new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=NOW)
    assert naming.identity_in(form.format(made.name), "tripoint") == made.identity
    assert naming.identity_in(f"tripoint{made.identity}37c", "tripoint") == made.identity
    assert naming.identity_in(form.format(made.name), "another") is None


@pytest.mark.parametrize(
    "name", ["tripoint", "tripoint-database", "tripoint-production", "mytripoint-htb4ajv0t", "tripoint-analytics", ""]
)
def test_somebody_elses_names_are_left_alone(name: str) -> None:
    assert naming.identity_in(name, "tripoint") is None


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=8), st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz"))
def test_an_id_with_one_wrong_digit_is_not_ours(place: int, digit: str) -> None:
    made = naming.new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=NOW)
    wrong = made.identity[:place] + digit + made.identity[place + 1 :]
    assert (naming.identity_in(f"tripoint-{wrong}", "tripoint") is None) == (wrong != made.identity)


def test_tags_fit_the_strictest_cloud() -> None:
    made = naming.new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=NOW)
    for key, value in made.tags().items():
        assert key == key.lower()
        assert len(value) <= 63
        assert value.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    ("user", "label"),
    [("Ana.Lucía", "ana-luc-a"), ("", "unknown"), ("DOMAIN\\bob", "domain-bob"), ("x" * 80, "x" * 63)],
)
def test_any_user_name_makes_an_owner(user: str, label: str) -> None:
    assert owner_label(user) == label
    naming.Deployment("tripoint", "htb4ajv0t", owner_label(user))


@pytest.mark.parametrize("project", ["Tri", "t", "tri-point", "1tri", "abcdefghijklm"])
def test_a_project_that_no_cloud_takes_is_refused(project: str) -> None:
    with pytest.raises(ValueError, match="expected 2 to 12 lower-case letters and digits"):
        naming.Deployment(project, "htb4ajv0t", "ana")


def test_variants_come_from_a_file_and_wrong_ones_are_told(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "tripoint.toml"
    path.write_text(
        'owner = "ana"\ntime_to_live_h = 2\n[[variants]]\ncloud = "aws"\nmemory_mb = 512\nplan = "snapstart"\n'
    )
    settings, [variant] = read_function_specs(path)
    assert settings == {"owner": "ana", "time_to_live_h": 2}
    assert variant.label == "snapstart-512-x8664-c1"
    assert variant.place == "us-east-1"
    path.write_text("colour = 1\n")
    with pytest.raises(ValueError, match="has unknown 'colour': expected project, owner"):
        read_function_specs(path)
    with pytest.raises(ValueError, match="a variant has unknown 'memory': expected"):
        function_spec_of({"cloud": "aws", "memory": 512})
    with pytest.raises(ValueError, match="unknown cloud 'oracle': expected one of aws, azure, gcp"):
        FunctionSpec("oracle")
    with pytest.raises(ValueError, match="reserved_instances is 3: expected 0 to maximum_instances"):
        FunctionSpec("aws", maximum_instances=2, reserved_instances=3)
    with pytest.raises(ValueError, match="two variants are the same"):
        distinct([FunctionSpec("aws"), FunctionSpec("aws")])
