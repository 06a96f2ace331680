"""Repatriation as it could be known: rows rebuilt from the change logs alone, and figures that the publishers printed."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pytest

from jgb_assets.settings import REPOSITORY
from tests.conftest import Run

TOKYO = ZoneInfo("Asia/Tokyo")
POLICY_RATES = REPOSITORY / "dbt_project" / "seeds" / "policy_rate_steps.csv"
JGB = {"2y": 2, "5y": 5, "10y": 10, "20y": 20, "30y": 30}
UST = {"3m": "3M", "2y": "2Y", "5y": "5Y", "10y": "10Y", "20y": "20Y", "30y": "30Y"}
OLDEST_DAYS = 5
FUNDS_LEFT_LONG_TERM_DEBT = date(2014, 1, 1)
Row = dict[str, Any]


def read(of: Run, dataset: str, *key: str) -> pd.DataFrame:
    table = pd.read_parquet(of.current / f"{dataset}.parquet")
    return table.set_index(list(key)).sort_index() if key else table


# --- the rule, again: what could be known at 09:30 in Tokyo ------------------------------------------------------


class Known:
    """The change logs of a data folder, each version with the instant from which it could be known."""

    def __init__(self, data_dir: Path) -> None:
        logs = data_dir / "changelog"

        def log(source: str, table: str) -> pd.DataFrame:
            rows = pd.read_parquet(logs / source / f"{table}.parquet")
            # The history of JGB yields never shows the current month: its silence says nothing.
            silent = rows["file_kind"] == "history" if "file_kind" in rows else False
            looks = rows["previous_retrieved_at"].mask(pd.Series(silent, index=rows.index))
            seen = zip(rows["change"], rows["published_at"], rows["first_seen_at"], looks, strict=True)
            rows["known_at"] = [self._known_at(*version) for version in seen]
            # A key has its versions in the order in which they were seen.
            return rows.sort_values(["known_at", "first_seen_at"], kind="stable")

        jgb = log("mof_jgb_yields", "yields")
        self.jgb = jgb[jgb["tenor_years"].isin(JGB.values())].rename(columns={"tenor_years": "tenor"})
        ust = log("treasury_par_yields", "yields")
        self.ust = ust[ust["tenor_code"].isin(UST.values())].rename(columns={"tenor_code": "tenor"})
        weeks = log("mof_securities_flows", "week")
        self.weeks = weeks[(weeks["side"] == "outward") & (weeks["asset"] == "lt_debt")]
        table3, table5, history = (log("treasury_tic", name) for name in ("table3", "table5", "mfhhis01"))
        self.japan = [
            ("slt_table3", table3[table3["holder_name"] == "Japan"], lambda row: row["for_treas_pos"] / 1000),
            ("slt_table5", table5[table5["row_label"] == "Japan"], lambda row: row["position_usd_bn"]),
            (
                "mfhhis01",
                history[(history["row_label"] == "Japan") & history["is_primary"]],
                lambda row: row["position_usd_bn"],
            ),
        ]
        self.policy_rates = pd.read_csv(
            POLICY_RATES, parse_dates=["effective_date", "decision_date"], index_col="effective_date"
        )

    @staticmethod
    def _known_at(change: str, calendar: pd.Timestamp, seen: pd.Timestamp, looked: pd.Timestamp | None) -> pd.Timestamp:
        looked_in_vain = not pd.isna(looked) and looked >= calendar
        return seen if change != "added" or looked_in_vain else min(calendar, seen)

    def row(self, day: date) -> Row | None:
        """The row of a day of the extract, None if there is to be none."""
        now = pd.Timestamp(datetime(day.year, day.month, day.day, 9, 30, tzinfo=TOKYO)).tz_convert("UTC")
        jgb = self._leg("jgb", self.jgb, JGB, now)
        ust = self._leg("ust", self.ust, UST, now)
        if jgb is None or ust is None:
            return None
        row: Row = {"obs_date": day, "as_of_at": now} | jgb | ust
        if max(day - row["jgb_obs_date"], day - row["ust_obs_date"]) > timedelta(days=OLDEST_DAYS):
            return None
        row |= self._policy_rate(day)
        row["hedge_cost_pct"] = row["ust_3m_pct"] - row["policy_rate_pct"]
        for name in JGB:
            spread = row[f"ust_{name}_pct"] - row[f"jgb_{name}_pct"]
            row[f"spread_{name}_bp"] = 100 * spread
            row[f"hedged_pickup_{name}_bp"] = 100 * (spread - row["hedge_cost_pct"])
        return row | self._flows(now) | self._holdings(now)

    @staticmethod
    def _leg(curve: str, versions: pd.DataFrame, tenors: Mapping[str, object], now: pd.Timestamp) -> Row | None:
        known = _as_of(versions, ["obs_date", "tenor"], now)
        if known.empty:
            return None
        newest = known["obs_date"].max()
        of_day = known[known["obs_date"] == newest].set_index("tenor")
        return {
            f"{curve}_obs_date": newest,
            f"{curve}_published_at": of_day["known_at"].max(),
            **{f"{curve}_{name}_pct": of_day["yield_pct"].get(tenor, np.nan) for name, tenor in tenors.items()},
        }

    def _policy_rate(self, day: date) -> Row:
        steps = self.policy_rates.loc[: pd.Timestamp(day)]
        if steps.empty:
            names = ("is_range", "effective_date", "published_at")
            return {"policy_rate_pct": np.nan} | {f"policy_rate_{name}": None for name in names}
        step = steps.iloc[-1]
        return {
            "policy_rate_pct": (step["target_low_pct"] + step["target_high_pct"]) / 2,
            "policy_rate_is_range": bool(step["target_low_pct"] < step["target_high_pct"]),
            "policy_rate_effective_date": step.name.date(),
            "policy_rate_published_at": (step["decision_date"] + pd.Timedelta(hours=15)).tz_localize(TOKYO),
        }

    def _flows(self, now: pd.Timestamp) -> Row:
        known = _as_of(self.weeks, ["week_end_date"], now).set_index("week_end_date")
        if known.empty:
            sums = {f"foreign_bond_net_{length}w_jpy_bn": np.nan for length in (4, 13, 52)}
            return sums | {
                f"foreign_bond_{name}": None for name in ("52w_crosses_series_break", "week_end_date", "published_at")
            }
        newest = known.index.max()
        ends = [newest - timedelta(weeks=n) for n in range(52)]
        first_day = ends[-1] - timedelta(days=6)
        net = known["net_jpy_100m"].reindex(ends) / 10
        return {
            **{f"foreign_bond_net_{n}w_jpy_bn": net.iloc[:n].sum(min_count=n) for n in (4, 13, 52)},
            "foreign_bond_52w_crosses_series_break": first_day < FUNDS_LEFT_LONG_TERM_DEBT <= newest,
            "foreign_bond_week_end_date": newest,
            "foreign_bond_published_at": known["known_at"].reindex(ends).max(),
        }

    def _holdings(self, now: pd.Timestamp) -> Row:
        known = [(name, _as_of(log, ["month_end_date"], now), position) for name, log, position in self.japan]
        months = {month for _, rows, _ in known for month in rows["month_end_date"]}
        names = ("japan_tic_usd_bn", "japan_tic_month_end_date", "japan_tic_source_table", "japan_tic_published_at")
        if not months:
            return dict.fromkeys(names)
        newest = max(months)
        name, rows, position = next(entry for entry in known if (entry[1]["month_end_date"] == newest).any())
        version = rows[rows["month_end_date"] == newest].iloc[0]
        return dict(zip(names, (position(version), newest, name, version["known_at"]), strict=True))


def _as_of(versions: pd.DataFrame, key: list[str], now: pd.Timestamp) -> pd.DataFrame:
    """Of each key the latest version that could be known by then, less what had been withdrawn."""
    known = versions.iloc[: bisect_right(versions["known_at"].array, now)]
    latest = known.drop_duplicates(key, keep="last")
    return latest[latest["change"] != "withdrawn"]


def differences(published: pd.DataFrame, known: Known, days: Iterable[date]) -> list[str]:
    """Where the extract's rows (by obs_date) are not those that could be known; every cell is compared."""
    found = []
    for day in days:
        ours, theirs = known.row(day), published.loc[day].to_dict() if day in published.index else None
        if ours is None or theirs is None:
            found += [f"{day}: published {theirs is not None}, known {ours is not None}"] * (ours is not theirs)
            continue
        theirs["obs_date"] = day
        if missing := ours.keys() ^ theirs.keys():
            found.append(f"{day}: columns {sorted(missing)}")
        found += [
            f"{day}, {name}: published {theirs[name]}, known {ours[name]}"
            for name in sorted(ours.keys() & theirs.keys())
            if not _same(ours[name], theirs[name])
        ]
    return found


