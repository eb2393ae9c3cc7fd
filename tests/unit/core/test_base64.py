"""Base64 by OpenSSL: the same bytes as from the standard library, or nothing."""

from __future__ import annotations

import base64
import binascii
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import base64_c
from core.payload import from_base64

needs_openssl = pytest.mark.skipif(
    base64_c._decoder() is None, reason="this Python's hashing is not OpenSSL's: binascii decodes everything"
)


@needs_openssl
def test_every_length_of_bytes_comes_back() -> None:
    dice = random.Random(5)
    for size in [*range(1, 200), 100_000]:
        data = dice.randbytes(size)
        assert base64_c.decode(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAA", "A===", "====", "AAAA====", "AA=A", "=AAA", "AAA=AAAA", "AA==AAAA", "AAAA\n", "\nAAA", "AAA ",
     "AA A", "AA-A", "AA_A", "AAAA----", "éAAA", "\0AAA", "AAA\ud800"],
)  # fmt: skip
def test_whatever_is_not_plain_base64_is_left_to_the_standard_library(text: str) -> None:
    assert base64_c.decode(text) is None


@given(st.text(alphabet="ABCxyz019+/=-_ \n", min_size=1, max_size=24))
def test_what_is_decoded_is_what_the_standard_library_makes_of_it_strictly(text: str) -> None:
    found = base64_c.decode(text)
    if found is not None:
        assert found == binascii.a2b_base64(text, strict_mode=True)


def test_without_openssl_the_standard_library_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64_c, "_decoder", lambda: None)
    assert base64_c.decode("aGVsbG8=") is None
    assert from_base64("aGVsbG8=") == b"hello"
