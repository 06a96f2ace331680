"""Auctions through the whole pipeline: what every published yield is made of, how bad it was, and today's pages."""

import dataclasses
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from jgb_assets.landing.transport import INSTANT
from tests.conftest import Run, run
from tests.unit import auction_pages as pages

# Invented, but consistent: the last real auctions here are of June 2026.
TEN = pages.auction(
    "10y 2026-07-02 383 2026-07-03 2036-06-20 2.6 60134 19623 99.02 2.725 11.2000 99.07 2.718 1.5 6133 -"
)
THIRTY = pages.auction(
    "30y 2026-07-07 91 2026-07-08 2056-06-20 3.9 20134 5123 97.65 4.074 41.2000 97.94 4.052 - 1633 250"
)
BILL, LIQUIDITY = pages.AUCTIONS["tbill 2024-06-28"], date(2021, 1, 15)
KNOWN = pages.AUCTIONS["20y 2026-06-25"]
CONTRADICTED = dataclasses.replace(pages.AUCTIONS["2y 2026-06-30"], bids="103745")


def tails(of: Run) -> pd.DataFrame:
    return pd.read_parquet(of.current / "auction_tails.parquet").set_index(["instrument", "auction_date"]).sort_index()


def yields(of: Run) -> pd.DataFrame:
    with duckdb.connect(of.data_dir / "warehouse.duckdb", read_only=True) as connection:
        return connection.table("int_auction_yields").df()


def keep(archive: Path, day: date, hour: int, url: str, body: bytes) -> None:
    instant = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    path = archive / instant.strftime(INSTANT) / url.removeprefix("https://")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


@pytest.fixture(scope="module")
def with_pages(from_bundle: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The packaged archive, and after it pages: in English, in Japanese, and one that the workbook knows already."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(from_bundle.data_dir, folder / "data", symlinks=True)
    keep(folder / "archive", TEN.day, 4, pages.url_ja(TEN), pages.japanese(TEN).render())
    keep(folder / "archive", THIRTY.day, 4, pages.url_en(THIRTY), pages.english(THIRTY).render())
    keep(folder / "archive", THIRTY.day, 4, pages.url_en(KNOWN), pages.english(KNOWN).render())
    keep(folder / "archive", THIRTY.day, 7, pages.url_ja(THIRTY, "a"), pages.afternoon(THIRTY).render())
    keep(folder / "archive", THIRTY.day, 4, pages.url_en(BILL), pages.english(BILL).render())
    liquidity = pages.url_ja(TEN).replace(f"{TEN.day:%Y%m%d}", f"{LIQUIDITY:%Y%m%d}")
    keep(folder / "archive", THIRTY.day, 4, liquidity, pages.liquidity_ja())
    return run(folder / "data", "refresh_auctions", archive_dir=folder / "archive", include_unverified="true")


# --- every yield ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "since", "figures"),
    [
        ("5y", "2000-02-01", 634),
        ("2y", "1999-01-28", 660),
        ("10y", "2006-04-04", 486),
        ("10y", "1989-04-05", 894),
        ("20y", "1997-07-08", 606),
        ("20y", "1987-09-01", 684),
        ("30y", "2007-04-17", 398),
        ("30y", "1999-09-02", 423),
        ("10y_inflation", "2008-02-07", 57),
        ("6y", "1994-02-15", 84),
        ("4y", "1980-06-02", 136),
        ("3y_discount", "2000-11-09", 26),
        ("tbill", "2008-01-01", 30),
    ],
)
def test_published_yields_are_reproduced(from_bundle: Run, instrument: str, since: str, figures: int) -> None:
    rows = yields(from_bundle).query("instrument == @instrument and auction_date >= @since", local_dict=locals())
    agree = pd.concat([rows["average_agrees"], rows["lowest_agrees"]]).dropna()
    assert len(agree) == figures
    assert agree.all()


def test_what_is_not_reproduced_is_listed_and_nothing_else_is(from_bundle: Run) -> None:
    rows = yields(from_bundle)
    off = {
        (row.instrument, str(row.auction_date.date()), side)
        for side in ("average", "lowest")
        for row in rows[rows[f"{side}_agrees"].eq(False)].itertuples()
    }
    assert off == {
        ("40y", "2022-07-26", "lowest"),
        ("tbill", "1996-12-05", "average"),
        ("tbill", "1996-12-05", "lowest"),
        ("tbill", "2002-08-15", "lowest"),
    }
    unknown = rows[rows["lowest_agrees"].isna()]
    assert set(unknown["instrument"]) == {"15y_floating"}


# --- how bad it was ---------------------------------------------------------------------------------------------

