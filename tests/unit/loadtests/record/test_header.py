from __future__ import annotations

import json
import re

from loadtests.plan.targets import Target
from loadtests.record.header import describe_machine, describe_run, git_commit

AWS = Target("aws", "aws", "on-demand", "local", 1024, "http://127.0.0.1:1/", cpu_share="enforced (cgroup v2)")
GCP = Target("gcp", "gcp", "none", "local", 1024, "http://127.0.0.1:2/")


def test_a_header_names_what_decides_whether_runs_compare() -> None:
    header = describe_run([AWS, GCP], {"seed": 4}, {"why": "a test"})
    assert json.loads(json.dumps(header)) == header
    assert [Target.from_document(each) for each in header["targets"]] == [AWS, GCP]
    assert header["cpu_share"] == "enforced (cgroup v2); unknown"
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", header["price_book"])
    assert (header["seed"], header["why"]) == (4, "a test")


def test_a_note_of_the_caller_stands_over_what_was_found_out() -> None:
    assert (
        describe_run([AWS], {"command": "locust …"}, {"command": "tripoint compare"})["command"] == "tripoint compare"
    )


def test_the_machine_has_a_name_and_processors() -> None:
    machine = describe_machine()
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["os"]


def test_a_commit_is_forty_digits_with_a_mark_when_files_differ_or_none_outside_a_checkout() -> None:
    commit = git_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}\+?", commit)
