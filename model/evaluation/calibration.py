"""The expected calibration error: how far a model's confidence is from its accuracy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
RESAMPLES = 1000
_SEED = 20261121
_NEEDED = 50


def expected_calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS
) -> float:
    """Mean distance between confidence and accuracy over `bins` bins of equally many answers, 0..1.

    Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015;
    bins of equal mass, as Nixon et al., "Measuring calibration in deep learning", 2019, advise for small samples.
    """
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(float(confidence[part].mean()) - float(right[part].mean())) * part.size
        for part in np.array_split(order, bins)
        if part.size
    ]
    return sum(gaps) / confidence.size


def calibration(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Estimate:
    """The error with a bootstrap interval over photographs, or the reason why there is none.

    The interval is the basic one, which mirrors the resamples at the value: resampling adds to an error that
    is a sum of distances, and mirroring takes that off again.
    """
    n = int(confidence.size)
    if n < _NEEDED:
        return Estimate(n=n, reason=f"not estimable (n={n}, needs {_NEEDED})")
    value = expected_calibration_error(confidence, right)
    generator = np.random.default_rng(_SEED)
    drawn = generator.integers(0, n, (RESAMPLES, n))
    errors = [expected_calibration_error(confidence[each], right[each]) for each in drawn]
    low, high = np.quantile(errors, (0.025, 0.975))
    lo, hi = max(0.0, 2 * value - float(high)), max(0.0, 2 * value - float(low))
    return Estimate(n=n, value=value, lo=min(lo, value), hi=max(hi, value))


def confidences(scores: NDArray[np.float64], *, logits: bool) -> NDArray[np.float64]:
    """The best class's probability, of scores [N, classes]."""
    if not logits:
        best: NDArray[np.float64] = scores.max(axis=1)
        return best
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    share: NDArray[np.float64] = powers.max(axis=1) / powers.sum(axis=1)
    return share
