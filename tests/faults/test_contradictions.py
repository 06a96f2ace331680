"""Files that are well formed and contradict what is known: another file, an earlier issue, or their own address."""

import csv
import io
import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq
import pytest

from jgb_assets.settings import BUNDLE
from tests.conftest import Run, copy_of, releases, run, tree
from tests.integration.test_repatriation import Known, differences

TIC = "ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"
TABLE_5, TABLE_3 = TIC + "slt_table5.txt", TIC + "slt_table3.txt"
PAR_YIELDS_2026 = (
    "home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2026/all"
    "@type=daily_treasury_yield_curve&field_tdr_date_value=2026&page&_format=csv"
)
WEEKS = "www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities/week.csv"


def newest(path: str) -> bytes:
    return sorted(BUNDLE.glob(f"*/{path}"))[-1].read_bytes()


def put(archive: Path, instant: str, path: str, body: bytes) -> None:
    file = archive / instant / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def read(of: Run, dataset: str, *key: str) -> pd.DataFrame:
    table = pq.read_table(of.current / f"{dataset}.parquet").to_pandas()
    return table.set_index(list(key)).sort_index() if key else table


def check(of: Run, asset: list[str], name: str) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of the last execution of an asset check."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    with dg.DagsterInstance.from_config(str(of.data_dir / "dagster")) as instance:
        (record,) = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).values()
        return record.event.dagster_event.asset_check_evaluation_data


# --- two files of one release ---------------------------------------------------------------------------------------


def test_two_files_that_tell_otherwise_stop_the_release(from_bundle: Run, tmp_path: Path) -> None:
    """Belgium of August 2025 is 0.1 bn more in table 5, which its totals allow, and as before in table 3."""
    data, archive = tmp_path / "data", tmp_path / "archive"
    shutil.copytree(from_bundle.data_dir, data, symlinks=True)
    before = releases(data)
    body, changed = re.subn(rb"(Belgium\t(?:[\d.]+\t){8})451\.1\t", rb"\g<1>451.2\t", newest(TABLE_5))
    assert changed == 1
    put(archive, "2026-08-17T201500Z", TABLE_5, body)
    put(archive, "2026-08-17T201500Z", TABLE_3, newest(TABLE_3))

    after = run(data, archive_dir=archive)

    assert after.code == 1
    row = re.search(r"table5_against_table3: (.*Belgium.*)", after.err)
    assert row, after.err
    assert all(text in row[1] for text in ("2025-08-31", "451.2", "451.1", "0.1"))
    assert len(re.findall(r"table5_against_table3: ", after.err)) == 1
    assert releases(data) == before
    found = check(after, ["int_reconciliations"], "table5_against_table3")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (found.metadata["compared"].value, found.metadata["differing"].value) == (312, 1)
    (shown,) = (record.data for record in found.metadata["differences"].records)
    assert (shown["series"], shown["period_end_date"]) == ("Belgium", "2025-08-31")
    assert (shown["figure"], shown["against"]) == (451.2, 451.1)
    others = check(after, ["int_reconciliations"], "holders_against_total")
    assert others.passed
    assert others.metadata["compared"].value == 551


# --- two issues of one file -----------------------------------------------------------------------------------------

# First printed on 18 June, revised on the 25th: 100 million yen that the first print lacked (bought) or had too many
# (sold), long-term debt bought abroad by residents.
FIRST_ISSUE, SECOND_ISSUE = "2026-06-19T000000Z", "2026-06-25T000500Z"
TOO_FEW_BOUGHT = {date(2026, 6, 13): 1_000}
TOO_MANY_SOLD = {date(2026, 6, 6): 300}
# Measures of one week: the gross amount, its net, and the nets of subtotal and total.
CELLS = {
    (end, series, measure)
    for end, gross in ((date(2026, 6, 13), "acquisition"), (date(2026, 6, 6), "disposition"))
    for series, measure in (
        ("outward lt_debt", f"{gross}_jpy_bn"),
        *((f"outward {kind}", "net_jpy_bn") for kind in ("lt_debt", "subtotal", "total")),
    )
}


def issue(stamp: date, first_prints: bool) -> bytes:
    """``week.csv`` as it stood on a Thursday, with weeks up to the Saturday before."""
    text = newest(WEEKS).decode("cp932")
    text = text.replace("令和8年8月14日", f"令和8年{stamp.month}月{stamp.day}日")
    text = text.replace("August  14 , 2026", f"{stamp:%B}  {stamp.day} , 2026")
    records = list(csv.reader(io.StringIO(text, newline="")))
    ends = {date(2005, 1, 8) + timedelta(weeks=n): record for n, record in enumerate(records[14:-1])}
    if first_prints:
        for end in TOO_FEW_BOUGHT | TOO_MANY_SOLD:
            bought, sold = -TOO_FEW_BOUGHT.get(end, 0), TOO_MANY_SOLD.get(end, 0)
            for column, change in ((4, bought), (5, sold), *((net, bought - sold) for net in (6, 7, 11))):
                ends[end][column] = f"{int(ends[end][column].replace(',', '')) + change:,} "
    kept = [record for end, record in ends.items() if end < stamp]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([*records[:14], *kept, records[-1]])
    return out.getvalue().encode("cp932")


