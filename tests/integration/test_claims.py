"""The article's claims: each figure computed again from the other datasets, and what becomes of a claim without its data.

On the bundle; that the other archive publishes the same is a test of ``test_figures``, which also looks from May.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from jgb_assets.settings import REPOSITORY
from tests.conftest import Run

SEEDS = REPOSITORY / "dbt_project" / "seeds"
MODELS = ("int_claims_of_yields", "int_claims_of_auctions", "int_claims_of_capital", "int_claims_of_policy")
SELL_OFF, MORNING_AFTER, HOLD = date(2026, 1, 20), date(2026, 1, 21), date(2026, 1, 23)
OF_SEEDS = {"policy_rate_0_75", "boj_dissent_for_1_pct"}  # decisions, which no source here brings


def read(of: Run, dataset: str, *key: str) -> pd.DataFrame:
    table = pd.read_parquet(of.current / f"{dataset}.parquet")
    return table.set_index(list(key)).sort_index() if key else table


@pytest.fixture(scope="module")
def claims(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "claims", "claim_id")


@pytest.fixture(scope="module")
def closes(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "jgb_yields", "obs_date", "tenor_years")["yield_pct"].unstack("tenor_years")


@pytest.fixture(scope="module")
def auctions(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "auction_tails", "instrument", "auction_date").loc["20y"]


def test_every_claim_of_the_seed_has_its_row_as_it_was_made(claims: pd.DataFrame) -> None:
    seed = pd.read_csv(SEEDS / "press_claims.csv").set_index("claim_id").sort_index()
    as_made = ["claim", "claimed_value", "unit", "measured_by"]
    pd.testing.assert_frame_equal(claims[as_made], seed[as_made], check_dtype=False)
    assert set(claims["measured_by"]) == set(MODELS)
    for name, basis in seed["claimed_basis"].items():
        assert claims.loc[name, "basis"].startswith(f"claimed: {basis}; measured: ")


def test_what_became_of_each_claim(claims: pd.DataFrame) -> None:
    verdicts = claims.reset_index().groupby("verdict")["claim_id"].agg(set).to_dict()
    assert verdicts == {
        "basis_differs": {
            *("jgb_40y_first_above_4_pct", "jgb_40y_peak", "jgb_10y_peak", "japan_treasuries_about_1_1_tn"),
        },
        "confirmed": {
            *("jgb_10y_highest_in_27_years", "jgb_30y_rise", "jgb_40y_rise", "sell_off_1d"),
            *("stress_receded_after_hold", "auction_20y_weak_cover", "japan_largest_holder", "capital_home_52w"),
            *("treasury_yield_about_4_pct", "treasury_pickup_unhedged", "differential_narrowing_10y"),
            *("differential_narrowing_30y", "policy_rate_0_75", "boj_dissent_for_1_pct"),
        },
        "contradicted": {
            *("sell_off_2d", "sell_off_3d", "sell_off_5d", "auction_20y_weak_tail", "auction_20y_worst_since_1987"),
            *("treasury_pickup_hedged", "capital_home_13w", "capital_home_tic"),
        },
        "not_measurable": {"policy_rate_highest_in_30_years", "budget_fy2026"},
    }


# --- yields --------------------------------------------------------------------------------------------------------


def simple_pct(coupon_pct: float, years: float, compound_pct: float) -> tuple[float, float]:
    """Price and Japanese simple yield of a bond at a compound yield, one payment after the other."""
    whole, stub = divmod(2 * years, 1)
    growth = 1 + compound_pct / 200
    worth = sum(coupon_pct / 2 / growth ** (n + stub) for n in range(int(whole) + 1)) + 100 / growth ** (whole + stub)
    price = worth - coupon_pct / 2 * (1 - stub)
    return price, 100 * (coupon_pct + (100 - price) / years) / price


def test_the_40_year_was_above_4_percent_as_the_market_quotes_it(claims: pd.DataFrame, closes: pd.DataFrame) -> None:
    forty = closes[40].dropna()
    assert (forty[:SELL_OFF].idxmax(), forty[:SELL_OFF].max()) == (SELL_OFF, 3.901)
    peak, first = claims.loc["jgb_40y_peak"], claims.loc["jgb_40y_first_above_4_pct"]
    assert (peak["measured_value"], peak["evidence_date"]) == (3.901, SELL_OFF)
    assert (first["measured_value"], first["evidence_date"]) == (4.006, date(2026, 5, 18))
    assert forty[forty > 4].index[0] == first["evidence_date"]
    # Issue 18, 3.1 %, 20 March 2065: 59 days and 39 years to run.
    price, simple = simple_pct(3.1, 39 + 59 / 365, 3.901)
    for note in (peak["note"], first["note"]):
        assert "3.901 % on 2026-01-20" in note
        assert "4.006 % on 2026-05-18" in note
        assert f"costs {price:.2f} yen: {simple:.2f} % as Japanese simple yield" in note
    assert simple > 4 > simple_pct(3.1, 39 + 60 / 365, forty[date(2026, 1, 19)])[1]


def test_every_simple_yield_is_that_of_the_bonds_price(from_bundle: Run) -> None:
    """Of the newest issue by then, whose payments are summed here again; terms within a day's convention."""
    path, config = from_bundle.data_dir / "warehouse.duckdb", {"file_search_path": str(from_bundle.data_dir)}
    with duckdb.connect(path, read_only=True, config=config) as connection:
        rows = connection.table("int_on_the_run_simple_yields").df().sample(400, random_state=1)
    auctions = read(from_bundle, "auction_tails").query("instrument in ('10y', '20y', '30y', '40y')")
    for row in rows.itertuples():
        day, matures = row.obs_date.date(), row.maturity_date.date()
        of_tenor = auctions[auctions["instrument"] == f"{row.tenor_years}y"].set_index("auction_date")
        newest = of_tenor[of_tenor.index <= day].iloc[-1]
        assert (newest["issue_number"], newest["coupon_pct"]) == (row.issue_number, row.coupon_pct)
        settled = max(day, newest["issue_date"])
        price, simple = simple_pct(row.coupon_pct, (matures - settled).days / 365.25, row.yield_pct)
        assert price == pytest.approx(row.price, abs=0.02), row
        assert simple == pytest.approx(row.simple_yield_pct, abs=0.005), row