def _same(ours: object, theirs: object) -> bool:
    if pd.isna(ours) or pd.isna(theirs):
        return pd.isna(ours) and pd.isna(theirs)
    if isinstance(ours, float):
        return abs(ours - theirs) < 1e-6
    return bool(ours == theirs)


@pytest.fixture(scope="module")
def known(from_bundle: Run) -> Known:
    return Known(from_bundle.data_dir)


@pytest.fixture(scope="module")
def repatriation(from_bundle: Run) -> pd.DataFrame:
    assert from_bundle.code == 0, from_bundle.err
    return read(from_bundle, "repatriation", "obs_date")


HARD = [
    *((date(year, 12, 26), date(year + 1, 1, 9)) for year in (1995, 2007, 2019, 2025)),
    *((date(year, 4, 27), date(year, 5, 9)) for year in (1994, 2019, 2024, 2026)),
    (date(1993, 9, 29), date(1993, 10, 6)),  # the 20-year Treasury starts
    (date(1999, 8, 31), date(1999, 9, 7)),  # the 30-year JGB starts
    (date(2000, 5, 12), date(2000, 5, 24)),  # the first holdings
    (date(2002, 2, 15), date(2002, 2, 25)),  # the 30-year Treasury ends
    (date(2006, 2, 6), date(2006, 2, 14)),  # and comes back
    (date(2005, 1, 4), date(2005, 2, 10)),  # the first weeks, too few to add up
    (date(2008, 12, 10), date(2008, 12, 12)),  # no 3-month yield
    (date(2010, 10, 8), date(2010, 10, 14)),  # a line without yields
    (date(2014, 1, 6), date(2014, 1, 20)),  # funds leave long-term debt
    (date(2015, 1, 6), date(2015, 1, 15)),  # and 52 weeks later
    (date(2024, 3, 18), date(2024, 3, 22)),
    (date(2024, 7, 30), date(2024, 8, 2)),
    (date(2025, 11, 13), date(2025, 11, 20)),  # two months of holdings at once
]