def without_the_24th() -> bytes:
    """The par yields of 2026 an hour after those of 24 June were due: they are late."""
    header, *rows = newest(PAR_YIELDS_2026).split(b"\n")
    return b"\n".join([header, *(row for row in rows if row < b"06/24/2026")])


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The bundle, with weeks that were retrieved in June already, at first as printed first."""
    folder = tmp_path_factory.mktemp("revised")
    archive = folder / "archive"
    shutil.copytree(BUNDLE, archive)
    put(archive, FIRST_ISSUE, WEEKS, issue(date(2026, 6, 18), first_prints=True))
    put(archive, "2026-06-24T230000Z", PAR_YIELDS_2026, without_the_24th())
    put(archive, SECOND_ISSUE, WEEKS, issue(date(2026, 6, 25), first_prints=False))
    return run(folder / "data", archive_dir=archive)


def test_revised_weeks_are_taken_and_each_cell_is_told(revised: Run) -> None:
    assert revised.code == 0, revised.err
    revisions = read(revised, "revisions").query("source_table == 'week'")
    assert set(zip(revisions["period_end_date"], revisions["series"], revisions["measure"], strict=True)) == CELLS
    assert len(revisions) == len(CELLS) == 8
    assert (revisions["first_seen_at"] == pd.Timestamp("2026-06-19T00:00Z")).all()
    assert (revisions["revised_at"] == pd.Timestamp("2026-06-25T00:05Z")).all()
    by_cell = revisions.set_index(["period_end_date", "series", "measure"])
    newest_week, week_before = (by_cell.loc[end, "outward lt_debt", :] for end in (date(2026, 6, 13), date(2026, 6, 6)))
    columns = ["first_value", "latest_value", "revision"]
    assert newest_week.loc["acquisition_jpy_bn", columns].tolist() == [6_840.9, 6_940.9, 100.0]
    assert newest_week.loc["net_jpy_bn", columns].tolist() == [282.5, 382.5, 100.0]
    assert week_before.loc["disposition_jpy_bn", columns].tolist() == [9_481.8, 9_451.8, -30.0]
    assert week_before.loc["net_jpy_bn", columns].tolist() == [179.6, 209.6, 30.0]


def test_a_revised_flow_keeps_its_first_print(revised: Run, from_bundle: Run) -> None:
    key = ["frequency", "period_end_date", "direction", "security_type", "investor_type"]
    flows, final = read(revised, "securities_flows", *key), read(from_bundle, "securities_flows", *key)
    assert flows["net_jpy_bn"].equals(final["net_jpy_bn"])
    assert set(flows.index[flows["revised"]]) == {
        ("weekly", end, "outward", kind, "all")
        for end in (date(2026, 6, 6), date(2026, 6, 13))
        for kind in ("long_term_debt", "subtotal", "total")
    }
    assert not final["revised"].any()
    week = flows.loc["weekly", date(2026, 6, 13), "outward", "long_term_debt", "all"]
    assert (week["first_print_jpy_bn"], week["net_jpy_bn"]) == (282.5, 382.5)
    # A revision could not be known before it was seen, whatever the calendar says of the week.
    assert week["first_seen_at"] == week["published_at"] == pd.Timestamp("2026-06-25T00:05Z")
    first_print_stands = flows["first_print_jpy_bn"].eq(flows["net_jpy_bn"]) | flows["net_jpy_bn"].isna()
    assert (first_print_stands == ~flows["revised"]).all()


def test_a_revision_is_unusual_and_the_check_lists_each_cell(revised: Run) -> None:
    found = check(revised, ["mof_securities_flows", "week"], "as_usual")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    warnings = [value.value for name, value in found.metadata.items() if name.startswith("warning_")]
    assert sorted(warnings) == sorted(
        f"week: {measure}_jpy_100m of {end}, outward, {asset} was revised from {old} to {new}"
        for end, asset, measure, old, new in [
            (date(2026, 6, 6), "lt_debt", "disposition", 94_818, 94_518),
            (date(2026, 6, 6), "lt_debt", "net", 1_796, 2_096),
            (date(2026, 6, 6), "subtotal", "net", -7_736, -7_436),
            (date(2026, 6, 6), "total", "net", -7_313, -7_013),
            (date(2026, 6, 13), "lt_debt", "acquisition", 68_409, 69_409),
            (date(2026, 6, 13), "lt_debt", "net", 2_825, 3_825),
            (date(2026, 6, 13), "subtotal", "net", -1_348, -348),
            (date(2026, 6, 13), "total", "net", -3_589, -2_589),
        ]
    )


@pytest.mark.parametrize("length", [4, 13, 52])
def test_days_before_a_revision_keep_what_was_known(revised: Run, from_bundle: Run, length: int) -> None:
    """A week comes out at 08:50 on Thursday, in time for that day's row; 25 June brought a week and the revisions."""
    then, final = (
        read(of, "repatriation", "obs_date")[f"foreign_bond_net_{length}w_jpy_bn"] for of in (revised, from_bundle)
    )
    short = (then - final).dropna().round(5)
    assert short[short != 0].to_dict() == {
        **{date(2026, 6, day): -30.0 for day in (11, 12, 15, 16, 17)},
        **{date(2026, 6, day): -130.0 for day in (18, 19, 22, 23, 24)},
    }
    assert then.index[-1] == date(2026, 7, 1)
    assert then.isna().equals(final.isna())