def test_the_10_year_was_last_as_high_in_1999(claims: pd.DataFrame, closes: pd.DataFrame) -> None:
    ten = closes[10].dropna()
    earlier = ten[: date(2026, 1, 19)]
    since = earlier[earlier >= ten[SELL_OFF]].index[-1]
    assert (ten[SELL_OFF], since) == (2.33, date(1999, 2, 5))
    assert claims.loc["jgb_10y_peak", ["measured_value", "evidence_date"]].tolist() == [2.33, SELL_OFF]
    assert claims.loc["jgb_10y_highest_in_27_years", "measured_value"] == round((SELL_OFF - since).days / 365.25, 1)
    for name in ("jgb_10y_peak", "jgb_10y_highest_in_27_years"):
        assert "2.330 % on 2026-01-20" in claims.loc[name, "note"]
        assert "last as high on 1999-02-05" in claims.loc[name, "note"]


@pytest.mark.parametrize("sessions", [1, 2, 3, 5])
def test_the_sell_off_is_ranked_among_all_rises_so_far(
    claims: pd.DataFrame, closes: pd.DataFrame, sessions: int
) -> None:
    rises = (100 * closes.diff(sessions)).round(2).loc[:SELL_OFF, [10, 20, 30, 40]]
    rises = rises.where(rises > 0)
    largest = rises[date(2026, 1, 1) :].max()
    n = {tenor: rises.loc[: rises.loc[date(2026, 1, 1) :, tenor].idxmax(), tenor].count() for tenor in rises}
    rank = (rises > largest).sum() + 1
    row = claims.loc[f"sell_off_{sessions}d"]
    assert (row["measured_value"], row["evidence_date"]) == (rank[30], SELL_OFF)
    assert f"rose by {largest[30]:.1f} bp" in row["note"]
    assert f"rank {rank[30]:,} of {n[30]:,} rises since 1999-09-02" in row["note"]
    for tenor in (10, 20, 40):
        assert f"{tenor}-year {largest[tenor]:+.1f} bp, rank {rank[tenor]:,} of {n[tenor]:,}" in row["note"]
    if sessions == 2:
        for tenor in (30, 40):
            rise = claims.loc[f"jgb_{tenor}y_rise"]
            assert (rise["measured_value"], rise["evidence_date"]) == (largest[tenor], SELL_OFF)
            before = rises.loc[: date(2026, 1, 19), tenor]
            assert f"the last as large ended on {before[before >= largest[tenor]].index[-1]}" in rise["note"]
            assert "2025-04-09" in rise["note"]


