"""Azure's blob storage for a stand-in: Azurite, Microsoft's own emulator, which is asked as the vendor's SDK asks.

Needs `azurite-blob` on the PATH, or its path in AZURITE (npm install azurite), and azure-storage-blob.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

# learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code, "Deployment package", as of 2026-11-25
PACKAGE = "released-package.zip"
_OPTIONS = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
_LISTENING = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


def program() -> str | None:
    """Where Azurite is."""
    return shutil.which(os.environ.get("AZURITE", "azurite-blob"))


def missing() -> str | None:
    """What is not here to run it; None when all is."""
    if program() is None:
        return "azurite-blob is neither on the PATH nor named by AZURITE: npm install azurite"
    try:
        found = importlib.util.find_spec("azure.storage.blob")
    except ModuleNotFoundError:
        found = None
    return None if found else "azure-storage-blob is not installed: pip install azure-storage-blob"


class BlobError(Exception):
    """The service refused; the message is its own."""


@dataclass
class Blobs:
    """The blob service of each storage account that there is: a process on a port of its own."""

    accounts: dict[str, tuple[subprocess.Popen[str], int]] = field(default_factory=dict)

    def open(self, account: str, key: str) -> None:
        """Start an account's service; harmless when it runs."""
        where = program()
        if account in self.accounts or where is None:
            return
        process = subprocess.Popen(
            [where, "--blobHost", "127.0.0.1", "--blobPort", "0", *_OPTIONS],
            env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        said = ""
        while not (found := _LISTENING.search(said)):
            line = process.stdout.readline()
            assert line, f"azurite ended: {said}"
            said += line
        self.accounts[account] = (process, int(found[1]))

    def close(self, account: str) -> None:
        """The account is deleted, with all that is in it."""
        if account in self.accounts:
            process, _ = self.accounts.pop(account)
            process.terminate()
            process.communicate(timeout=20)

    def close_all(self) -> None:
        for account in list(self.accounts):
            self.close(account)

    def create_container(self, account: str, key: str, container: str) -> None:
        """As the resource manager does."""
        connection = f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key}"
        with self._service(f"{connection};EndpointSuffix=core.windows.net") as service:
            service.create_container(container)

    def write(self, connection: str, container_url: str, package: bytes) -> None:
        """Store a package as the platform does: with an app's own connection string, where the app says.

        Raises BlobError.
        """
        from azure.core.exceptions import AzureError

        with self._blob(connection, container_url) as blob:
            try:
                blob.upload_blob(package, overwrite=True)
            except AzureError as error:
                raise BlobError(str(error).splitlines()[0]) from error

    def read(self, connection: str, container_url: str) -> bytes:
        """What an instance of the app would load at its start."""
        with self._blob(connection, container_url) as blob:
            return bytes(blob.download_blob().readall())

    def _blob(self, connection: str, container_url: str) -> Any:
        service = self._service(connection)
        parts = urlsplit(container_url)
        assert f"{parts.scheme}://{parts.netloc}" == service.url.rstrip("/"), f"{container_url} is of another account"
        return service.get_blob_client(parts.path.strip("/"), PACKAGE)

    def _service(self, connection: str) -> Any:
        """A client that believes to speak to Azure: only the way there leads to loopback."""
        from azure.core.pipeline.transport import RequestsTransport

        client: Any = importlib.import_module("azure.storage.blob").BlobServiceClient
        ports = {account: port for account, (_, port) in self.accounts.items()}
        transport = Loopback(ports, RequestsTransport())
        return client.from_connection_string(connection, transport=transport, retry_total=0)


@dataclass
class Loopback:
    """A transport of the SDK's that goes to the service of the account that the host's name begins with."""

    ports: Mapping[str, int]
    way: Any

    def send(self, request: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        here = f"127.0.0.1:{self.ports[parts.netloc.partition('.')[0]]}"
        request.url = urlunsplit(("http", here, parts.path, parts.query, ""))
        return self.way.send(request, **options)

    def __enter__(self) -> Loopback:
        self.way.open()
        return self

    def __exit__(self, *raised: object) -> None:
        self.way.close()
