"""The kinds of TFLite file that a model is converted to, and which runtimes each is for."""

from __future__ import annotations

from dataclasses import dataclass

# Raw bytes 0..255 are the quantised input: -1..1 in 255 steps, zero at 127.
RAW_SCALE, RAW_ZERO_POINT = 1 / 127.5, 127


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of variant. `quantised`: it computes in int8 and is calibrated on photographs."""

    name: str
    about: str
    runtimes: tuple[str, ...]
    quantised: bool = False


# In the order in which a manifest lists them: `core.runtime.choose` takes the first that suits. tflite-runtime 2.14
# runs quantised files without XNNPACK, at 4 to 13 times the time of float32, and does not open every one of them.
_ANY = ("tflite-runtime", "litert", "litert-direct")
KINDS = {
    kind.name: kind
    for kind in (
        Kind("int8", "weights and arithmetic in int8, per channel", ("litert-direct", "litert"), quantised=True),
        Kind("float16", "weights in float16, arithmetic in float32", _ANY),
        Kind("float32", "as it was trained", _ANY),
        Kind("dynamic", "weights in int8, activations quantised as they come", ("litert", "litert-direct")),
        Kind("weight-only", "weights in int8, arithmetic in float32", ("litert", "litert-direct")),
    )
}
INPUTS = ("auto", "uint8", "float")


def takes_bytes(kind: str, asked: str) -> bool:
    """Whether the variant takes the photograph's bytes as they are: `auto` lets int8 do so, and no other."""
    return asked == "uint8" or (asked == "auto" and KINDS[kind].quantised)
