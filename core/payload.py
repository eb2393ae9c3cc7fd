"""Read a classify request: image bytes, an address or features; how many labels; which model."""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, NamedTuple

from core import base64_c
from core.errors import BadField, BadJson, BodyTooLarge, EmptyBody, UnsupportedMedia

if TYPE_CHECKING:
    from core.wire import Request

TOP_K = 5
MAX_TOP_K = 1000
GIVEN = ("image", "url", "features")
_FIELDS = (*GIVEN, "top_k", "model")


class ClassifyPayload(NamedTuple):
    """Exactly one of `image` (encoded bytes), `url` and `features` (as they came in JSON) is set."""

    image: bytes | None
    url: str | None
    top_k: int
    model: str | None
    features: list[object] | dict[str, object] | None = None


def read(request: Request, *, max_body_bytes: int) -> ClassifyPayload:
    """Read a classify request. Raises BodyTooLarge, EmptyBody, UnsupportedMedia, BadJson, BadField.

    JSON is told by its content type; a body that begins with "{" is also read as JSON when it comes without
    a content type, or with the one that `curl -d` sends. `top_k` and `model` may stand in the query, where
    other names are ignored; a field wins over the query, which must be right all the same. In JSON an unknown
    or repeated name is an error.
    """
    body, query = request.body, request.query
    if len(body) > max_body_bytes:
        raise BodyTooLarge(len(body), max_body_bytes)
    if not body:
        raise EmptyBody
    kind = request.headers.get("content-type", "").strip().lower()
    _check_media(kind, request.headers.get("content-encoding", ""))
    top_k, model = _top_k(query.get("top_k")), _model(query.get("model"))
    if not _is_json(kind, body):
        return ClassifyPayload(body, None, top_k, model)
    fields = _fields(body)
    image, url = fields.get("image"), fields.get("url")
    return ClassifyPayload(
        image=None if image is None else from_base64(_text("image", image)),
        url=None if url is None else _text("url", url),
        top_k=_top_k(fields["top_k"]) if "top_k" in fields else top_k,
        model=_model(fields["model"]) if "model" in fields else model,
        features=None if fields.get("features") is None else _features(fields["features"]),
    )


def _is_json(kind: str, body: bytes) -> bool:
    kind = kind.partition(";")[0].rstrip()
    if kind == "application/json" or kind.endswith("+json"):
        return True
    return kind in ("", "application/x-www-form-urlencoded") and body[:64].lstrip().startswith(b"{")


def _check_media(kind: str, encoding: str) -> None:
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia(
            f"content-encoding {encoding.strip().lower()[:40]!r} is not read: send the body uncompressed"
        )
    if kind.startswith("multipart/"):
        raise UnsupportedMedia(
            "multipart forms are not read: send the image itself as the body (curl --data-binary @photo.jpg)"
        )


def _fields(body: bytes) -> dict[str, object]:
    fields = _parse(body)
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        raise BadField(f"unknown field {unknown[0][:40]!r}: use {', '.join(_FIELDS)}")
    given = [name for name in GIVEN if fields.get(name) is not None]
    if len(given) != 1:
        raise BadField(f"{len(given)} of `image`, `url` and `features` are given: send exactly one of them")
    return fields


def _parse(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_without_repeats, parse_constant=_Constant)
        _refuse_constants(document)
    except (ValueError, RecursionError) as error:
        cause = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise BadJson(
            f'the body is not valid JSON ({cause}): send {{"url": "https://..."}}, {{"image": "<base64>"}} '
            'or {"features": [...]}'
        ) from error
    if not isinstance(document, dict):
        raise BadJson(f"the body is a JSON {_kind(document)}: send an object with `url`, `image` or `features`")
    return document


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return fields


class _Constant(float):
    """NaN, Infinity or -Infinity, which `json` reads although JSON has none."""


def _refuse_constants(document: object) -> None:
    """Raise ValueError for one that is a field of its own; `features` names the place of one in it."""
    for value in document.values() if isinstance(document, dict) else (document,):
        if isinstance(value, _Constant):
            raise ValueError(f"{value} is no JSON value")


def _kind(value: object) -> str:
    names = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        found = "an empty string" if value == "" else f"of type {_kind(value)}"
        raise BadField(f"`{name}` is {found}: send a non-empty string")
    return value


def _features(value: object) -> list[object] | dict[str, object]:
    if not isinstance(value, list | dict):
        raise BadField(f"`features` is of type {_kind(value)}: send an array of numbers, or an object")
    return value


def _model(value: object) -> str | None:
    return None if value is None else _text("model", value)


def _top_k(value: object) -> int:
    """A whole number from 1; more than the model has labels is all of them, more than MAX_TOP_K is an error."""
    if value is None:
        return TOP_K
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        value = int(value)
    if type(value) is not int or not 1 <= value <= MAX_TOP_K:
        raise BadField(f"`top_k` is {str(value)[:40]!r}: send a whole number from 1 to {MAX_TOP_K}")
    return value


def from_base64(text: str) -> bytes:
    """Decode base64 in either alphabet, with or without padding, line breaks or a `data:` prefix. Raises BadField."""
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise BadField("`image` is a data: address without ;base64: send base64")
    if found := base64_c.decode(text):
        return found
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError as error:
        raise BadField(f"`image` is not base64 ({str(error)[:80]}): encode the bytes of the image") from error
    if not data:
        raise BadField("`image` has no bytes: encode the bytes of the image")
    return data
