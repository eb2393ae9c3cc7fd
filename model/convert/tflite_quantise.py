"""Quantise a float32 TFLite file with ai-edge-quantizer, which needs no TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.errors import ConvertError, ToolMissing, first_lines
from model.convert.quiet import silence

if TYPE_CHECKING:
    from numpy.typing import NDArray


def import_quantizer() -> Any:
    """Return the package. Raises ToolMissing naming the extra."""
    try:
        with silence():
            import ai_edge_quantizer
            import ai_edge_quantizer.recipe
    except ImportError as error:
        raise ToolMissing(
            "ai-edge-quantizer, which quantises .tflite files, is not installed: pip install 'tripoint[convert]'"
        ) from error
    return ai_edge_quantizer


def weights_only(content: bytes) -> bytes:
    """Weights in int8 per channel, turned back into floats when the model is opened."""
    return _quantised(content, lambda tool, of: of.load_quantization_recipe(tool.recipe.weight_only_wi8_afp32()))


def dynamic(content: bytes) -> bytes:
    """Weights in int8 per channel, activations quantised as they come."""
    return _quantised(content, lambda tool, of: of.load_quantization_recipe(tool.recipe.dynamic_wi8_afp32()))


def float16(content: bytes) -> bytes:
    """Weights in float16, turned back into float32 when the model is opened."""
    return _quantised(content, _cast_weights)


def int8(content: bytes, tensors: Sequence[NDArray[np.float32]]) -> bytes:
    """Everything in int8; `tensors`, float32 [1, height, width, 3] each, calibrate. Input and output are int8, too.

    The input's range is exactly that of the tensors.
    """
    ends = float(min(each.min() for each in tensors)), float(max(each.max() for each in tensors))

    def prepare(tool: Any, of: Any) -> Any:
        of.load_quantization_recipe(tool.recipe.static_wi8_ai8())
        signature, name = _entry(content)
        found = of.calibrate({signature: [{name: each} for each in tensors]})
        # The calibrator averages what it sees, by which the ends of the input's range would be lost.
        for key in _input_tensors(content):
            shape = np.shape(found[key]["min"])
            found[key] |= {
                side: np.full(shape, end, np.float32) for side, end in zip(("min", "max"), ends, strict=True)
            }
        return found

    return _quantised(content, prepare)


def _cast_weights(tool: Any, of: Any) -> None:
    kinds = tool.qtyping
    weights = kinds.TensorQuantizationConfig(num_bits=16, dtype=kinds.TensorDataType.FLOAT)
    how = kinds.OpQuantizationConfig(
        weight_tensor_config=weights, compute_precision=kinds.ComputePrecision.FLOAT, explicit_dequantize=True
    )
    of.update_quantization_recipe(
        regex=".*",
        operation_name=kinds.TFLOperationName.ALL_SUPPORTED,
        op_config=how,
        algorithm_key=tool.recipe.AlgorithmName.FLOAT_CASTING,
    )


def _quantised(content: bytes, prepare: Callable[[Any, Any], Any]) -> bytes:
    """`prepare` sets the recipe of the quantiser it gets, and returns what it was calibrated to, or None."""
    tool = import_quantizer()
    with tempfile.TemporaryDirectory(prefix="tripoint-quantise-") as folder:
        file = Path(folder) / "float32.tflite"
        file.write_bytes(content)
        try:
            with silence():
                of = tool.quantizer.Quantizer(str(file))
                return bytes(of.quantize(prepare(tool, of)).quantized_model)
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
            raise ConvertError(f"ai-edge-quantizer cannot convert this file ({first_lines(error)})") from error


def _entry(content: bytes) -> tuple[str, str]:
    """The signature, and the name of its image input."""
    from ai_edge_litert.interpreter import Interpreter

    signatures = Interpreter(model_content=content).get_signature_list()
    if not signatures:
        raise ConvertError(
            "this .tflite file has no signature, which the calibration of int8 needs: convert the Keras file, "
            "or leave int8 out of --to"
        )
    name, parts = next(iter(signatures.items()))
    return name, parts["inputs"][0]


def _input_tensors(content: bytes) -> list[str]:
    from ai_edge_litert.interpreter import Interpreter

    return [str(entry["name"]) for entry in Interpreter(model_content=content).get_input_details()]