def test_yields_fell_and_calmed_after_the_hold(claims: pd.DataFrame, closes: pd.DataFrame) -> None:
    thirty = closes[30].dropna()
    at = thirty.index.get_loc(HOLD)
    moves = (100 * thirty.diff()).abs().round(2)
    row = claims.loc["stress_receded_after_hold"]
    assert row["measured_value"] == round(100 * (thirty.iloc[at + 10] - thirty.iloc[at]), 2) == -7.2
    assert row["evidence_date"] == thirty.index[at + 10]
    after, before = moves.iloc[at + 1 : at + 11].max(), moves.iloc[at - 10 : at].max()
    assert f"after the hold was {after:.1f} bp, in the 10 sessions before it {before:.1f} bp" in row["note"]


# --- the auction ---------------------------------------------------------------------------------------------------


def test_the_record_tail_is_that_of_may_2025(claims: pd.DataFrame, auctions: pd.DataFrame) -> None:
    tails = (auctions["average_price"] - auctions["lowest_price"]).round(4)
    since_1988 = tails[date(1988, 1, 1) : SELL_OFF]
    row = claims.loc["auction_20y_worst_since_1987"]
    assert (row["measured_value"], row["evidence_date"]) == (since_1988.max(), since_1988.idxmax())
    assert (row["measured_value"], row["evidence_date"]) == (1.14, date(2025, 5, 20))
    assert tails[tails >= 1.14].index[0] == date(1987, 9, 1)
    assert "2025-05-20: 1.14 yen, last as long on 1987-09-01" in row["note"]
    assert "On 2026-01-20 the tail was 0.25 yen, 2.1 bp as published" in row["note"]
    assert "Rank 35 of 337 from the longest, in yen, last as long on 2025-11-19" in row["note"]
    assert "Rank 160 of 337 from the lowest, last as low on 2025-08-19" in row["note"]


def test_the_auction_drew_few_bids_and_had_no_long_tail(claims: pd.DataFrame, auctions: pd.DataFrame) -> None:
    cover = auctions["bids_jpy_bn"] / auctions["accepted_jpy_bn"]
    for name, series, worse in (
        ("auction_20y_weak_cover", cover, -1),
        ("auction_20y_weak_tail", auctions["tail_compound_bp"], 1),
    ):
        at = series.index.get_loc(SELL_OFF)
        measured, mean = series.iloc[at], series.iloc[at - 12 : at].mean()
        row = claims.loc[name]
        assert row["measured_value"] == pytest.approx(measured, abs=1e-9)
        assert (row["verdict"] == "confirmed") == (worse * (measured - mean) > 0)
        assert f"the mean of the 12 before is {mean:.2f}" in row["note"]


# --- capital and the policy rate -----------------------------------------------------------------------------------


