"""botocore's descriptions of AWS's services, read once in a process, not once in each session."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def read_once() -> None:
    """Give all sessions of this process one loader, which keeps what it reads: clients are made faster.

    botocore changes none of what a loader has read, for the clients of one session share it as well.
    """
    from botocore import loaders, session

    create = functools.cache(loaders.create_loader)

    def create_loader(search_path: str | None = None) -> Any:
        loader: Any = create(search_path)
        loader._search_paths = list(dict.fromkeys(loader._search_paths))  # each session of boto3 adds its own folder
        return loader

    any_session: Any = session
    any_session.create_loader = create_loader


def read(*services: str) -> None:
    """Read the descriptions of some services now."""
    import boto3

    session: Any = boto3.Session("stand-in", "stand-in", region_name="us-east-1")
    for service in services:
        session.client(service)
