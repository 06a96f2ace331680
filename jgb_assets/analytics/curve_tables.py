"""Tables of what the mathematics makes of a history of yields, for dbt to read.

Belongs here: which rates, fits, sets of tenors and windows are computed. Not here: the mathematics itself.
"""

from datetime import date

import numpy as np
import pyarrow as pa

from jgb_assets.analytics.components import principal_components
from jgb_assets.analytics.nelson_siegel import fit_diebold_li, fit_svensson
from jgb_assets.analytics.panels import Floats
from jgb_assets.analytics.zero_curve import par_to_zero

# start and end in years
FORWARDS = {"5y5y": (5, 10), "10y10y": (10, 20), "20y10y": (20, 30), "30y10y": (30, 40)}
ZEROS = (10, 30)
# shortest and longest tenor in years
TENOR_SETS = {"1y_10y": (1, 10), "2y_30y": (2, 30), "all": (0, np.inf)}
# first session of a period; the full one begins where every tenor of its set has a yield
PERIODS = {"full": date.min, "since_1999": date(1999, 1, 1), "since_2013": date(2013, 1, 1)}
LAST_SESSIONS = 250  # about a year
# Processors sum in other orders: rates agree to 1e-9 between them, a Svensson parameter here and there to 1e-5 only.
RATE_DECIMALS, PARAMETER_DECIMALS = 6, 4

FITTED_COLUMNS = (
    *(f"forward_{name}_pct" for name in FORWARDS),
    *(f"zero_{years}y_pct" for years in ZEROS),
    *("dl_level_pct", "dl_slope_pct", "dl_curvature_pct", "dl_rmse_bp"),
    *("nss_beta0_pct", "nss_beta1_pct", "nss_beta2_pct", "nss_beta3_pct"),
    *("nss_tau1_years", "nss_tau2_years", "nss_rmse_bp"),
)
FITTED_SCHEMA = pa.schema(
    [pa.field("obs_date", pa.date32(), nullable=False), *(pa.field(name, pa.float64()) for name in FITTED_COLUMNS)]
)
COMPONENTS_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in {
            "tenor_set": pa.string(),
            "period": pa.string(),
            "component": pa.int16(),
            "tenor_years": pa.int16(),
            "loading": pa.float64(),
            "explained_pct": pa.float64(),
            "n_obs": pa.int32(),
            "first_date": pa.date32(),
            "last_date": pa.date32(),
        }.items()
    ]
)


def panel_of(yields: pa.Table) -> tuple[np.ndarray, Floats, Floats]:
    """Dates (day,), tenors (tenor,) and the panel (day, tenor) of rows of obs_date, tenor_years and yield_pct."""
    dates, days = np.unique(yields["obs_date"].to_numpy(), return_inverse=True)
    tenors, columns = np.unique(yields["tenor_years"].to_numpy(), return_inverse=True)
    panel = np.full((len(dates), len(tenors)), np.nan)
    panel[days, columns] = yields["yield_pct"].to_numpy()
    return dates, tenors.astype(float), panel


def fitted_curves(yields: pa.Table) -> pa.Table:
    """Zero and forward rates, Diebold-Li and Svensson fits: one row a day, null where a day lacks the tenors."""
    if not yields.num_rows:
        return FITTED_SCHEMA.empty_table()
    dates, tenors, panel = panel_of(yields)
    zeros = par_to_zero(tenors, panel)
    diebold_li, svensson = fit_diebold_li(tenors, panel), fit_svensson(tenors, panel)
    columns = [
        *(zeros.forward_between_pct(*years) for years in FORWARDS.values()),
        *(zeros.zero_at_pct(years) for years in ZEROS),
        *(*diebold_li.factors.T, diebold_li.rmse_bp),
        *(*svensson.factors.T, *svensson.taus_years.T, svensson.rmse_bp),
    ]
    rounded = [
        np.round(values, PARAMETER_DECIMALS if name.startswith("nss_") else RATE_DECIMALS)
        for name, values in zip(FITTED_COLUMNS, columns, strict=True)
    ]
    arrays = [pa.array(values, pa.float64(), from_pandas=True) for values in rounded]
    return pa.table([pa.array(dates, pa.date32()), *arrays], schema=FITTED_SCHEMA)


def curve_components(yields: pa.Table) -> pa.Table:
    """Principal components of the changes from session to session, by set of tenors and period.

    A window with fewer changes than tenors, or in which nothing moves, is left out.
    """
    tables = [COMPONENTS_SCHEMA.empty_table()]
    if yields.num_rows:
        dates, tenors, panel = panel_of(yields)
        changes_bp = 100 * np.diff(panel, axis=0)
        for tenor_set, (shortest, longest) in TENOR_SETS.items():
            members = (tenors >= shortest) & (tenors <= longest)
            usable = ~np.isnan(changes_bp[:, members]).any(axis=1)
            sessions, complete = dates[1:][usable], changes_bp[usable][:, members]
            starts = {name: int(np.searchsorted(sessions, np.datetime64(day))) for name, day in PERIODS.items()}
            starts[f"last_{LAST_SESSIONS}"] = max(0, len(sessions) - LAST_SESSIONS)
            tables += [
                _components(tenor_set, period, tenors[members], sessions[start:], complete[start:])
                for period, start in starts.items()
                if len(sessions) - start >= max(2, members.sum()) and np.ptp(complete[start:], axis=0).any()
            ]
    return pa.concat_tables(tables)


def _components(tenor_set: str, period: str, tenors: Floats, sessions: np.ndarray, changes_bp: Floats) -> pa.Table:
    found = principal_components(changes_bp)
    count = len(tenors)
    columns = {
        "component": np.repeat(np.arange(1, count + 1), count),
        "tenor_years": np.tile(tenors, count),
        "loading": np.round(found.loadings, RATE_DECIMALS).ravel(),
        "explained_pct": np.repeat(np.round(100 * found.explained, RATE_DECIMALS), count),
    }
    constants = {
        "tenor_set": tenor_set,
        "period": period,
        "n_obs": len(sessions),
        "first_date": sessions[0],
        "last_date": sessions[-1],
    }
    arrays = columns | {name: np.repeat(value, count**2) for name, value in constants.items()}
    casted = [pa.array(arrays[field.name]).cast(field.type) for field in COMPONENTS_SCHEMA]
    return pa.table(casted, schema=COMPONENTS_SCHEMA)
