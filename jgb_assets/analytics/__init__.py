"""Mathematics: numbers in, numbers out. No files, no Dagster, no source's vocabulary."""

from jgb_assets.analytics.components import PrincipalComponents, principal_components
from jgb_assets.analytics.nelson_siegel import FittedCurves, fit_diebold_li, fit_svensson
from jgb_assets.analytics.zero_curve import ZeroCurves, par_to_zero, zero_to_par

__all__ = [
    "FittedCurves",
    "PrincipalComponents",
    "ZeroCurves",
    "fit_diebold_li",
    "fit_svensson",
    "par_to_zero",
    "principal_components",
    "zero_to_par",
]
