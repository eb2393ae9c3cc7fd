"""What the tests of the core share: pictures, requests, a service on the built-in model."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

from PIL import Image

from core.instance import InstanceState
from core.service import Service
from core.wire import Request

if TYPE_CHECKING:
    from core.wire import Response

QUIET = {"TRIPOINT_LOG_LEVEL": "off", "TRIPOINT_POOL": "1"}


def new_instance() -> InstanceState:
    return InstanceState(started_s=time.perf_counter(), started_unix_s=time.time())


def new_service(**environ: str) -> Service:
    return Service.from_env(QUIET | environ, new_instance())


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A gradient in every channel, so that no two corners are alike."""
    red = Image.linear_gradient("L").resize(size)
    green = red.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    blue = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (red, green, blue)).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def post(service: Service, body: bytes, kind: str = "image/png", **query: str) -> Response:
    return service.infer(Request("POST", "/", query, {"content-type": kind}, body))


def code_of(response: Response) -> str:
    error: Any = response.document["error"]
    return str(error["code"])
