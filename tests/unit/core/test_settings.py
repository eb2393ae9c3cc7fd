"""Settings: defaults, and what is said of bad values."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import MODELS, FetchRules, Settings


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings().models == ("clothes",)
    assert Settings().folder == MODELS
    assert not FetchRules().private


@pytest.mark.parametrize(
    ("models", "default"),
    [(["dogs"], "dogs"), (["clothes", "dogs"], "clothes"), (["cats", "dogs"], "clothes"), ([], "clothes")],
)
def test_the_only_model_there_is_the_default(models: list[str], default: str, tmp_path: Path) -> None:
    """So that a bundle serves the model it carries, whatever its name."""
    for name in models:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert Settings.from_env({"TRIPOINT_MODELS": str(tmp_path)}).models == (default,)


def test_an_empty_value_counts_as_unset() -> None:
    names = ("MODEL", "MODELS", "RUNTIME", "POOL", "MAX_BODY_BYTES", "FETCH", "FETCH_HOSTS", "LOG_LEVEL")
    assert Settings.from_env({f"TRIPOINT_{name}": "" for name in names}) == Settings()


def test_every_setting_is_read() -> None:
    found = Settings.from_env(
        {
            "TRIPOINT_MODEL": "a, /b/c",
            "TRIPOINT_MODELS": "/models",
            "TRIPOINT_RUNTIME": "LiteRT",
            "TRIPOINT_POOL": "3",
            "TRIPOINT_MAX_BODY_BYTES": "1000",
            "TRIPOINT_MAX_PIXELS": "2000",
            "TRIPOINT_FETCH": "off",
            "TRIPOINT_FETCH_HOSTS": "Example.com, images.example.com",
            "TRIPOINT_FETCH_PRIVATE": "allow",
            "TRIPOINT_FETCH_TIMEOUT_S": "4",
            "TRIPOINT_LOG_LEVEL": "error",
        }
    )
    assert found == Settings(
        models=("a", "/b/c"),
        folder=Path("/models"),
        runtime="litert",
        pool=3,
        max_body_bytes=1000,
        max_pixels=2000,
        fetch=FetchRules(
            on=False,
            hosts=("example.com", "images.example.com"),
            private=True,
            timeout_s=4,
            limit_bytes=1000,
        ),
        log_level="error",
    )


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TRIPOINT_RUNTIME", "onnx", "one of litert-direct, litert, tflite-runtime"),
        ("TRIPOINT_POOL", "0", "a whole number from 1 to 64"),
        ("TRIPOINT_POOL", "two", "a whole number from 1 to 64"),
        ("TRIPOINT_MAX_PIXELS", "1e6", "a whole number"),
        ("TRIPOINT_MAX_BODY_BYTES", "-5", "a whole number"),
        ("TRIPOINT_MAX_BODY_BYTES", "9" * 5000, "a whole number"),
        ("TRIPOINT_FETCH", "maybe", "one of on, off"),
        ("TRIPOINT_FETCH_PRIVATE", "yes", "one of allow, refuse"),
        ("TRIPOINT_LOG_LEVEL", "loud", "one of debug"),
    ],
)
def test_a_bad_value_is_told_with_its_variable_and_what_is_expected(variable: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({variable: value})
    assert str(raised.value).startswith(f"{variable}={value!r}: expected {expected}")
