"""Principal components of daily changes: what kinds of move a curve makes.

Belongs here: the decomposition and its signs. Not here: windows and sets of tenors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jgb_assets.analytics.panels import Floats


@dataclass(frozen=True)
class PrincipalComponents:
    """Components in order of the variance that they explain.

    Attributes:
        explained: (component,) shares of the variance; they sum to 1.
        loadings: (component, tenor) orthonormal rows.
        scores: (day, component) bp: changes less their mean, times the loadings. NaN on days that took no part.
    """

    explained: Floats
    loadings: Floats
    scores: Floats


def principal_components(changes_bp: ArrayLike) -> PrincipalComponents:
    """Eigenvectors of the covariance of daily changes (Litterman and Scheinkman, 1991).

    Signs are fixed: the first component's loadings sum to more than 0 (level: yields rise); the second's last is above
    its first (slope: steeper); the third's middle is above the mean of its ends (curvature: the belly cheapens); of
    any other the largest loading is positive.

    Args:
        changes_bp: (day, tenor) ascending tenors; a day with a NaN takes no part.

    Raises:
        ValueError: if fewer days than tenors, or than two, take part, if nothing moves, or if a change is infinite.
    """
    changes = np.asarray(changes_bp, float)
    if changes.ndim != 2 or np.isinf(changes).any():
        raise ValueError(f"changes must be finite or NaN, as (day, tenor): {changes.shape}")
    takes_part = ~np.isnan(changes).any(axis=1)
    days, tenors = int(takes_part.sum()), changes.shape[1]
    if days < max(2, tenors):
        raise ValueError(f"{days} days with every one of {tenors} tenors are too few")
    centred = changes - changes[takes_part].mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov(centred[takes_part], rowvar=False).reshape(tenors, tenors))
    variances, loadings = np.maximum(variances[::-1], 0), vectors.T[::-1]
    if not variances.any():
        raise ValueError("changes that are all the same have no components")
    signed = loadings * np.array([[_sign(number, row)] for number, row in enumerate(loadings)])
    return PrincipalComponents(variances / variances.sum(), signed, centred @ signed.T)


def _sign(number: int, loading: Floats) -> float:
    if number == 0:
        kept = loading.sum()
    elif number == 1:
        kept = loading[-1] - loading[0]
    elif number == 2:
        kept = loading[len(loading) // 2] - (loading[0] + loading[-1]) / 2
    else:
        kept = loading[np.abs(loading).argmax()]
    return -1.0 if kept < 0 else 1.0