def test_repatriation_never_uses_a_figure_before_it_was_published(repatriation: pd.DataFrame, known: Known) -> None:
    """Each row is rebuilt cell by cell from the change logs, by the rule and without the models."""
    days = repatriation.index
    hard = [day for day in days if any(first <= day <= last for first, last in HARD)]
    sample = repatriation.sample(50, random_state=20260630).index
    assert differences(repatriation, known, sorted({*hard, *sample, *days[:5], *days[-5:]})) == []


def test_a_day_has_a_row_just_if_both_curves_are_fresh(repatriation: pd.DataFrame, known: Known) -> None:
    due = {instant.tz_convert(TOKYO).date() for instant in known.jgb["published_at"].unique()}
    sessions = {day for day in due | set(known.jgb["obs_date"]) if day >= date(1990, 1, 2)}
    without = sessions - set(repatriation.index)
    assert set(repatriation.index) < sessions
    assert [day for day in sorted(without) if known.row(day) is not None] == []
    # Sessions after the longest holidays: New Year, Golden Week, and the Septembers with five days off.
    assert {date(1990, 1, 4), date(2009, 9, 24), date(2019, 5, 7), date(2026, 1, 5)} <= without
    for leg in ("jgb_obs_date", "ust_obs_date"):
        age = (pd.to_datetime(repatriation.index) - pd.to_datetime(repatriation[leg])).dt.days
        assert (age.min(), age.max()) == (1, OLDEST_DAYS)


