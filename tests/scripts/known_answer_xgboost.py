"""Makes the tiny XGBoost models of the tests by hand, and `core/known_answer_xgboost.json`.

python -m tests.scripts.known_answer_xgboost      writes core/known_answer_xgboost.json

The form follows xgboost.readthedocs.io, "Introduction to Model IO" (JSON schema of release 3, as of 2026-11-21).
"""

from __future__ import annotations

import json
import math
from typing import Any

from tests.paths import ROOT

FILE = ROOT / "core" / "known_answer_xgboost.json"
_NO_PARENT = 2147483647


def stump(*, low: float = 0.2, high: float = 0.75, **changes: Any) -> bytes:
    """One feature: below 0.5, or missing, the second class has the probability `low`, else `high`."""
    return json.dumps(document([_tree(_logit(low), _logit(high))], **changes), separators=(",", ":")).encode()


def document(
    trees: list[dict[str, Any]],
    *,
    objective: str = "binary:logistic",
    features: int = 1,
    names: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    attributes: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A model of these trees, one for each round."""
    rounds = list(range(len(trees) + 1))
    numbered = [{**tree, "id": number} for number, tree in enumerate(trees)]
    model = {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": rounds,
        "tree_info": [0] * len(trees),
        "trees": numbered,
    }
    learner = {
        "attributes": attributes or {},
        "feature_names": list(names),
        "feature_types": list(types),
        "gradient_booster": {"name": "gbtree", "model": model},
        "learner_model_param": {
            "base_score": "5E-1",
            "boost_from_average": "0",
            "num_class": "0",
            "num_feature": str(features),
            "num_target": "1",
        },
        "objective": {"name": objective, "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return {"learner": learner, "version": [3, 0, 0]}


def _tree(low: float, high: float) -> dict[str, Any]:
    """Split at 0.5; where the value is missing, go low."""
    nothing: dict[str, list[int]] = {
        name: [] for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    }
    return {
        **nothing,
        "base_weights": [0.0, low, high],
        "default_left": [1, 0, 0],
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "loss_changes": [1.0, 0.0, 0.0],
        "parents": [_NO_PARENT, 0, 0],
        "split_conditions": [0.5, low, high],
        "split_indices": [0, 0, 0],
        "split_type": [0, 0, 0],
        "sum_hessian": [1.0, 0.5, 0.5],
        "tree_param": {"num_deleted": "0", "num_feature": "1", "num_nodes": "3", "size_leaf_vector": "1"},
    }


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


if __name__ == "__main__":
    FILE.write_bytes(stump())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
