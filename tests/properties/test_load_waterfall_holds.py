from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.waterfall import ORDER, total_ms, waterfall
from loadtests.record.sample import Sample, State

MS = st.floats(0.0, 1e5)
MAYBE_MS = st.none() | MS


@given(
    service_ms=MS,
    slip_ms=MS,
    state=st.sampled_from(["cold", "warm", "pre-initialised", None]),
    fields=st.fixed_dictionaries(
        {
            name: MAYBE_MS
            for name in (
                "connect_ms",
                "tls_ms",
                "answer_ms",
                "since_ready_ms",
                "init_ms",
                "imports_ms",
                "model_load_ms",
                "decode_ms",
                "preprocess_ms",
                "inference_ms",
                "total_ms",
                "process_start_unix_s",
                "init_start_unix_s",
            )
        }
    ),
)
def test_the_parts_always_add_up_to_what_the_client_saw(
    service_ms: float, slip_ms: float, state: State | None, fields: dict[str, float | None]
) -> None:
    sent_s = slip_ms / 1000
    plain = Sample(0, "a", "w", "forced", 0.0, sent_s, sent_s + service_ms / 1000, "ok", state=state)
    sample = replace(plain, **fields)  # type: ignore[arg-type]  # the names are fields that hold ms
    parts = waterfall(sample)
    assert sample.latency_ms is not None
    assert total_ms(parts) == pytest.approx(sample.latency_ms, abs=1e-3, rel=1e-6)
    assert [part.name for part in parts] == [name for name in ORDER if name in {part.name for part in parts}]
