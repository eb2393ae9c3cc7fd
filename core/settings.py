"""The settings of a function: read once, from an injected mapping, and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNTIMES = ("litert-direct", "litert", "tflite-runtime", "onnxruntime", "xgboost")
LOG_LEVELS = ("debug", "info", "warning", "error", "off")
MODELS = Path(__file__).resolve().parent.parent / "model"
BUILT_IN = "clothes"


class FetchRules(NamedTuple):
    """What may be fetched for `{"url": ...}`. An empty `hosts` allows every public host.

    `private` lifts the ban on private, loopback and link-local addresses and on odd ports: for tests on
    one machine only. On a cloud it hands the instance's metadata service, and with it the function's
    credentials, to whoever sends a request.
    """

    on: bool = True
    hosts: tuple[str, ...] = ()
    private: bool = False
    timeout_s: float = 10.0
    limit_bytes: int = 10_000_000
    redirects: int = 5


class Settings(NamedTuple):
    """Every setting with its default. `models` are names below `folder` or folders; the first is the default."""

    models: tuple[str, ...] = (BUILT_IN,)
    folder: Path = MODELS
    runtime: str | None = None
    pool: int | None = None
    max_body_bytes: int = 10_000_000
    max_pixels: int = 25_000_000
    fetch: FetchRules = FetchRules()
    log_level: str = "info"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the TRIPOINT_* variables; an empty one counts as unset. Raises SettingsError."""
        max_body_bytes = _whole(environ, "TRIPOINT_MAX_BODY_BYTES", 10_000_000, most=1_000_000_000)
        folder = Path(environ.get("TRIPOINT_MODELS") or MODELS)
        return cls(
            models=_list(environ, "TRIPOINT_MODEL") or (default_model(folder),),
            folder=folder,
            runtime=_choice(environ, "TRIPOINT_RUNTIME", RUNTIMES, None),
            pool=_whole(environ, "TRIPOINT_POOL", 0, most=64) or None,
            max_body_bytes=max_body_bytes,
            max_pixels=_whole(environ, "TRIPOINT_MAX_PIXELS", 25_000_000, most=1_000_000_000),
            fetch=FetchRules(
                on=_choice(environ, "TRIPOINT_FETCH", ("on", "off"), "on") == "on",
                hosts=tuple(host.lower() for host in _list(environ, "TRIPOINT_FETCH_HOSTS")),
                private=_choice(environ, "TRIPOINT_FETCH_PRIVATE", ("allow", "refuse"), "refuse") == "allow",
                timeout_s=_whole(environ, "TRIPOINT_FETCH_TIMEOUT_S", 10, most=300),
                limit_bytes=max_body_bytes,
            ),
            log_level=_choice(environ, "TRIPOINT_LOG_LEVEL", LOG_LEVELS, "info") or "info",
        )


def default_model(folder: Path) -> str:
    """The built-in model where it lies in `folder`, else the only one there: a bundle serves the model it carries."""
    if (folder / BUILT_IN).is_dir():
        return BUILT_IN
    found = [file.parent.name for file in folder.glob("*/manifest.json")]
    return found[0] if len(found) == 1 else BUILT_IN


def _list(environ: Mapping[str, str], variable: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(variable, "").split(",") if part.strip())


def _choice(environ: Mapping[str, str], variable: str, allowed: tuple[str, ...], default: str | None) -> str | None:
    value = environ.get(variable, "").strip().lower()
    if value and value not in allowed:
        raise SettingsError(variable, value, f"one of {', '.join(allowed)}")
    return value or default


def _whole(environ: Mapping[str, str], variable: str, default: int, *, most: int) -> int:
    """A whole number from 1 to `most`."""
    value = environ.get(variable, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 12 and 1 <= int(value) <= most):
        raise SettingsError(variable, value, f"a whole number from 1 to {most}")
    return int(value)