# --- Treasury yields and the price of the hedge --------------------------------------------------------------------


@pytest.fixture(scope="module")
def treasuries(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "ust_yields").pivot(index="obs_date", columns="tenor_code", values="yield_pct")


def test_treasury_yields_are_those_of_the_publisher(treasuries: pd.DataFrame) -> None:
    columns = ["1M", "1_5M", "2M", "3M", "4M", "6M", "1Y", "2Y", "3Y", "5Y", "7Y", "10Y", "20Y", "30Y"]
    for day, printed in {
        date(1990, 1, 2): "- - - 7.83 - 7.89 7.81 7.87 7.90 7.87 7.98 7.94 - 8.00",
        date(2020, 3, 25): "0.00 - 0.00 0.00 - 0.07 0.19 0.34 0.41 0.56 0.77 0.88 1.23 1.45",
        date(2025, 2, 18): "4.38 4.41 4.38 4.34 4.37 4.34 4.24 4.29 4.33 4.40 4.48 4.55 4.83 4.77",
        date(2026, 6, 26): "3.70 3.70 3.75 3.83 3.89 3.94 3.94 4.07 4.09 4.12 4.23 4.38 4.87 4.87",
    }.items():
        found = ["-" if pd.isna(value) else f"{value:.2f}" for value in treasuries.loc[day, columns]]
        assert " ".join(found) == printed


def test_no_treasury_yield_is_lost_and_none_is_made_up(treasuries: pd.DataFrame) -> None:
    assert treasuries.notna().sum().to_dict() == {
        "1M": 6_228, "1_5M": 340, "2M": 1_923, "3M": 9_124, "4M": 921, "6M": 9_127, "1Y": 9_127, "2Y": 9_127,
        "3Y": 9_127, "5Y": 9_127, "7Y": 9_127, "10Y": 9_127, "20Y": 8_188, "30Y": 8_133,
    }  # fmt: skip
    assert date(2010, 10, 11) not in treasuries.index
    thirty = treasuries["30Y"].dropna()
    assert thirty.loc[date(2002, 2, 15) : date(2006, 2, 9)].to_dict() == {
        date(2002, 2, 15): 5.37,
        date(2006, 2, 9): 4.51,
    }
    three_months = treasuries["3M"]
    assert three_months.index[three_months.isna()].tolist() == [date(2008, 12, day) for day in (10, 18, 24)]


def test_without_a_30_year_treasury_there_is_no_spread_to_it(repatriation: pd.DataFrame) -> None:
    of = repatriation["ust_obs_date"]
    gone = repatriation[(of >= date(2002, 2, 19)) & (of <= date(2006, 2, 8))]
    assert len(gone) > 950
    assert gone[["ust_30y_pct", "spread_30y_bp", "hedged_pickup_30y_bp"]].isna().all(axis=None)
    assert gone[["ust_10y_pct", "spread_10y_bp"]].notna().all(axis=None)
    assert set(repatriation.loc[of == date(2002, 2, 15), "ust_30y_pct"]) == {5.37}
    assert set(repatriation.loc[of == date(2006, 2, 9), "ust_30y_pct"]) == {4.51}


def test_the_hedge_of_the_1st_of_may_2025(repatriation: pd.DataFrame) -> None:
    (row,) = repatriation[repatriation["ust_obs_date"] == date(2025, 5, 1)].itertuples()
    assert (row.Index, row.jgb_obs_date) == (date(2025, 5, 2), date(2025, 5, 1))
    assert (row.ust_10y_pct, row.ust_3m_pct, row.policy_rate_pct, row.jgb_10y_pct) == (4.25, 4.31, 0.5, 1.291)
    assert (row.hedge_cost_pct, row.spread_10y_bp, row.hedged_pickup_10y_bp) == (3.81, 295.9, -85.1)