def test_what_was_looked_for_in_vain_counts_from_when_it_was_seen(revised: Run, from_bundle: Run) -> None:
    """Due at 18:00 New York on 24 June, not there an hour later, first seen on the 29th."""
    late, on_time = (
        read(of, "ust_yields", "obs_date").loc[date(2026, 6, 24), "published_at"] for of in (revised, from_bundle)
    )
    assert set(late) == {pd.Timestamp("2026-06-29T12:00Z")}
    assert set(on_time) == {pd.Timestamp("2026-06-24T22:00Z")}
    known, calendar = (read(of, "repatriation", "obs_date")["ust_obs_date"] for of in (revised, from_bundle))
    assert calendar[date(2026, 6, 25)] == date(2026, 6, 24)
    assert known[known != calendar].to_dict() == {date(2026, 6, 25): date(2026, 6, 23)}


def test_rows_around_a_revision_are_what_could_be_known(revised: Run) -> None:
    rows = read(revised, "repatriation", "obs_date")
    days = [day for day in rows.index if day >= date(2026, 6, 1)]
    assert differences(rows, Known(revised.data_dir), days) == []
    known_from = rows.loc[date(2026, 6, 24) : date(2026, 6, 25), "foreign_bond_published_at"].tolist()
    assert known_from == [pd.Timestamp("2026-06-17T23:50Z"), pd.Timestamp("2026-06-25T00:05Z")]


# --- another kind of rates under the same address -------------------------------------------------------------------

BILLS = b"\n".join(
    [
        b'Date,"4 WEEKS BANK DISCOUNT","4 WEEKS COUPON EQUIVALENT","8 WEEKS BANK DISCOUNT","8 WEEKS COUPON EQUIVALENT",'
        b'"13 WEEKS BANK DISCOUNT","13 WEEKS COUPON EQUIVALENT","26 WEEKS BANK DISCOUNT","26 WEEKS COUPON EQUIVALENT",'
        b'"52 WEEKS BANK DISCOUNT","52 WEEKS COUPON EQUIVALENT"',
        b"06/29/2026,3.60,3.66,3.64,3.71,3.73,3.82,3.79,3.92,3.79,3.95",
        b"06/26/2026,3.61,3.67,3.65,3.72,3.73,3.82,3.79,3.92,3.79,3.95",
    ]
)


def test_bill_rates_are_not_taken_for_par_yields(from_bundle: Run, tmp_path: Path) -> None:
    """Another ``type`` in the query is answered under the same file name, with status 200."""
    data, archive = copy_of(from_bundle, tmp_path), tmp_path / "archive"
    before = tree(data / "snapshots"), releases(data)
    logs = pq.read_table(data / "changelog" / "treasury_par_yields" / "yields.parquet")
    put(archive, "2026-08-17T221500Z", PAR_YIELDS_2026, BILLS)

    after = run(data, archive_dir=archive)

    assert after.code == 1
    refusal = re.search(r"refused (\S+) at (.*?): expected (.*?), found (.*?)\. What to do: (\S.*)", after.err)
    assert refusal, after.err
    assert "SourceRejected: treasury_par_yields: refused" in after.err
    assert refusal[1] == f"https://{PAR_YIELDS_2026.replace('@', '?')}"
    assert refusal[2] == "line 1, column 2"
    assert '"10 Yr"' in refusal[3]
    assert refusal[4].startswith('"4 WEEKS BANK DISCOUNT"')
    (kept,) = (data / "quarantine" / "treasury_par_yields").glob("*.bytes")
    assert kept.read_bytes() == BILLS
    assert "4 WEEKS BANK DISCOUNT" in json.loads(kept.with_suffix(".json").read_text())["found"]
    assert (tree(data / "snapshots"), releases(data)) == before
    assert pq.read_table(data / "changelog" / "treasury_par_yields" / "yields.parquet").equals(logs)
