"""What is measured: a URL plus cloud, plan, region and memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint under test.

    `url` classifies when image bytes are POSTed to it. `control` is the URL of the local cloud's control
    plane, None for a real cloud. `cpu_share` says in words whether CPU shares were enforced.
    """

    name: str
    cloud: str
    plan: str
    region: str
    memory_mb: int
    url: str
    concurrency: int = 1
    architecture: str = "x86_64"
    control: str | None = None
    cpu_share: str = "not enforced"

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"target {self.name!r}: url {self.url!r} must start with http:// or https://")
        if self.memory_mb <= 0 or self.concurrency <= 0:
            raise ValueError(f"target {self.name!r}: memory_mb and concurrency must be positive")