def test_the_policy_rate_holds_from_its_effective_day(repatriation: pd.DataFrame) -> None:
    before = repatriation.loc[: date(2024, 3, 20)]
    assert before[["policy_rate_pct", "hedge_cost_pct", "hedged_pickup_10y_bp"]].isna().all(axis=None)
    since = repatriation.loc[date(2024, 3, 21) :]
    assert since["policy_rate_pct"].notna().all()
    steps = since["policy_rate_pct"][since["policy_rate_pct"].diff() != 0]
    assert steps.to_dict() == {
        date(2024, 3, 21): 0.05, date(2024, 8, 1): 0.25, date(2025, 1, 27): 0.5, date(2025, 12, 22): 0.75,
        date(2026, 6, 17): 1.0,
    }  # fmt: skip
    ranges = since.index[since["policy_rate_is_range"].astype(bool)]
    assert (ranges[0], ranges[-1]) == (date(2024, 3, 21), date(2024, 7, 31))


# --- flows ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flows(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "securities_flows")


def flow(flows: pd.DataFrame, frequency: str, end: date, *series: str, measure: str = "net") -> float:
    """The figure of one period, 100 million yen."""
    direction, security_type, investor_type = (*series, "all")[:3]
    (row,) = flows[
        (flows["frequency"] == frequency)
        & (flows["period_end_date"] == end)
        & (flows["direction"] == direction)
        & (flows["security_type"] == security_type)
        & (flows["investor_type"] == investor_type)
    ].to_dict("records")
    return round(10 * row[f"{measure}_jpy_bn"], 6)


def test_every_week_since_2005_follows_the_week_before(flows: pd.DataFrame) -> None:
    weeks = flows[flows["frequency"] == "weekly"][["period_start_date", "period_end_date"]].drop_duplicates()
    assert len(weeks) == 1_127
    starts, ends = pd.to_datetime(weeks["period_start_date"]), pd.to_datetime(weeks["period_end_date"])
    assert (starts.iloc[0], ends.iloc[-1]) == (pd.Timestamp(2005, 1, 2), pd.Timestamp(2026, 8, 8))
    assert ((ends - starts).dt.days == 6).all()
    assert (starts.diff().dropna().dt.days == 7).all()


def test_weekly_flows_are_those_of_the_publisher(flows: pd.DataFrame) -> None:
    newest = flows.query("frequency == 'weekly' and direction == 'outward' and security_type == 'long_term_debt'")
    assert newest.set_index("period_end_date").loc[date(2026, 8, 8), "net_jpy_bn"] == 1629.4
    long_term = ("outward", "long_term_debt")
    for start, acquired, disposed, *nets in [
        (date(2005, 1, 2), 23_929, 15_051, 8_878, 9_811, 4_192, 10_363),
        (date(2007, 12, 30), 12_119, 7_874, 4_245, 4_063, 393, 1_623),
        (date(2013, 12, 29), 3_528, 7_940, -4_412, -4_588, -2_254, -1_384),
        (date(2015, 3, 29), 70_985, 101_706, -30_721, -27_423, 9_993, 12_369),
        (date(2020, 3, 1), 183_192, 141_498, 41_694, 42_640, 10_970, 12_301),
        (date(2022, 12, 18), 47_096, 51_682, -4_586, -255, -48_623, -73_343),
        (date(2023, 3, 12), 125_172, 91_792, 33_380, 35_203, 40_960, 30_940),
        (date(2024, 10, 27), 128_575, 173_153, -44_579, -55_620, -437, 1_330),  # net as printed, not as subtracted
        (date(2025, 12, 28), 36_197, 38_434, -2_237, 284, 2_735, 5_354),
        (date(2026, 7, 26), 93_013, 88_234, 4_779, 6_262, 5_589, -1_266),
    ]:
        end = start + timedelta(days=6)
        assert flow(flows, "weekly", end, *long_term, measure="acquisition") == acquired, start
        assert flow(flows, "weekly", end, *long_term, measure="disposition") == disposed, start
        series = [long_term, ("outward", "total"), ("inward", "long_term_debt"), ("inward", "total")]
        assert [flow(flows, "weekly", end, *one) for one in series] == nets, start


