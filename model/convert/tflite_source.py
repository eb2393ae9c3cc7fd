"""Use a float .tflite file as the original, where there is no Keras file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert import tflite_quantise
from model.convert.errors import ConvertError, first_lines
from model.convert.float16 import unpack_float16
from model.convert.preprocessing import normalised
from model.convert.softmax import UnexpectedTail, float_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.convert.preprocessing import Preprocessing
    from model.convert.source_model import SourceModel


class TfliteOriginal:
    """A TFLite file of one float32 image in, float32 scores out. `tool` is what made it."""

    def __init__(self, content: bytes, name: str, *, tool: str) -> None:
        self._name, self.tool = name, tool
        self._content = unpack_float16(content, name)
        interpreter = self._interpreter()
        entry, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        shape = tuple(int(side) for side in entry["shape"])
        if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
            raise ConvertError(
                f"{name} takes {list(shape)}, expected [1, height, width, 3]: export it with a batch of 1"
            )
        if (entry["dtype"], answer["dtype"]) != (np.float32, np.float32):
            raise ConvertError(
                f"{name} takes {np.dtype(entry['dtype'])} and gives {np.dtype(answer['dtype'])}, expected float32: "
                "a quantised file has lost what a conversion starts from; give the float file"
            )
        self.side = shape[1], shape[2]

    def scores(self, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `source.SourceModel`."""
        interpreter = self._interpreter()
        entry, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        rows = []
        for tensor in tensors:
            interpreter.set_tensor(entry["index"], tensor[None])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(answer["index"]).ravel())
        return np.asarray(rows, np.float32)

    def to_tflite(self, kind: str, *, feeding: Preprocessing, photos: NDArray[np.uint8], takes_bytes: bool) -> bytes:
        """See `source.SourceModel`. Bytes are what int8 alone can take here: its input is int8, byte - 128."""
        if kind == "int8":
            return self._int8(feeding, photos)
        if takes_bytes:
            raise ConvertError(
                f"{self._name} takes floats, and {kind} from a .tflite file keeps its input: use --input float, or "
                "auto, or give the Keras file"
            )
        makers: dict[str, Callable[[bytes], bytes]] = {
            "float32": lambda content: content,
            "float16": tflite_quantise.float16,
            "dynamic": tflite_quantise.dynamic,
            "weight-only": tflite_quantise.weights_only,
        }
        return makers[kind](self._content)

    def _int8(self, feeding: Preprocessing, photos: NDArray[np.uint8]) -> bytes:
        ends = np.stack([np.zeros_like(photos[0]), np.full_like(photos[0], 255)])
        shown = [normalised(each, feeding.preprocessing)[None] for each in np.concatenate([ends, photos])]
        content = tflite_quantise.int8(self._content, shown)
        with contextlib.suppress(UnexpectedTail):
            content = float_softmax(content)
        return content

    def _interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            opened = Interpreter(model_content=self._content, num_threads=1)
            opened.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConvertError(f"{self._name} cannot be opened by ai-edge-litert ({first_lines(error)})") from error
        return opened


def _pin(one: TfliteOriginal) -> SourceModel:
    return one