def test_japan_was_the_largest_holder_and_held_more_than_was_said(from_bundle: Run, claims: pd.DataFrame) -> None:
    """By the vintage of March 2026, our first: November was the newest month that was out on 20 January."""
    vintages = read(from_bundle, "tic_holdings_vintages", "month_end_date").loc[date(2025, 11, 30)]
    countries = set(read(from_bundle, "tic_holdings").query("not is_aggregate")["holder"])
    first = vintages[vintages["holder"].isin(countries)].sort_values("seen_at").drop_duplicates("holder")
    first = first.set_index("holder")["position_usd_bn"].sort_values(ascending=False)
    assert first.index[0] == "Japan"
    row = claims.loc["japan_largest_holder"]
    assert (row["measured_value"], row["evidence_date"]) == (1, date(2025, 11, 30))
    row = claims.loc["japan_treasuries_about_1_1_tn"]
    assert (row["measured_value"], row["evidence_date"]) == (round(first["Japan"] / 1000, 4), date(2025, 11, 30))
    assert "In 2026-04, the newest month here: 1,209.9 usd bn" in row["note"]


def test_net_purchases_of_treasuries_since_january(from_bundle: Run, claims: pd.DataFrame) -> None:
    japan = read(from_bundle, "tic_holdings", "holder", "month_end_date").loc["Japan"]
    row = claims.loc["capital_home_tic"]
    assert row["measured_value"] == round(japan.loc[date(2026, 1, 1) :, "net_purchases_usd_bn"].sum(), 3)
    assert row["evidence_date"] == japan.index[-1]


@pytest.mark.parametrize("weeks", [13, 52])
def test_net_purchases_of_foreign_bonds_then_and_now(from_bundle: Run, claims: pd.DataFrame, weeks: int) -> None:
    flows = read(from_bundle, "securities_flows").query(
        "frequency == 'weekly' and direction == 'outward' and security_type == 'long_term_debt'"
    )
    flows = flows.set_index("period_end_date").sort_index()
    known = flows[flows["published_at"] <= pd.Timestamp(MORNING_AFTER).tz_localize("Asia/Tokyo") + pd.Timedelta("9.5h")]
    then, now = (some["net_jpy_bn"].iloc[-weeks:].sum() for some in (known, flows))
    row = claims.loc[f"capital_home_{weeks}w"]
    assert row["measured_value"] == pytest.approx(now)
    assert row["evidence_date"] == flows.index[-1]
    assert (row["verdict"] == "confirmed") == (now < then)
    for net, last in ((then, known.index[-1]), (now, flows.index[-1])):
        side = "sales" if net < 0 else "purchases"
        assert f"net {side} of {abs(net):,.1f} jpy bn in {weeks} weeks to {last}" in row["note"]


def test_spreads_and_pickups_on_the_morning_after(from_bundle: Run, claims: pd.DataFrame, closes: pd.DataFrame) -> None:
    """The evening's Treasury yields were out in the Tokyo morning, with the closes of the sell-off."""
    ust = read(from_bundle, "ust_yields", "obs_date", "tenor_months")["yield_pct"].unstack("tenor_months")
    treasury, spread = {}, {}
    last = closes.index[-1]
    for day, of_ust in ((SELL_OFF, SELL_OFF), (last, ust[:last].index[-1])):
        treasury[day] = ust.loc[of_ust]
        spread[day] = {tenor: 100 * (ust.loc[of_ust, 12 * tenor] - closes.loc[day, tenor]) for tenor in (10, 30)}
    measured = claims["measured_value"]
    assert measured["treasury_yield_about_4_pct"] == treasury[SELL_OFF][120] == 4.3
    assert measured["treasury_pickup_unhedged"] == pytest.approx(spread[SELL_OFF][10])
    hedge_cost_bp = 100 * (treasury[SELL_OFF][3] - 0.75)
    assert measured["treasury_pickup_hedged"] == pytest.approx(spread[SELL_OFF][10] - hedge_cost_bp)
    for tenor in (10, 30):
        assert measured[f"differential_narrowing_{tenor}y"] == pytest.approx(
            spread[last][tenor] - spread[SELL_OFF][tenor]
        )
        assert (
            f"{spread[SELL_OFF][tenor]:.1f} bp on {MORNING_AFTER}"
            in claims.loc[f"differential_narrowing_{tenor}y", "note"]
        )