GOLDEN = """\
20y 1987-09-01 13.6 10.406 5.8627 5.9667
2y 2019-08-29 0.2 0.198 -0.3134 -0.3115
30y 2022-02-03 0.0 0.038 0.7804 0.7808
10y 2023-03-02 0.0 0.000 0.5000 0.5000
30y 2023-12-07 5.8 5.045 1.6486 1.6991
20y 2025-05-20 8.7 7.369 2.4453 2.5190
20y 2025-11-19 2.4 2.067 2.7916 2.8123
20y 2026-01-20 2.1 1.724 3.2444 3.2617
10y 2026-06-02 0.7 0.589 2.6257 2.6316
20y 2026-06-25 2.2 1.717 3.5171 3.5343
2y 2026-06-30 0.3 0.254 1.4076 1.4102
"""


@pytest.mark.parametrize("line", GOLDEN.splitlines())
def test_tails_in_both_conventions(from_bundle: Run, line: str) -> None:
    instrument, day, *figures = line.split()
    row = tails(from_bundle).loc[(instrument, date.fromisoformat(day))]
    published, *compound = map(float, figures)
    assert row["tail_yield_bp"] == published
    found = row[["tail_compound_bp", "average_compound_pct", "highest_compound_pct"]].tolist()
    assert found == [
        pytest.approx(figure, abs=room) for figure, room in zip(compound, (5.1e-4, 5.1e-5, 5.1e-5), strict=True)
    ]


def test_the_weak_auctions_of_the_20_year_among_their_like(from_bundle: Run) -> None:
    twenty = tails(from_bundle).loc["20y"]
    may, january = twenty.loc[date(2025, 5, 20)], twenty.loc[date(2026, 1, 20)]
    assert (may["tail_rank"], may["tail_n"], may["bid_to_cover_rank"]) == (2, 329, 57)
    assert (january["tail_rank"], january["tail_n"], january["bid_to_cover_rank"]) == (35, 337, 160)
    assert round(january["bid_to_cover_prior12_mean"], 3) == 3.337
    assert round(january["bid_to_cover_prior6_mean"], 3) == 3.528
    before = twenty.loc[: date(2026, 1, 19)]
    assert january["tail_prior12_mean_bp"] == pytest.approx(before["tail_yield_bp"][-12:].mean(), abs=1e-6)
    assert january["tail_compound_prior6_mean_bp"] == pytest.approx(before["tail_compound_bp"][-6:].mean(), abs=1e-6)
    past = before["tail_price"][-12:]
    spread = 1.4826 * (past - past.median()).abs().median()
    assert january["tail_prior12_z"] == pytest.approx((0.25 - past.median()) / spread, abs=1e-4)
    assert round(january["bids_to_offered"], 3) == 2.425
    assert (may["is_reopening"], january["is_reopening"]) == (True, False)


def test_odd_auctions_that_are_true_survive(from_bundle: Run) -> None:
    """All bids accepted below the offer; the same price for all; notes without a yield; a cover beyond belief."""
    rows = tails(from_bundle)
    syndicate = rows.loc[("10y", date(2002, 9, 20))]
    assert (syndicate["bid_to_cover"], syndicate["tail_price"], syndicate["tail_yield_bp"]) == (1.0, 0.53, 5.9)
    assert (syndicate["bids_jpy_bn"], syndicate["offered_jpy_bn"]) == (1185.2, 1800.0)
    flat = rows.loc[("2y", date(2005, 6, 28))]
    assert (round(flat["bid_to_cover"], 4), flat["tail_price"], flat["non_price_2_jpy_bn"]) == (268.4858, 0, 0)
    floating = rows.loc[("15y_floating", date(2008, 5, 21))]
    assert (floating["tail_price"], floating["yield_convention"]) == (0.22, "none")
    assert floating[["tail_yield_bp", "tail_compound_bp", "concession_bp"]].isna().all()
    negative = rows.loc[("2y", date(2019, 8, 29))]
    assert (negative["highest_yield_pct"], round(negative["highest_compound_pct"], 4)) == (-0.309, -0.3115)
    assert rows.index.is_unique


def test_the_40_year_has_a_clearing_gap_and_no_tail(from_bundle: Run) -> None:
    forty = tails(from_bundle).loc["40y"]
    published = {
        "2007-11-06": -0.4, "2008-05-13": 2.2, "2025-05-28": 2.8, "2025-07-23": -0.4, "2025-09-25": 0.7, "2025-11-26": 0.3,
    }  # fmt: skip
    assert {day: forty.loc[date.fromisoformat(day), "clearing_gap_bp"] for day in published} == published
    last = forty.loc[date(2026, 5, 27)]
    assert (last["lowest_price"], last["highest_yield_pct"], last["highest_compound_pct"]) == (99.18, 3.84, 3.84)
    assert (last["method"], last["yield_convention"]) == ("single_price", "compound_sa")
    assert forty.filter(regex="^tail_|average_").isna().all(axis=None)
    assert tails(from_bundle).drop("40y")["clearing_gap_bp"].isna().all()