def test_monthly_flows_are_those_of_the_publisher(flows: pd.DataFrame) -> None:
    kinds = ["equity", "long_term_debt", "short_term_debt", "total"]
    for end, *nets in [
        (date(2005, 1, 31), 1_506, 5_888, -753, 6_641, 8_753, 18_351, 8_744, 35_847),
        (date(2014, 1, 31), -1_530, -29_118, 1_755, -28_892, -10_529, 201, 44_418, 34_090),
        (date(2020, 3, 31), 18_472, 35_039, -2_574, 50_938, -48_420, -45_705, -29_912, -124_037),
        (date(2024, 8, 31), 14_136, 73_370, -55, 87_451, -9_581, 14_918, -22_227, -16_891),
        (date(2024, 10, 31), -23_658, -44_881, 3_552, -64_988, 27_004, 13_003, 25_927, 65_934),
        (date(2026, 3, 31), 22_210, -37_574, -3_591, -18_955, -73_705, 5_979, -58_828, -126_554),
        (date(2026, 7, 31), 1_695, 3_657, 8_254, 13_605, 12_983, -13_167, -12_923, -13_106),
    ]:
        series = [(direction, kind) for direction in ("outward", "inward") for kind in kinds]
        assert [flow(flows, "monthly", end, *one) for one in series] == nets, end


def test_flows_by_investor_are_those_of_the_publisher(flows: pd.DataFrame) -> None:
    investors = [
        "all", "banks", "trust_banks", "trust_accounts", "financial_instruments_firms", "life_insurers",
        "investment_trust_managers",
    ]  # fmt: skip
    for end, *nets in [
        (date(2005, 1, 31), 5_888, 297, 1_120, 930, 4_966, -4_113, 3_320),
        (date(2020, 3, 31), 35_039, 55_778, -4_401, -2_160, 6_711, -8_322, -8_252),
        (date(2022, 12, 31), -14_687, -10_207, 1_342, 15_901, 590, -22_466, 2_183),
        (date(2024, 10, 31), -44_881, -40_657, 3_421, -2_180, -5_205, 746, 863),
        (date(2026, 1, 31), 6_233, -1_828, 1_180, 7_771, 4_790, 402, -2_312),
        (date(2026, 3, 31), -37_574, -15_786, -9_541, -6_014, 7_167, -6_384, -5_481),
        (date(2026, 5, 31), 30_861, -1_146, -2_498, 31_556, 4_017, 179, 1_097),
        (date(2026, 7, 31), 3_657, -2_607, 520, 8_957, 267, -106, -1_117),
    ]:
        found = [flow(flows, "monthly", end, "outward", "long_term_debt", investor) for investor in investors]
        assert found == nets, end


def test_no_month_is_lost_and_none_made_up(flows: pd.DataFrame) -> None:
    """October to December have half-width labels; the rest of this year stands there empty."""
    monthly = flows[flows["frequency"] == "monthly"]
    due = {end.date() for end in pd.date_range("2005-01-31", "2026-07-31", freq="ME")}
    series = monthly.groupby(["direction", "security_type", "investor_type"])["period_end_date"]
    assert len(series) == 2 * 5 + 16
    assert series.agg(set).map(lambda ends: ends == due).all()
    assert series.size().eq(259).all()
    unnamed = monthly[monthly["investor_type"].isin(["central_bank", "banks_trust_accounts"])]
    assert unnamed.groupby(unnamed["net_jpy_bn"].isna())["period_end_date"].agg(["min", "max"]).values.tolist() == [
        [date(2014, 1, 31), date(2026, 7, 31)],
        [date(2005, 1, 31), date(2013, 12, 31)],
    ]