def test_the_board_decided_and_a_member_dissented(claims: pd.DataFrame) -> None:
    assert claims.loc["policy_rate_0_75", ["measured_value", "evidence_date"]].tolist() == [0.75, date(2025, 12, 19)]
    dissent = claims.loc["boj_dissent_for_1_pct"]
    assert (dissent["measured_value"], dissent["evidence_date"]) == (1.0, HOLD)
    assert "by 8 to 1" in dissent["note"]
    assert "As reported" in dissent["note"]
    assert (
        "from 1995-12-22 on; the steps here begin on 2024-03-21"
        in claims.loc["policy_rate_highest_in_30_years", "note"]
    )


def test_no_decision_both_moved_and_held_the_rate() -> None:
    steps, holds = (
        pd.read_csv(SEEDS / f"policy_rate_{name}.csv", parse_dates=["decision_date"]) for name in ("steps", "holds")
    )
    assert not set(steps["decision_date"]) & set(holds["decision_date"])
    steps = steps.set_index("decision_date").sort_index()["target_high_pct"]
    for hold in holds.itertuples():
        assert steps[: hold.decision_date].iloc[-1] == hold.target_pct, hold
        assert hold.proposed_pct != hold.target_pct, hold


# --- without the data ----------------------------------------------------------------------------------------------

YIELDS = ("int_jgb_yields", "int_yield_records", "int_yield_moves", "int_move_records", "int_on_the_run_simple_yields")
INPUTS = {
    "yields": {*YIELDS, "repatriation"},
    "auctions": {"auction_tails", "int_on_the_run_simple_yields"},
    "holdings": {"int_tic_positions", "tic_holdings"},
    "flows": {"int_foreign_bond_sums"},
    "treasuries": {"repatriation"},
}
INPUTS["all"] = set().union(*INPUTS.values())
Measure = Callable[[], pd.DataFrame]