def test_the_concession_of_january_2026(from_bundle: Run) -> None:
    """The curve stood at 3.174 the day before and at 3.325 that afternoon."""
    row = tails(from_bundle).loc[("20y", date(2026, 1, 20))]
    assert row["curve_yield_pct"] == 3.325
    assert row["concession_bp"] == pytest.approx(100 * (3.26168 - 3.325), abs=0.01)
    assert row["concession_day_before_bp"] == pytest.approx(100 * (3.26168 - 3.174), abs=0.01)
    curve = pd.read_parquet(from_bundle.current / "jgb_yields.parquet").query("tenor_years == 20")
    path = curve.set_index("obs_date")["yield_pct"]
    at = path.index.get_loc(date(2026, 1, 20))
    assert row["yield_change_5d_into_bp"] == pytest.approx(100 * (path.iloc[at] - path.iloc[at - 5]))
    assert row["yield_change_5d_after_bp"] == pytest.approx(100 * (path.iloc[at + 5] - path.iloc[at]))


# --- today's auctions -------------------------------------------------------------------------------------------


def test_an_auction_is_there_on_its_day(with_pages: Run, from_bundle: Run) -> None:
    assert with_pages.code == 0, with_pages.err
    now, before = tails(with_pages), tails(from_bundle)
    new = now.loc[now.index.difference(before.index)]
    expected = {("10y", TEN.day), ("30y", THIRTY.day), ("tbill", BILL.day), ("liquidity_enhancement", LIQUIDITY)}
    assert set(new.index) == expected
    thirty = new.loc[("30y", THIRTY.day)]
    assert (thirty["tail_price"], thirty["tail_yield_bp"], thirty["source_kind"]) == (0.29, 2.2, "result_page")
    assert (thirty["allotment_at_lowest_pct"], thirty["non_price_1_jpy_bn"]) == (41.2, 163.3)
    assert thirty["tail_n"] == before.loc["30y", "tail_n"].max() + 1
    assert thirty["published_at"] == pd.Timestamp("2026-07-07T03:35Z")
    assert pd.isna(thirty["offered_jpy_bn"])  # the page does not tell it, and nothing else is put in its place


def test_the_second_page_fills_the_amount_and_until_then_it_is_unknown(with_pages: Run) -> None:
    now = tails(with_pages)
    assert now.loc[("30y", THIRTY.day), "non_price_2_jpy_bn"] == 25.0
    assert now.loc[("30y", THIRTY.day), "first_seen_at"] == pd.Timestamp("2026-07-07T07:00Z")
    assert pd.isna(now.loc[("10y", TEN.day), "non_price_2_jpy_bn"])


def test_a_bill_in_its_own_units_and_without_a_rank_across_the_years_that_are_not_known(with_pages: Run) -> None:
    row = tails(with_pages).loc[("tbill", BILL.day)]
    assert (row["bids_jpy_bn"], row["accepted_jpy_bn"], row["non_price_1_jpy_bn"]) == (14684.5, 4179.55, 1320.4)
    assert (row["tail_price"], row["tail_yield_bp"], row["tenor_years"]) == (0.001, 0.4, 0.25)
    assert (row["yield_convention"], row["tail_yield_precision_bp"]) == ("simple_act365", 0.01)
    assert row[["tail_rank", "bid_to_cover_rank", "tail_prior12_mean_bp", "longest_tail_since_date"]].isna().all()


def test_a_liquidity_enhancement_auction_is_published_on_request(with_pages: Run) -> None:
    row = tails(with_pages).loc[("liquidity_enhancement", LIQUIDITY)]
    assert (row["highest_spread_pct"], row["bids_jpy_bn"], row["issue_number"]) == (-0.008, 2287.6, 325)
    assert row[["maturity_date", "coupon_pct", "lowest_price", "tail_price", "concession_bp"]].isna().all()


def test_the_workbook_takes_over_and_what_only_the_page_tells_stays(with_pages: Run) -> None:
    row = tails(with_pages).loc[("20y", KNOWN.day)]
    assert (row["source_kind"], row["source_sheet"], row["offered_jpy_bn"]) == ("workbook", "20年債", 700.0)
    assert row["allotment_at_lowest_pct"] == float(KNOWN.allotment)


def test_a_page_that_contradicts_the_workbook_stops_the_release_and_both_values_are_named(
    with_pages: Run, tmp_path: Path
) -> None:
    shutil.copytree(with_pages.data_dir, tmp_path / "data", symlinks=True)
    body = pages.english(CONTRADICTED).render()
    keep(tmp_path / "archive", date(2026, 7, 8), 4, pages.url_en(CONTRADICTED), body)
    stopped = run(tmp_path / "data", "refresh_auctions", archive_dir=tmp_path / "archive")
    assert stopped.code == 1
    assert re.findall("instrument .*", stopped.err) == [
        "instrument 2y, auction_date 2026-06-30, column_name bids_jpy_bn, page_value 10374.5, workbook_value 10374.4"
    ]
    assert stopped.current.readlink() == with_pages.current.readlink()
