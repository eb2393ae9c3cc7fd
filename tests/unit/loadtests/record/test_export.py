from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.commands.export import command
from loadtests.record import export
from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Store

SAMPLES = [
    Sample(
        0, "aws", "w1", "forced", 1.0, 1.002, 1.5, "ok", status=200, state="cold", label="t-shirt", init_ms=310.25
    ),
    Sample(1, "aws", "w1", "steady", 2.0, None, None, "dropped", error='queue "full", waiting'),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    header: dict[str, object] = {"targets": []}
    with Store.create(tmp_path / FILE_NAME, header) as store:
        store.append(SAMPLES)
    return tmp_path


def exported(run: Path, kind: str) -> Path:
    result = CliRunner().invoke(command, [str(run), "--format", kind])
    assert result.exit_code == 0, result.output
    return run / f"samples.{kind}"


def test_csv_has_every_field_of_every_sample_with_empty_cells_for_none(run: Path) -> None:
    with exported(run, "csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == export.NAMES
    assert (rows[0]["latency_ms"], rows[0]["init_ms"], rows[0]["state"]) == ("500.0", "310.25", "cold")
    assert (rows[1]["error"], rows[1]["sent_s"], rows[1]["latency_ms"]) == ('queue "full", waiting', "", "")


def test_json_is_one_array_of_samples(run: Path) -> None:
    rows = json.loads(exported(run, "json").read_text(encoding="utf-8"))
    assert [row["index"] for row in rows] == [0, 1]
    assert rows[1]["done_s"] is None
    assert rows[0]["slip_ms"] == pytest.approx(2.0)


def test_parquet_has_typed_columns_even_where_no_sample_has_a_value(run: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra: parquet", exc_type=ImportError)
    table = parquet.read_table(exported(run, "parquet"))
    types = {field.name: str(field.type) for field in table.schema}
    assert tuple(types) == export.NAMES
    assert (types["index"], types["tls_ms"], types["platform"], types["slip_ms"]) == (
        "int64",
        "double",
        "string",
        "double",
    )
    assert table.column("error").to_pylist() == [None, 'queue "full", waiting']


def test_parquet_without_pyarrow_names_the_extra(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(export.MissingExtra, match=r"tripoint\[parquet\]"):
        export.write_parquet(SAMPLES, run / "x.parquet")


def test_standard_output_takes_text_but_no_binary_file(run: Path) -> None:
    text = CliRunner().invoke(command, [str(run), "--out", "-"])
    assert text.output.splitlines()[0] == ",".join(export.NAMES)
    refused = CliRunner().invoke(command, [str(run), "--format", "parquet", "--out", "-"])
    assert refused.exit_code == 2
    assert "binary" in refused.output


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "expected a run folder" in result.output