@pytest.fixture
def warehouse(from_bundle: Run, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the warehouse that may be changed: what the claims read is a table in it."""
    path = shutil.copy(from_bundle.data_dir / "warehouse.duckdb", tmp_path)
    with duckdb.connect(path, config={"file_search_path": str(from_bundle.data_dir)}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name in ("int_tic_positions", "int_foreign_bond_sums"):
            connection.execute(f"create table kept as from {name}")
            connection.execute(f"drop view {name}")
            connection.execute(f"alter table kept rename to {name}")
        yield connection


def measured(warehouse: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    rows = pd.concat(warehouse.table(name).df() for name in MODELS).set_index("claim_id").sort_index()
    assert rows.index.is_unique
    assert rows[["verdict", "basis", "note"]].notna().all(axis=None)
    lacking = rows["verdict"] == "not_measurable"
    for sign in (rows["measured_value"].isna(), rows["evidence_date"].isna(), rows["note"].str.startswith("Needed: ")):
        assert sign.equals(lacking), rows[sign != lacking]
    return rows


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ("yields", r"jgb_.*|sell_off_.*|stress_.*|treasury_.*|differential_.*"),
        ("auctions", r"auction_.*|jgb_40y_first_.*|jgb_40y_peak"),
        ("holdings", r"japan_.*|capital_home_tic"),
        ("flows", r"capital_home_\d+w"),
        ("treasuries", r"treasury_.*|differential_.*"),
        ("all", rf"(?!{'|'.join(sorted(OF_SEEDS))}).*"),
    ],
)
def test_a_missing_source_leaves_its_claims_not_measurable_and_the_others_as_they_are(
    warehouse: duckdb.DuckDBPyConnection, claims: pd.DataFrame, missing: str, lost: str
) -> None:
    for name in INPUTS[missing]:
        warehouse.execute(f"truncate {name}")
    rows = measured(warehouse)
    assert rows.index.equals(claims.index)
    never = claims.index[claims["verdict"] == "not_measurable"]
    gone = {name for name in rows.index if re.fullmatch(lost, name)} | set(never)
    assert set(rows.index[rows["verdict"] == "not_measurable"]) == gone
    pd.testing.assert_series_equal(
        rows.loc[~rows.index.isin(gone), "verdict"], claims.loc[~claims.index.isin(gone), "verdict"]
    )


@pytest.mark.parametrize(
    ("last", "measurable"), [(date(2026, 1, 19), False), (SELL_OFF, True), (date(2026, 2, 5), True)]
)
def test_a_claim_is_measurable_from_the_day_of_which_it_speaks(
    warehouse: duckdb.DuckDBPyConnection, claims: pd.DataFrame, last: date, measurable: bool
) -> None:
    """Ranks and since-dates look back only: what is cut off later does not change them, but for what came to pass."""
    days = dict.fromkeys(YIELDS, "obs_date") | {"int_yield_records": "at_date", "int_move_records": "at_date"}
    for name, day in days.items():
        warehouse.table(name).filter(f"{day} <= '{last}'").create("kept")
        warehouse.execute(f"drop table {name}")
        warehouse.execute(f"alter table kept rename to {name}")
    rows = measured(warehouse)
    of_sell_off = rows.index[rows.index.str.match(r"jgb_|sell_off_")]
    if not measurable:
        assert set(rows.loc[of_sell_off, "verdict"]) == {"not_measurable"}
        assert rows.loc["jgb_10y_peak", "note"].endswith("to 2026-01-19.")
        return
    pd.testing.assert_series_equal(rows.loc[of_sell_off, "verdict"], claims.loc[of_sell_off, "verdict"])
    first = rows.loc["jgb_40y_first_above_4_pct"]
    assert (first["measured_value"], first["evidence_date"].date()) == (3.901, SELL_OFF)
    assert f"No close was above 4 % by {last}" in first["note"]
    assert rows.loc["stress_receded_after_hold", "verdict"] == "not_measurable"  # one session short, too


def test_another_figure_is_another_verdict(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Nothing is written into the measurement: the day's figures changed, each verdict of the day turns."""
    warehouse.execute("update int_jgb_yields set yield_pct = yield_pct + 0.2 where obs_date = ?", [SELL_OFF])
    warehouse.execute("update int_on_the_run_simple_yields set simple_yield_pct = simple_yield_pct + 0.2")
    warehouse.execute(
        "update auction_tails set tail_price = 1.17 where instrument = '20y' and auction_date = ?", [SELL_OFF]
    )
    warehouse.execute("update int_tic_positions set position_usd_bn = 1100 where month_end_date = '2025-11-30'")
    warehouse.execute("update repatriation set spread_10y_bp = -1 where obs_date = ?", [MORNING_AFTER])
    rows = measured(warehouse)
    first = rows.loc["jgb_40y_first_above_4_pct"]
    assert (first["verdict"], round(first["measured_value"], 3)) == ("confirmed", 4.101)
    assert rows.loc["jgb_10y_peak", "verdict"] == "contradicted"
    worst = rows.loc["auction_20y_worst_since_1987"]
    assert (worst["verdict"], worst["measured_value"], worst["evidence_date"].date()) == ("confirmed", 1.17, SELL_OFF)
    assert rows.loc["treasury_pickup_unhedged", "verdict"] == "contradicted"
    assert rows.loc["differential_narrowing_10y", "verdict"] == "contradicted"
    assert "rank 1 of" in rows.loc["japan_largest_holder", "note"]  # all equal
    assert np.isclose(rows.loc["differential_narrowing_10y", "measured_value"], 170.0)
