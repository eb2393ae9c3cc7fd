"""Models of feature vectors: what a request may hold, and how each wrong value is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from array import array
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import features, manifest, runtime
from core.errors import BadField, ModelError
from core.manifest import Features
from core.settings import MODELS
from core.wire import Request
from tests.kits.core import code_of, encoded, new_service, picture, post
from tests.kits.families import write_features
from tests.scripts import known_answer
from tests.scripts import known_answer_xgboost as known

THREE = Features(("height", "width", "weight"), missing=False)
needs_xgboost = pytest.mark.skipif("xgboost" not in runtime.usable(), reason="xgboost-cpu is not installed")


def ask(service: Any, body: object, **query: str) -> Any:
    return post(service, json.dumps(body).encode(), "application/json", **query)


def scores(answer: Any) -> dict[str, float]:
    return {one["label"]: one["score"] for one in answer.document["predictions"]}


# Reading.


def test_values_by_name_come_in_the_models_order() -> None:
    assert features.vector({"weight": 3, "height": 1.5, "width": -2}, THREE) == [1.5, -2.0, 3.0]


def test_values_in_order_are_taken_as_they_are() -> None:
    assert features.vector([1, 2.5, -3e38], THREE) == [1.0, 2.5, -3e38]


@pytest.mark.parametrize(
    ("given_", "complaint"),
    [
        ([1, 2], "`features` has 2 values: send 3, in the order that /model lists"),
        ([1, 2, 3, 4], "has 4 values: send 3"),
        ([], "has 0 values: send 3"),
        ([1, "2", 3], r"`features\[1\]` is '2': send a number"),
        ([1, 2, True], r"`features\[2\]` is true: send a number"),
        ([[1], 2, 3], r"`features\[0\]` is an array: send a number"),
        ([1, {}, 3], r"`features\[1\]` is an object: send a number"),
        ([1, None, 3], r"`features\[1\]` is null: this model takes no missing values"),
        ([1, 2, float("nan")], r"`features\[2\]` is nan: send a finite number"),
        ([1, float("inf"), 2], r"`features\[1\]` is inf: send a finite number, up to 3.4e\+38"),
        ([1, 1e39, 2], r"`features\[1\]` is 1e\+39: send a finite number, up to 3.4e\+38"),
        ([1, 10**400, 2], r"`features\[1\]` is a very large number: send a finite number"),
        ({"height": 1, "width": 2}, "`features` lacks 'weight'"),
        ({"height": 1, "width": 2, "weight": 3, "age": 4}, "`features` has the unknown name 'age'"),
        ({"height": 1, "width": 2, "weight": "x"}, "`features.weight` is 'x': send a number"),
        ({"height": 1, "width": 2, "weight": float("-inf")}, "`features.weight` is -inf: send a finite number"),
    ],
)
def test_a_wrong_vector_is_told_by_its_place_value_and_expectation(given_: Any, complaint: str) -> None:
    with pytest.raises(BadField, match=complaint):
        features.vector(given_, THREE)


def test_null_is_a_missing_value_where_the_manifest_allows_it() -> None:
    found = features.vector([1, None, 3], THREE._replace(missing=True))
    assert (found[0], found[2]) == (1, 3)
    assert found[1] != found[1]
    with pytest.raises(BadField, match="with null where it is not known"):
        features.vector({"height": 1}, THREE._replace(missing=True))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.floats(), st.integers()), max_size=5))
def test_any_list_is_a_vector_of_float32_or_refused(values: list[object]) -> None:
    try:
        found = features.vector(values, THREE)
    except BadField:
        return
    assert len(found) == 3
    assert all(abs(value) <= features.FLOAT32_MAX for value in array("f", found))


# Manifests.


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"input": {"features": []}}, "input.features is"),
        ({"input": {"features": ["a", "a"]}}, "each there once"),
        ({"input": {"features": ["a", 1]}}, "input.features is"),
        ({"input": {"features": ["a"], "missing": "maybe"}}, "input.missing is 'maybe'"),
        ({"variant": {"input_dtype": "uint8"}}, "input_dtype is 'uint8', expected one of float32"),
        ({"variant": {"preprocessing": "tf"}}, "preprocessing is 'tf', expected one of raw"),
        ({"output": "logits"}, "output is 'logits', expected probabilities, which XGBoost gives"),
        ({"input": {"height": 1, "width": 1, "resampling": "nearest"}}, "runtimes is .*'xgboost'"),
    ],
)
def test_a_wrong_manifest_is_told(changes: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=complaint):
        manifest.load(write_features(tmp_path, b"{}", **changes))


def test_a_manifest_of_features_has_no_image_input(tmp_path: Path) -> None:
    found = manifest.load(write_features(tmp_path, b"{}"))
    assert found.features == Features(("size",), missing=True)
    with pytest.raises(ModelError, match="takes feature vectors, not images"):
        _ = found.input


# Requests.


@pytest.fixture
def service(tmp_path: Path) -> Any:
    return new_service(TRIPOINT_MODEL=str(write_features(tmp_path, known.stump())))


@needs_xgboost
def test_both_spellings_of_a_vector_get_the_same_answer(service: Any) -> None:
    for body in ({"features": [1]}, {"features": {"size": 1.0}}, {"features": [1], "model": "tiny", "top_k": 2}):
        assert scores(ask(service, body)) == {"yes": 0.75, "no": 0.25}
    assert scores(ask(service, {"features": [None]})) == {"no": 0.8, "yes": 0.2}


@needs_xgboost
def test_the_answer_has_the_fields_that_an_images_answer_has(service: Any) -> None:
    answer = ask(service, {"features": [0]})
    image: Any = post(new_service(), encoded(picture(size=(8, 8))))
    assert answer.document.keys() == image.document.keys()
    assert answer.document["timings"].keys() == image.document["timings"].keys()
    assert answer.document["model"]["runtime"] == "xgboost"


@needs_xgboost
@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (encoded(picture()), "image/png", 400, "wrong_input"),
        (encoded(picture()), "", 400, "wrong_input"),
        (b'{"image": "AAAA"}', "application/json", 400, "wrong_input"),
        (b'{"url": "http://127.0.0.1:9/never-asked"}', "application/json", 400, "wrong_input"),
        (b'{"features": [1], "url": "http://a"}', "application/json", 400, "bad_field"),
        (b'{"features": 7}', "application/json", 400, "bad_field"),
        (b'{"features": "1,2"}', "application/json", 400, "bad_field"),
        (b'{"features": [NaN]}', "application/json", 400, "bad_field"),
        (b'{"features": {"size": Infinity}}', "application/json", 400, "bad_field"),
        (b'{"features": null}', "application/json", 400, "bad_field"),
        (b'{"features": NaN}', "application/json", 400, "bad_json"),
        (b'{"features": {"size": 1, "size": 2}}', "application/json", 400, "bad_json"),
        (b"", "application/json", 400, "empty_body"),
    ],
)
def test_what_is_no_vector_for_the_model_gets_a_client_error(
    service: Any, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = service.infer(Request("POST", "/", {}, {"content-type": kind} if kind else {}, body))
    assert (answer.status, code_of(answer)) == (status, code)


@needs_xgboost
def test_nan_in_a_vector_is_told_by_its_place(service: Any) -> None:
    answer = post(service, b'{"features": {"size": NaN}}', "application/json")
    assert "`features.size` is nan: send a finite number" in str(answer.document)


@needs_xgboost
def test_an_image_sent_to_a_model_of_features_is_told_what_to_send(service: Any) -> None:
    answer = post(service, encoded(picture()))
    assert 'takes 1 features, not an image: send JSON {"features": [...]}' in str(answer.document)


@needs_xgboost
def test_the_description_lists_the_names_in_order(service: Any) -> None:
    document: Any = service.infer(Request("GET", "/model")).document
    assert document["input"] == {"features": ["size"], "missing": "allow", "dtype": "float32"}


@needs_xgboost
def test_an_unknown_model_in_the_query_is_refused_beside_a_known_one_in_the_body(service: Any) -> None:
    answer = ask(service, {"features": [1], "model": "tiny"}, model="other")
    assert code_of(answer) == "unknown_model"


@needs_xgboost
def test_one_function_serves_images_and_features_side_by_side(tmp_path: Path) -> None:
    service = new_service(TRIPOINT_MODEL=f"clothes,{write_features(tmp_path, known.stump())}")
    assert post(service, encoded(picture())).status == 200
    assert scores(ask(service, {"features": [0], "model": "tiny"})) == {"no": 0.8, "yes": 0.2}
    assert code_of(ask(service, {"features": [0]})) == "wrong_input"
    assert code_of(post(service, encoded(picture()), model="tiny")) == "wrong_input"


def question_schema(service: Any) -> Any:
    document = service.infer(Request("GET", "/openapi.json")).document
    return {**document["components"]["schemas"]["Question"], "components": document["components"]}


@needs_xgboost
@pytest.mark.parametrize("others", ["", "clothes,"])
def test_the_openapi_document_accepts_what_the_function_accepts(others: str, tmp_path: Path) -> None:
    service = new_service(TRIPOINT_MODEL=f"{others}{write_features(tmp_path, known.stump())}")
    schema = question_schema(service)
    for good in ({"features": [1]}, {"features": [None]}, {"features": {"size": 2}}, {"features": [1], "top_k": 1}):
        jsonschema.validate(good, schema)
    refused: list[Any] = [{"features": [1, 2]}, {"features": {}}, {"features": ["1"]}, {"features": {"x": 1}}, {}]
    for bad in refused:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
    document: Any = service.infer(Request("GET", "/openapi.json")).document
    bodies = document["paths"]["/classify"]["post"]["requestBody"]["content"]
    assert ("image/*" in bodies) == bool(others)


# What a start imports.

PROBE = """
import os, sys
before = set(sys.modules)
from core.service import Service
from core.wire import Request
service = Service.from_env(os.environ)
answer = service.infer(Request("POST", "/", body=b'{"features": [1]}'))
assert answer.status == 200, answer.document
print(" ".join(set(sys.modules) - before))
"""


@needs_xgboost
def test_a_model_of_features_starts_without_numpy_pillow_or_the_package_of_its_library(tmp_path: Path) -> None:
    environ = os.environ | {
        "TRIPOINT_MODEL": str(write_features(tmp_path, known.stump())),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TRIPOINT_LOG_LEVEL": "error",
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROBE], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    found = {name.split(".")[0] for name in done.stdout.split()}
    assert not found & {"numpy", "scipy", "PIL", "xgboost", "onnxruntime", "ai_edge_litert"}
    assert done.stderr == ""


@pytest.mark.skipif("litert" not in runtime.usable(), reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("name", ["litert-direct", "litert"])
def test_a_tflite_file_may_take_a_vector_too(name: str, tmp_path: Path) -> None:
    """One operator that gives the absolute values."""
    content = known_answer.model(shape=(1, 3), stored=known_answer.FLOAT32, operator=known_answer.ABS)
    folder = write_features(
        tmp_path, content, labels=list("abc"), input={"features": list("xyz")}, output="logits",
        variant={"runtimes": [name]},
    )  # fmt: skip
    service = new_service(TRIPOINT_MODEL=str(folder))
    assert scores(ask(service, {"features": [-1, 2.5, -7]})) == {"a": 1.0, "b": 2.5, "c": 7.0}


@needs_xgboost
def test_a_direct_invocation_of_lambda_may_send_features_too(service: Any) -> None:
    from adapters.aws import translate

    event: dict[str, Any] = {"features": {"size": 3}}
    assert translate.encode(service.infer(translate.decode(event)), event) == {"yes": 0.75, "no": 0.25}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["size", "a"]), inner, max_size=3),
    max_leaves=6,
)


@needs_xgboost
@settings(deadline=None)
@given(JSON)
def test_any_json_under_features_is_answered_or_refused_and_never_fails(value: object) -> None:
    answer = ask(tiny_service(), {"features": value})
    assert answer.status in (200, 400)
    assert json.loads(answer.body, parse_constant=pytest.fail)


@cache
def tiny_service() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return new_service(TRIPOINT_MODEL=str(write_features(Path(folder), known.stump())))


@pytest.mark.skipif("onnxruntime" not in runtime.usable(), reason="onnxruntime is not installed")
def test_scores_that_are_no_numbers_are_an_error_and_not_broken_json() -> None:
    """The logits of a logistic regression overflow float32 before 3e38 does."""
    service = new_service(TRIPOINT_MODEL=str(MODELS / "examples" / "wine-scikit-learn"))
    answer = ask(service, {"features": [3e38] * 13})
    assert (answer.status, code_of(answer)) == (422, "no_scores")
    assert ask(service, {"features": [3e30] * 13}).status == 200
