"""Two classifiers of wines from thirteen chemical measurements: one by XGBoost, one by scikit-learn.

    python -m model.examples.wine [FOLDER]      # writes FOLDER/wine-xgboost and FOLDER/wine-scikit-learn

Needs the extras `xgboost` and `scikit-learn`. The data come with scikit-learn: S. Aeberhard and M. Forina, Wine,
UCI Machine Learning Repository, doi.org/10.24432/C5PC7J, CC BY 4.0.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.stats.proportion import wilson
from model.manifest_writer import write_manifest

LABELS = ("cultivar 1", "cultivar 2", "cultivar 3")
HELD_BACK = 36
SAMPLES = 12
SEED = 1
OPSET = 17  # ONNX Runtime has it since 1.12
LICENCE = "Apache-2.0; trained on Wine (Aeberhard and Forina, UCI), CC BY 4.0"


@dataclass(frozen=True, slots=True)
class Wines:
    """Measurements, [N, 13], with cultivars 0 to 2; the last HELD_BACK are not trained on."""

    names: tuple[str, ...]
    values: np.ndarray[Any, np.dtype[np.float64]]
    cultivars: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def training(self) -> tuple[Any, Any]:
        return self.values[:-HELD_BACK], self.cultivars[:-HELD_BACK]

    @property
    def held_back(self) -> tuple[Any, Any]:
        return self.values[-HELD_BACK:], self.cultivars[-HELD_BACK:]


@dataclass(frozen=True, slots=True)
class Made:
    """A trained model's file and what it says of the wines held back."""

    name: str
    title: str
    file: str
    content: bytes
    runtime: str
    right: int


def read_wines() -> Wines:
    """The data in an order that the seed decides."""
    from sklearn.datasets import load_wine

    found = load_wine()
    order = np.random.default_rng(SEED).permutation(len(found.target))
    return Wines(tuple(found.feature_names), found.data[order], found.target[order])


def train_xgboost(wines: Wines) -> Made:
    """Twenty rounds of shallow trees; the file is XGBoost's own binary JSON."""
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=20, max_depth=2, n_jobs=1, random_state=SEED).fit(*wines.training)
    booster = model.get_booster()
    booster.feature_names = list(wines.names)  # the function refuses a manifest with others
    right = int((model.predict(wines.held_back[0]) == wines.held_back[1]).sum())
    content = bytes(booster.save_raw(raw_format="ubj"))
    return Made("wine-xgboost", "Wines by XGBoost", "wine.ubj", content, "xgboost", right)


def train_scikit_learn(wines: Wines) -> Made:
    """Scaling and logistic regression, exported to ONNX: no pickle, and no scikit-learn in the function."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*wines.training)
    right = int((model.predict(wines.held_back[0]) == wines.held_back[1]).sum())
    exported = to_onnx(model, wines.values[:1].astype(np.float32), options={"zipmap": False}, target_opset=OPSET)
    content: bytes = exported.SerializeToString()
    return Made("wine-scikit-learn", "Wines by scikit-learn", "wine.onnx", content, "onnxruntime", right)


def write(made: Made, wines: Wines, folder: Path) -> Path:
    """Write a model folder with its manifest and some of the wines held back as requests."""
    out = folder / made.name
    (out / "samples").mkdir(parents=True, exist_ok=True)
    (out / made.file).write_bytes(made.content)
    write_manifest(manifest(made, wines), out / "manifest.json")
    for number, values in enumerate(wines.held_back[0][:SAMPLES], start=1):
        request = {"features": dict(zip(wines.names, values.tolist(), strict=True))}
        (out / "samples" / f"wine-{number:02}.json").write_text(json.dumps(request, indent=1) + "\n", "utf-8")
    return out


def manifest(made: Made, wines: Wines) -> dict[str, object]:
    """What the core's loader needs. XGBoost takes missing values, logistic regression does not."""
    found = wilson(made.right, HELD_BACK)
    variant = {
        "name": "float32",
        "file": made.file,
        "sha256": hashlib.sha256(made.content).hexdigest(),
        "bytes": len(made.content),
        "input_dtype": "float32",
        "preprocessing": "raw",
        "runtimes": [made.runtime],
    }
    return {
        "schema": 1,
        "name": made.name,
        "version": "1.0.0",
        "title": made.title,
        "labels": list(LABELS),
        "input": {"features": list(wines.names), "missing": "allow" if made.runtime == "xgboost" else "refuse"},
        "output": "probabilities",
        "variants": [variant],
        "validation": {
            "wines": found.n,
            "accuracy": round(found.value, 4),
            "lo": round(found.lo, 4),
            "hi": round(found.hi, 4),
            "interval": "Wilson 95 %",
        },
        "training": {"command": "python -m model.examples.wine", "wines": len(wines.values) - HELD_BACK},
        "licence": LICENCE,
    }


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    wines = read_wines()
    for made in (train_xgboost(wines), train_scikit_learn(wines)):
        print(f"{write(made, wines, folder)}: {made.right} of {HELD_BACK} right, {len(made.content)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
