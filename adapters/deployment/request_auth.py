"""Add to a request what a closed endpoint asks for.

A pass holds secrets in memory for the time of a run; it is never printed, and written nowhere but into the
environment of the processes that send the load.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol, cast


class Signer(Protocol):
    """A module that signs requests, such as `adapters.aws.deployment.sigv4`.

    It is pure, imports no SDK, and takes well under a millisecond for each request.
    """

    def headers(
        self, keys: Mapping[str, str], *, method: str, url: str, body: bytes, now: datetime
    ) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class RequestAuth:
    """`fixed` headers are the same for every request; those of the `signer` module depend on it and on `keys`."""

    fixed: Mapping[str, str] = field(default_factory=dict)
    signer: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)

    def headers(self, method: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        """What to add to a request that is sent within five minutes of `now` (UTC); call it before the timed part."""
        if self.signer is None:
            return dict(self.fixed)
        module = cast("Signer", importlib.import_module(self.signer))
        return {**self.fixed, **module.headers(self.keys, method=method, url=url, body=body, now=now)}

    def text(self) -> str:
        """For the environment of another process; it holds the secrets."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> RequestAuth:
        """Read what `text` wrote."""
        return cls(**json.loads(text))
