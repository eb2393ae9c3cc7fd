"""Choose the weights to set to zero: the smallest of each layer, by magnitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.keras_source import import_tensorflow

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mask(kernel: NDArray[np.float32], sparsity: float) -> NDArray[np.float32]:
    """1 for what stays and 0 for the `sparsity` share of smallest magnitude. Raises ValueError outside 0..1.

    Source: Han, Pool, Tran, Dally, "Learning both weights and connections for efficient neural networks", 2015.
    """
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity {sparsity}: expected a share from 0 to below 1")
    gone = round(sparsity * kernel.size)
    kept = np.ones(kernel.size, np.float32)
    kept[np.argsort(np.abs(kernel), axis=None, kind="stable")[:gone]] = 0
    return kept.reshape(kernel.shape)


def masks(model: Any, sparsity: float) -> list[tuple[Any, NDArray[np.float32]]]:
    """Each kernel of the dense and pointwise kind with its mask; depthwise kernels are few and stay whole."""
    _, keras = import_tensorflow()
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    kernels = [layer.kernel for layer in model.layers if type(layer) in kinds]
    return [(kernel, mask(np.asarray(kernel), sparsity)) for kernel in kernels]
