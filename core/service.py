"""`Service.infer`: the one function that the adapters call. Routing, answers, errors and the log are here, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core import classifier, cpu_count, instance, log, manifest, payload, responses
from core.errors import Internal, MethodNotAllowed, NotFound, TripointError, UnknownModel
from core.settings import Settings
from core.wire import Timings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.classifier import Classifier
    from core.instance import InstanceState
    from core.wire import Evidence, Json, Request, Response

_METHODS = {
    "/": ("POST",),
    "/classify": ("POST",),
    "/health": ("GET", "HEAD"),
    "/model": ("GET", "HEAD"),
    "/openapi.json": ("GET", "HEAD"),
}


class Service:
    """Models, settings and the instance together; safe for any number of threads."""

    def __init__(self, settings: Settings, classifiers: Mapping[str, Classifier], this: InstanceState) -> None:
        """`classifiers` by model name, the default first."""
        self.settings = settings
        self._classifiers = dict(classifiers)
        self._default = next(iter(self._classifiers.values()))
        self._instance = this

    @classmethod
    def from_env(cls, environ: Mapping[str, str], this: InstanceState = instance.CURRENT) -> Service:
        """Load the models that the environment names. Raises SettingsError, ModelError."""
        settings = Settings.from_env(environ)
        log.set_level(settings.log_level)
        manifests = [manifest.load(model_folder(name, settings.folder)) for name in settings.models]
        prepared = [classifier.prepare(one, wanted=settings.runtime) for one in manifests]
        this.mark_imported()
        started_s = time.perf_counter()
        interpreters = settings.pool or cpu_count.count()
        loaded = [classifier.load(one, interpreters=interpreters) for one in prepared]
        this.mark_ready(model_load_ms=(time.perf_counter() - started_s) * 1000)
        return cls(settings, {one.manifest.name: one for one in loaded}, this)

    def infer(self, request: Request) -> Response:
        """Answer any request; never raises."""
        started_s = time.perf_counter()
        evidence, code = self._instance.arrived(started_s), None
        try:
            response = self._answer(request, evidence, started_s)
        except TripointError as error:
            response, code = responses.failed(error, evidence, started_s), error.code
        except Exception as error:  # the entry boundary: no request may end the instance
            log.write("error", message="unforeseen error", traceback=log.traceback_of(error))
            response, code = responses.failed(Internal(), evidence, started_s), Internal.code
        log.answered(request, evidence, status=response.status, code=code, total_ms=responses.ms_since(started_s))
        return response

    def _answer(self, request: Request, evidence: Evidence, started_s: float) -> Response:
        path = request.path.rstrip("/") or "/"
        allowed = _METHODS.get(path)
        if allowed is None:
            raise NotFound(
                f"there is no {request.path[:200]!r}: use POST / or /classify, GET /health, /model or /openapi.json"
            )
        if request.method not in allowed:
            raise MethodNotAllowed(request.method[:20], path, allowed)
        if path == "/health":
            return responses.answered(responses.health(self._default), evidence, started_s)
        if path == "/model":
            return responses.answered(responses.describe(self._default), evidence, started_s)
        if path == "/openapi.json":
            return responses.answered(self._openapi(), evidence, started_s)
        return self._classify(request, evidence, started_s)

    def _classify(self, request: Request, evidence: Evidence, started_s: float) -> Response:
        asked = payload.read(request, max_body_bytes=self.settings.max_body_bytes)
        self._classifier(request.query.get("model"))  # a field wins over the query, which must be right all the same
        chosen = self._classifier(asked.model)
        chosen.check_input_kind(features=asked.features is not None)
        given, download_ms = asked.image if asked.features is None else asked.features, None
        if given is None:
            given, download_ms = self._fetch(asked.url or "")
        ranked, decode_ms, preprocess_ms, inference_ms = chosen.classify(
            given, max_pixels=self.settings.max_pixels, top_k=asked.top_k
        )
        timings = Timings(download_ms, decode_ms, preprocess_ms, inference_ms, responses.ms_since(started_s))
        return responses.classified(ranked, timings, chosen, evidence)

    def _classifier(self, name: str | None) -> Classifier:
        found = self._default if name is None else self._classifiers.get(name)
        if found is None:
            raise UnknownModel(name or "", tuple(self._classifiers))
        return found

    def _openapi(self) -> Json:
        from core import openapi

        return openapi.document(
            models={name: one.manifest.features for name, one in self._classifiers.items()},
            labels=max(len(one.manifest.labels) for one in self._classifiers.values()),
            max_body_bytes=self.settings.max_body_bytes,
        )

    def _fetch(self, url: str) -> tuple[bytes, float]:
        started_s = time.perf_counter()
        from core import download

        return download.fetch(url, self.settings.fetch), responses.ms_since(started_s)


def model_folder(name: str, folder: Path) -> Path:
    """A model's folder: `name` itself where it is a path, else `folder/name`."""
    from pathlib import Path

    return Path(name) if "/" in name or "\\" in name else folder / name
