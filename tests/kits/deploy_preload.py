"""Imports that a process which is started often has ready; what is not installed is left out."""

from __future__ import annotations

import importlib
from contextlib import suppress

from tests.kits import botocore_files

_MODULES = (
    "cli.main",
    "cli.commands.deploy",
    "adapters.deployment.session",
    "boto3",
    "google.cloud.functions_v2",
    "google.cloud.run_v2",
    "google.auth.transport.requests",
    "azure.mgmt.web",
    "azure.mgmt.storage",
    "azure.mgmt.resource.resources",
)
_AWS_SERVICES = ("apigateway", "apigatewayv2", "ecr", "iam", "lambda", "logs", "s3", "sts")

for _name in _MODULES:
    with suppress(ModuleNotFoundError):
        importlib.import_module(_name)
with suppress(ModuleNotFoundError):
    botocore_files.read_once()
    botocore_files.read(*_AWS_SERVICES)
