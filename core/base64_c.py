"""Decode base64 with OpenSSL, which hashing has loaded already, in a quarter of the time of `binascii`.

Lambda's front doors send photographs in base64, so this is billed time: docs/performance.md.
Only plain base64 is decoded here; whatever else there is to be said of a text, `binascii` says.
Source: docs.openssl.org/3.0/man3/EVP_EncodeInit, EVP_DecodeBlock, as of 2026-11-25.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Decoder = Callable[[ctypes.Array[ctypes.c_char], bytes, int], int]

_KNOWN_TEXT, _KNOWN_BYTES = "+/8AZg==", b"\xfb\xff\x00f"
_LONGEST = 2**30  # lengths are C integers


def decode(text: str) -> bytes | None:
    """The bytes of base64 in the standard alphabet, padded, without line breaks; None for any other text.

    None, too, where Python was built with another library for hashing.
    """
    decoder = _decoder()
    return None if decoder is None else _decoded(decoder, text)


def _decoded(decoder: Decoder, text: str) -> bytes | None:
    size, padding = len(text), text[-2:].count("=")
    if not 0 < size < _LONGEST or size % 4 or not text.isascii() or text.find("=", 0, size - padding) >= 0:
        return None  # OpenSSL takes "=" anywhere for zeros
    buffer = ctypes.create_string_buffer(size // 4 * 3)
    written = decoder(buffer, text.encode(), size)  # -1 for a wrong letter, less than whole for spaces at an end
    return ctypes.string_at(buffer, written - padding) if written == size // 4 * 3 else None


@lru_cache(maxsize=1)
def _decoder() -> Decoder | None:
    """OpenSSL's function, once a known answer came out right."""
    try:
        import _hashlib

        found = ctypes.CDLL(_hashlib.__file__).EVP_DecodeBlock
    except (ImportError, OSError, AttributeError):
        return None
    found.argtypes, found.restype = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int), ctypes.c_int
    return found if _decoded(found, _KNOWN_TEXT) == _KNOWN_BYTES else None
