"""How extreme a yield, its rise or its fall is so far. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

YIELD = "tenor_years::varchar as series, obs_date as at_date"


def model(dbt, session):
    """One row a value and question. A rise is ranked among rises, a fall among falls, over each number of sessions."""
    dbt.config(materialized="table")
    yields = dbt.ref("int_jgb_yields")
    moves = {name.removeprefix("change_").removesuffix("_bp"): name for name in yields.columns if name[:7] == "change_"}
    return records_by_series(
        yields,
        [
            f"'highest' as kind, {YIELD}, yield_pct as extreme",
            f"'largest_rise' as kind, {YIELD}, change_1d_bp as extreme",
            *(f"'rise_{s}' as kind, {YIELD}, case when {c} > 0 then {c} end as extreme" for s, c in moves.items()),
            *(f"'fall_{s}' as kind, {YIELD}, case when {c} < 0 then -{c} end as extreme" for s, c in moves.items()),
        ],
    )