# --- holdings, revisions, reconciliations --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def holdings(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "tic_holdings", "holder", "month_end_date")


def test_japan_held_above_1100_bn_from_february_2025_to_april_2026(holdings: pd.DataFrame) -> None:
    japan = holdings.loc["Japan"]
    held = japan.loc[date(2025, 2, 1) : date(2026, 4, 30), ["position_usd_bn", "first_print_usd_bn"]]
    assert len(held) == 15
    assert (held > 1_100).all(axis=None)
    assert japan["position_usd_bn"].idxmax() == date(2021, 11, 30)
    assert round(japan["position_usd_bn"].max(), 1) == 1325.5


def test_what_japan_sold_and_what_only_lost_value(holdings: pd.DataFrame) -> None:
    japan = holdings.loc["Japan"]
    march = japan.loc[date(2026, 3, 31)]
    assert (round(march["long_term_net_purchases_usd_bn"], 1), round(march["valuation_usd_bn"], 1)) == (-23.9, -18.0)
    february = japan.loc[date(2026, 2, 28), "change_statement"]
    assert "holdings rose" in february
    assert "net sales" in february
    assert "holdings fell" in march["change_statement"]
    assert "net sales" in march["change_statement"]


def test_a_fall_is_called_net_sales_only_where_net_transactions_say_so(holdings: pd.DataFrame) -> None:
    statements = holdings["change_statement"].fillna("")
    sales, purchases = statements.str.contains("net sales"), statements.str.contains("net purchases")
    assert sales.sum() > 1_000
    assert (holdings.loc[sales, "net_purchases_usd_bn"] < 0).all()
    assert (holdings.loc[purchases, "net_purchases_usd_bn"] > 0).all()
    fell_without_sales = holdings[statements.str.contains("holdings fell") & ~sales]
    assert (fell_without_sales["net_purchases_usd_bn"] >= 0).any()
    months = holdings.index.get_level_values("month_end_date")
    assert months[sales | purchases].min() == date(2023, 2, 28)


def test_what_a_publisher_revised_is_told(from_bundle: Run) -> None:
    revisions = read(from_bundle, "revisions")
    assert revisions["source_table"].tolist() == ["mfhhis01"] * 76
    assert {month.year for month in revisions["period_end_date"]} == {2025}
    assert not revisions["series"].str.contains("Japan").any()
    (british,) = revisions[
        (revisions["series"] == "United Kingdom") & (revisions["period_end_date"] == date(2025, 11, 30))
    ].to_dict("records")
    assert (british["first_value"], british["latest_value"], british["revision"]) == (889.0, 879.8, -9.2)
    assert british["first_seen_at"] == pd.Timestamp("2026-03-18T20:15Z")
    assert british["revised_at"] == pd.Timestamp("2026-05-18T20:15Z")


def test_two_publications_of_one_figure_agree(from_bundle: Run) -> None:
    told = read(from_bundle, "reconciliations", "reconciliation")
    counts = told[["compared", "beyond_tolerance"]].apply(tuple, axis=1)
    assert counts["table5_against_table3"] == (312, 0)
    assert counts["table3_against_mfhhis01"] == (2_520, 2)
    assert counts["flows_investors_against_all"] == (3 * 259, 0)
    with duckdb.connect(from_bundle.data_dir / "warehouse.duckdb", read_only=True) as connection:
        beyond = connection.sql(
            "select series, period_end_date, difference from int_reconciliations "
            "where reconciliation = 'table3_against_mfhhis01' and not agrees"
        ).fetchall()
    assert {(series, month) for series, month, _ in beyond} == {
        ("Canada", date(2024, 12, 31)),
        ("Grand Total", date(2024, 12, 31)),
    }
    assert all(abs(difference) > 1 for *_, difference in beyond)
