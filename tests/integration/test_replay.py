"""A replayed fortnight ends in the marts of one load of its last day; its change logs hold just the cells that changed.

The archive is made from the bundle's real figures as the publishers had them out each morning of 25 May to 8 June
2026, at 09:40 Tokyo: a month's turn, two Sundays, an American holiday, two weeks and a month of flows. Set here is when
they came, and what was printed otherwise for a while.
"""

import csv
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import build_bundle
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import xlrd

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import Dataset, datasets
from jgb_assets.landing.changelog import ChangeLogs
from jgb_assets.landing.land import land, stored_logs
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import INSTANT, SIDECAR, ArchiveTransport
from jgb_assets.settings import BUNDLE
from jgb_assets.sources.calendars import is_tokyo_session, next_tokyo_session
from jgb_assets.sources.mof_securities_flows import ASSETS, INVESTORS, SIDES
from jgb_assets.sources.registry import SOURCES
from jgb_assets.sources.treasury_par_yields import BY_LABEL
from tests.conftest import run, tree

Step = TypeVar("Step")

FIRST = date(2026, 5, 25)  # what had come before is in one instant, that of this day
DAYS = [FIRST + timedelta(days=n) for n in range(15)]
FORTNIGHT, LAST = DAYS[1:], DAYS[-1]

JGB = "www.mof.go.jp/english/policy/jgbs/"
HISTORY = JGB + "reference/interest_rate/historical/jgbcme_all.csv"
CURRENT = JGB + "reference/interest_rate/jgbcme.csv"
WORKBOOK = JGB + "auction/past_auction_results/Auction_Results_for_JGBs.xls"
FLOWS = "www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities/"
WEEK, MONTHA1, MONTHB3 = (FLOWS + name for name in ("week.csv", "montha1.csv", "monthb3.csv"))
TREASURY = (
    "home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2026/"
    "all@type=daily_treasury_yield_curve&field_tdr_date_value=2026&page&_format=csv"
)
TIC = "ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"

# --- when what came --------------------------------------------------------------------------------------------------

LATE_SESSION, LATE_UNTIL = date(2026, 6, 3), date(2026, 6, 5)  # due on the 4th
LATE_TREASURY_DAY, LATE_TREASURY_UNTIL = date(2026, 5, 27), date(2026, 5, 29)  # due on the 28th, Tokyo
# The current month became June's with the row of 1 June, on the 2nd; the history had May a day later.
HISTORY_ENDS = {FIRST: date(2026, 4, 30), date(2026, 6, 3): date(2026, 5, 29)}
# 08:50 Tokyo: weeks (to their Saturday) on the fourth business day, months on the sixth.
WEEKS = {
    FIRST: (date(2026, 5, 16), date(2026, 5, 21)),
    date(2026, 5, 28): (date(2026, 5, 23), date(2026, 5, 28)),
    date(2026, 6, 4): (date(2026, 5, 30), date(2026, 6, 4)),
}
MONTHS = {FIRST: (date(2026, 4, 30), date(2026, 5, 13)), date(2026, 6, 8): (date(2026, 5, 31), date(2026, 6, 8))}
AUCTIONS_TO = {FIRST: date(2026, 5, 22), date(2026, 6, 4): date(2026, 5, 29)}
AUCTIONS = [(date(2026, 5, 25), "GX5年債"), (date(2026, 5, 27), "40年債"), (date(2026, 5, 29), "2年債")]
SUNDAYS = [date(2026, 5, 31), date(2026, 6, 7)]


@dataclass(frozen=True)
class Misprint:
    """A cell that was a hundredth too high from one morning until it was set right on another."""

    day: date
    label: str
    since: date
    until: date

    @property
    def at_first(self) -> bool:
        """It was printed so from the beginning."""
        return self.since == FIRST


JGB_MISPRINTS = [
    Misprint(date(2026, 5, 20), "10Y", since=date(2026, 5, 27), until=date(2026, 5, 29)),
    Misprint(date(2026, 4, 15), "30Y", since=FIRST, until=date(2026, 6, 3)),  # set right in the next history
]
TREASURY_MISPRINTS = [Misprint(date(2026, 5, 12), "10 Yr", since=FIRST, until=date(2026, 6, 2))]
# The first print of a week of long-term debt bought abroad was 10 billion yen lower, and so were its sums.
REVISED_WEEK, FIRST_PRINTED_ON, REVISED_ON = date(2026, 5, 23), date(2026, 5, 28), date(2026, 6, 4)
OUTWARD = '"84,897 ","84,814 ",82 ,"-3,595 ","8,144 ","9,364 ","-1,221 ","-4,816 "'
OUTWARD_AT_FIRST = '"84,797 ","84,814 ",-18 ,"-3,695 ","8,144 ","9,364 ","-1,221 ","-4,916 "'
REVISED_NETS = {"lt_debt": 82, "subtotal": -3595, "total": -4816}
REVISED_FLOWS = {("weekly", REVISED_WEEK, "outward", kind, "all") for kind in ("long_term_debt", "subtotal", "total")}


def as_of(steps: Mapping[date, Step], day: date) -> Step:
    """What stood on a day of what came on others."""
    return steps[max(came for came in steps if came <= day)]


@cache
def out_on(session: date) -> date:
    """The morning on which a session's row was there."""
    return LATE_UNTIL if session == LATE_SESSION else next_tokyo_session(session)


def treasury_out_on(day: date) -> date:
    """The Tokyo morning on which the row of an American day was there."""
    return LATE_TREASURY_UNTIL if day == LATE_TREASURY_DAY else day + timedelta(days=1)


# --- the files of a morning ------------------------------------------------------------------------------------------


@cache
def bundled() -> dict[str, bytes]:
    """The newest bytes of each file of the bundle."""
    return {
        path.relative_to(instant).as_posix(): path.read_bytes()
        for instant in sorted(BUNDLE.iterdir())
        for path in sorted(instant.rglob("*"))
        if path.is_file() and not path.name.endswith(SIDECAR)
    }


@cache
def jgb_rows() -> tuple[list[str], dict[date, list[str]]]:
    """The labels of the yields, and by session their texts as they finally stand."""
    _, header, *lines = bundled()[HISTORY].decode("cp932").splitlines()
    cells = (line.split(",") for line in lines)
    return header.split(",")[1:], {date(*map(int, day.split("/"))): texts for day, *texts in cells}


@cache
def treasury_rows() -> tuple[list[str], dict[date, list[str]]]:
    """The same of 2026's US Treasury yields, newest first."""
    header, *lines = bundled()[TREASURY].decode().splitlines()
    cells = (line.split(",") for line in lines)
    rows = {datetime.strptime(day, "%m/%d/%Y").replace(tzinfo=UTC).date(): texts for day, *texts in cells}
    return [label.strip('"') for label in header.split(",")[1:]], rows


def too_high(text: str) -> str:
    return str(Decimal(text) + Decimal("0.01"))


def shown(
    table: tuple[list[str], dict[date, list[str]]], misprints: list[Misprint], morning: date
) -> dict[date, list[str]]:
    """The texts of every row as a file of that morning has them."""
    labels, rows = table
    told = dict(rows)
    for one in misprints:
        if one.since <= morning < one.until:
            at = labels.index(one.label)
            told[one.day] = [too_high(text) if n == at else text for n, text in enumerate(told[one.day])]
    return told


def yields_file(title: str, rows: Mapping[date, list[str]], footer: str = "") -> bytes:
    labels, _ = jgb_rows()
    lines = [title + "," * len(labels) + "(Unit : %)", ",".join(["Date", *labels])]
    lines += [f"{day.year}/{day.month}/{day.day},{','.join(texts)}" for day, texts in rows.items()]
    return ("\r\n".join(lines) + "\r\n" + footer).encode("cp932")


def yields_files(morning: date) -> dict[str, bytes]:
    rows = {day: texts for day, texts in shown(jgb_rows(), JGB_MISPRINTS, morning).items() if out_on(day) <= morning}
    newest, history_ends = max(rows), as_of(HISTORY_ENDS, morning)
    month = {day: texts for day, texts in rows.items() if (day.year, day.month) == (newest.year, newest.month)}
    note = "  ※If you cannot download the latest csv data, please clear the browser's cache and download again."
    commas = "," * len(jgb_rows()[0])
    return {
        HISTORY: yields_file("Interest Rate", {day: texts for day, texts in rows.items() if day <= history_ends}),
        CURRENT: yields_file(f"Interest Rate ({newest:%B %Y})", month, f'{commas}\r\n"{note}"{commas}\r\n'),
    }


def treasury_file(morning: date) -> bytes:
    """Newest first, and no line end after the last row."""
    header = bundled()[TREASURY].decode().splitlines()[0]
    rows = shown(treasury_rows(), TREASURY_MISPRINTS, morning)
    lines = [f"{day:%m/%d/%Y},{','.join(texts)}" for day, texts in rows.items() if treasury_out_on(day) <= morning]
    return "\n".join([header, *lines]).encode()


def stamped(text: str, stamp: date) -> str:
    """A flows file with another day of release."""
    head, rest = text[:1000], text[1000:]
    for form in ("令和8年8月14日", "令和8年8月10日"):
        head = head.replace(form, f"令和8年{stamp.month}月{stamp.day}日")
    for form in ("August  14 , 2026", "August 10, 2026"):
        head = head.replace(form, f"{stamp:%B} {stamp.day}, {stamp.year}")
    return head + rest


def weeks_file(morning: date) -> bytes:
    saturday, stamp = as_of(WEEKS, morning)
    text = bundled()[WEEK].decode("cp932")
    assert text.count(OUTWARD) == 1
    if saturday == REVISED_WEEK:
        text = text.replace(OUTWARD, OUTWARD_AT_FIRST)
    lines = stamped(text, stamp).split("\r\n")
    first = next(n for n, line in enumerate(lines) if line.startswith("2005．1．2～"))
    count = (saturday - date(2005, 1, 8)).days // 7 + 1
    after = next(n for n, line in enumerate(lines) if n > first and not line.strip(","))
    return "\r\n".join([*lines[: first + count], *lines[after:]]).encode("cp932")


def foreign_bond_nets(morning: date) -> dict[date, int]:
    """Residents' net purchases of foreign long-term debt (100 million yen) by week, as that morning's file has them."""
    records = csv.reader(io.StringIO(weeks_file(morning).decode("cp932"), newline=""))
    nets = [int(record[6].replace(",", "")) for record in records if record[0].startswith("20")]
    return {date(2005, 1, 8) + timedelta(weeks=n): net for n, net in enumerate(nets)}


def months_file(path: str, morning: date) -> bytes:
    """Months to come stand there without figures."""
    month_end, stamp = as_of(MONTHS, morning)
    lines = stamped(bundled()[path].decode("cp932"), stamp).split("\r\n")
    months = [n for n, line in enumerate(lines) if len(cells := line.split(",", 3)) == 4 and cells[1].endswith("月")]
    for n in months[12 * (month_end.year - 2005) + month_end.month :]:
        width = len(next(csv.reader([lines[n]])))
        lines[n] = ",".join(lines[n].split(",")[:3]) + "," * (width - 3)
    return "\r\n".join(lines).encode("cp932")


@cache
def workbook(until: date) -> bytes:
    """The auctions to a day."""
    sheets = build_bundle.read_workbook(bundled()[WORKBOOK])
    for name, rows in sheets.items():
        at = next(n for n, (_, label) in enumerate(rows[build_bundle.LABELS]) if str(label).startswith("入札日"))
        data = rows[build_bundle.FIRST_ROW :]
        data = [row for row in data if xlrd.xldate_as_datetime(row[at][1], 0).date() <= until]
        sheets[name] = rows[: build_bundle.FIRST_ROW] + data
    return build_bundle.write_workbook(sheets)


@cache
def unchanging() -> dict[str, bytes]:
    """What had come before and brought nothing new.

    Of TIC the months to March 2026, the newest until June. Its table 5 shows 13 months, and of those to March the
    bundle lacks one; of the Treasury's years three will do: neither moves.
    """
    files = {path: body for path, body in bundled().items() if "table5" not in path}
    for path in (TIC + "slt_table1.txt", TIC + "slt_table3.txt"):
        files[path] = b"".join(line for line in files[path].splitlines(keepends=True) if b"\t2026-04\t" not in line)
    years = [path for path in files if path.startswith("home.treasury.gov/")]
    return {path: body for path, body in files.items() if path not in years or path in sorted(years)[-3:]}


def world(morning: date) -> dict[str, bytes]:
    """What each publisher showed at 09:40 Tokyo, by its path in an archive."""
    return unchanging() | {
        **yields_files(morning),
        TREASURY: treasury_file(morning),
        WEEK: weeks_file(morning),
        MONTHA1: months_file(MONTHA1, morning),
        MONTHB3: months_file(MONTHB3, morning),
        WORKBOOK: workbook(as_of(AUCTIONS_TO, morning)),
    }


def instant(morning: date) -> datetime:
    return datetime(morning.year, morning.month, morning.day, 0, 40, tzinfo=UTC)


def url(path: str) -> str:
    return "https://" + path.replace("@", "?", 1)


# --- landing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replay:
    """An archive of mornings, the data folder in which each was landed before the next came, and how that went.

    ``arrived`` holds the URLs that brought other bytes, ``touched`` the sources of which any file changed, by morning.
    """

    archive: Path
    data: Path
    arrived: dict[date, dict[str, set[str]]]
    touched: dict[date, set[str]]


def store_of(data: Path) -> SnapshotStore:
    return SnapshotStore(data / "snapshots", data / "quarantine")


def logs_of(data: Path, source: str) -> ChangeLogs:
    return ChangeLogs(data / "changelog" / source)


def kept(data: Path, source: str) -> dict[str, bytes]:
    """Snapshots, sidecars and change logs."""
    return {
        f"{part}/{path}": body
        for part in ("snapshots", "changelog")
        for path, body in tree(data / part / source).items()
    }


@pytest.fixture(scope="module")
def worlds() -> dict[date, dict[str, bytes]]:
    return {morning: world(morning) for morning in DAYS}


@pytest.fixture(scope="module")
def replay(worlds: dict[date, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Each morning comes into the archive and is landed, as a schedule would."""
    folder = tmp_path_factory.mktemp("replay")
    told = Replay(folder / "archive", folder / "data", {}, {})
    before = {name: kept(told.data, name) for name in SOURCES}
    for morning, files in worlds.items():
        for path, body in files.items():
            file = told.archive / instant(morning).strftime(INSTANT) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        told.arrived[morning], told.touched[morning] = {}, set()
        for name, source in SOURCES.items():
            landed = land(source, ArchiveTransport(told.archive), store_of(told.data), logs_of(told.data, name))
            told.arrived[morning][name] = {record.url for record in landed.arrived}
            after = kept(told.data, name)
            if after != before[name]:
                told.touched[morning].add(name)
            before[name] = after
    return told


@pytest.fixture(scope="module")
def at_once(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which the whole archive was landed in one call."""
    data = tmp_path_factory.mktemp("at-once") / "data"
    for name, source in SOURCES.items():
        land(source, ArchiveTransport(replay.archive), store_of(data), logs_of(data, name))
    return data


def test_a_morning_keeps_what_is_new_and_leaves_every_other_file_as_it_was(
    replay: Replay, worlds: dict[date, dict[str, bytes]]
) -> None:
    for yesterday, morning in pairwise(DAYS):
        changed = {url(path) for path, body in worlds[morning].items() if body != worlds[yesterday][path]}
        assert set().union(*replay.arrived[morning].values()) == changed, morning
        assert replay.touched[morning] == {name for name, urls in replay.arrived[morning].items() if urls}, morning
    assert [morning for morning in FORTNIGHT if not replay.touched[morning]] == SUNDAYS
    assert not any((replay.data / "quarantine").rglob("*"))


def test_landing_the_mornings_at_once_keeps_the_same_bytes(replay: Replay, at_once: Path) -> None:
    for name in SOURCES:
        assert kept(at_once, name) == kept(replay.data, name), name


def test_change_logs_built_again_from_the_snapshots_are_the_same_bytes(
    replay: Replay, at_once: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(at_once / "snapshots", data / "snapshots")
    for name, source in SOURCES.items():
        stored_logs(source, store_of(data), logs_of(data, name))
        assert kept(data, name) == kept(replay.data, name), name


# --- the change logs -------------------------------------------------------------------------------------------------


def changes(replay: Replay, source: str, table: str, *columns: str) -> list[tuple[object, ...]]:
    """What a change log says of the fortnight: the change, when it was seen, and these columns."""
    log = pq.read_table(replay.data / "changelog" / source / f"{table}.parquet")
    before = log.filter(pc.field("first_seen_at") <= instant(FIRST))
    assert set(before["first_seen_at"].to_pylist()) == {instant(FIRST)}
    assert set(before["change"].to_pylist()) == {"added"}
    rows = log.slice(before.num_rows)
    return sorted(zip(*(rows[name].to_pylist() for name in ("change", "first_seen_at", *columns)), strict=True))


def corrections(rows: Mapping[date, list[str]], labels: list[str], misprints: list[Misprint]) -> Iterator[Any]:
    """The cells that were rewritten in the fortnight: the morning, the day, the label and what stood there then."""
    for one in misprints:
        right = rows[one.day][labels.index(one.label)]
        if one.since in FORTNIGHT:
            yield one.since, one.day, one.label, too_high(right)
        yield one.until, one.day, one.label, right


def expected_yields(
    table: tuple[list[str], dict[date, list[str]]], misprints: list[Misprint], came: Callable[[date], date]
) -> list[tuple[str, datetime, date, str, float]]:
    """Each cell of the sessions that came in the fortnight, and those rewritten."""
    labels, rows = table
    added = [
        ("added", instant(came(day)), day, label, float(text))
        for day, texts in rows.items()
        if FIRST < came(day) <= LAST
        for label, text in zip(labels, texts, strict=True)
    ]
    revised = corrections(rows, labels, misprints)
    return added + [("revised", instant(on), day, label, float(text)) for on, day, label, text in revised]


def test_the_log_of_jgb_yields_holds_ten_sessions_and_three_rewritten_cells(replay: Replay) -> None:
    wanted = expected_yields(jgb_rows(), JGB_MISPRINTS, out_on)
    assert len(wanted) == 10 * 15 + 3
    found = changes(replay, "mof_jgb_yields", "yields", "obs_date", "tenor_years", "yield_pct")
    assert found == sorted((change, at, day, int(label[:-1]), pct) for change, at, day, label, pct in wanted)


def test_the_log_of_treasury_yields_holds_nine_days_and_one_rewritten_cell(replay: Replay) -> None:
    """25 May was Memorial Day."""
    wanted = expected_yields(treasury_rows(), TREASURY_MISPRINTS, treasury_out_on)
    assert len(wanted) == 9 * 14 + 1
    found = changes(replay, "treasury_par_yields", "yields", "obs_date", "tenor_months", "yield_pct")
    assert found == sorted((change, at, day, BY_LABEL[label].months, pct) for change, at, day, label, pct in wanted)


def test_the_logs_of_flows_hold_two_weeks_a_month_and_one_revised_week(replay: Replay) -> None:
    source = "mof_securities_flows"
    assets = [(side, asset) for side in SIDES for asset in ASSETS]
    new = {on: saturday for on, (saturday, _) in WEEKS.items() if on > FIRST}
    weeks = [("added", instant(on), saturday, *key) for on, saturday in new.items() for key in assets]
    revised = [("revised", instant(REVISED_ON), REVISED_WEEK, "outward", asset) for asset in REVISED_NETS]
    assert changes(replay, source, "week", "week_end_date", "side", "asset") == sorted(weeks + revised)
    nets = changes(replay, source, "week", "week_end_date", "side", "asset", "net_jpy_100m")
    assert {row[4]: row[5] for row in nets if row[0] == "revised"} == REVISED_NETS
    on = max(MONTHS)
    month_end, _ = MONTHS[on]
    months = [("added", instant(on), month_end, *key) for key in assets]
    assert changes(replay, source, "montha1", "month_end_date", "side", "asset") == sorted(months)
    investors = [("added", instant(on), month_end, investor) for investor in INVESTORS]
    assert changes(replay, source, "monthb3", "month_end_date", "investor") == sorted(investors)


def test_the_other_logs_hold_the_new_auctions_and_nothing_else(replay: Replay) -> None:
    auctions = changes(replay, "mof_jgb_auctions", "auctions", "auction_date", "sheet")
    assert auctions == [("added", instant(max(AUCTIONS_TO)), *auction) for auction in AUCTIONS]
    for name in ("treasury_tic", "mof_auction_pages"):
        for spec in SOURCES[name].tables:
            path = logs_of(replay.data, name).path(spec.name)
            assert set(pq.read_table(path)["first_seen_at"].to_pylist()) <= {instant(FIRST)}, spec.name


# --- the marts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loads:
    """A dataset as published after the replay, and after one load of the last morning alone; rows in order of key."""

    dataset: Dataset
    key: list[str]
    replayed: pa.Table
    fresh: pa.Table

    def differing(self, column: str) -> dict[Any, Any]:
        """Where a column differs, exactly: by key, what the replay has. Null is equal to null."""
        assert self.replayed.select(self.key).equals(self.fresh.select(self.key)), self.dataset.name
        ours, theirs = self.replayed[column], self.fresh[column]
        one_null = pc.xor(pc.is_null(ours), pc.is_null(theirs))
        differs = pc.or_(one_null, pc.fill_null(pc.not_equal(ours, theirs), False))
        rows = self.replayed.filter(differs)
        keys = zip(*(rows[name].to_pylist() for name in self.key), strict=True)
        return dict(zip((key if len(key) > 1 else key[0] for key in keys), rows[column].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def loads(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loads]:
    """Every dataset, by name. Of this fortnight there is one vintage of each holding, so its instant is no key here."""
    folder = tmp_path_factory.mktemp("last")
    name = instant(LAST).strftime(INSTANT)
    shutil.copytree(replay.archive / name, folder / "archive" / name)
    runs = run(replay.data, archive_dir=replay.archive), run(folder / "data", archive_dir=folder / "archive")
    found = {}
    for dataset in datasets(DBT_PROJECT.manifest_path):
        key = [name for name in dataset.key if name != dataset.known_at]
        tables = []
        for one in runs:
            assert one.code == 0, one.err
            table = pq.read_table(one.current / f"{dataset.name}.parquet")
            tables.append(table.sort_by([(part, "ascending") for part in key]))
        found[dataset.name] = Loads(dataset, key, *tables)
    return found


# Revisions were seen or not, the status counts arrivals, and a morning of repatriation knows what had come by then.
TELL_WHAT_WAS_KNOWN = {"revisions", "source_status", "repatriation"}
# Figures as first seen: the replay saw a first print, the load has but the last.
FIRST_PRINTS = {"first_print_jpy_bn", "revised"}


def test_the_marts_are_those_of_one_load(loads: dict[str, Loads]) -> None:
    """Left out are the columns that say how and when a row came here: retrieval, registry, publisher's calendar."""
    for name, of in loads.items():
        if name in TELL_WHAT_WAS_KNOWN:
            continue
        assert of.replayed.group_by(of.key).aggregate([]).num_rows == of.replayed.num_rows > 0, name
        columns = [column.name for column in of.dataset.columns if not column.is_recorded]
        differ = {column: keys for column in columns if (keys := set(of.differing(column)))}
        if name == "securities_flows":
            assert differ == dict.fromkeys(FIRST_PRINTS, REVISED_FLOWS)
        else:
            assert differ == {}, name


def test_a_figure_that_came_late_or_was_revised_could_be_known_from_when_it_was_seen(loads: dict[str, Loads]) -> None:
    """Every other could be from the publisher's instant on, however it was landed."""
    jgb = {(LATE_SESSION, int(label[:-1])): LATE_UNTIL for label in jgb_rows()[0]}
    jgb |= {(one.day, int(one.label[:-1])): one.until for one in JGB_MISPRINTS}
    treasury = {(LATE_TREASURY_DAY, BY_LABEL[label].months): LATE_TREASURY_UNTIL for label in treasury_rows()[0]}
    treasury |= {(one.day, BY_LABEL[one.label].months): one.until for one in TREASURY_MISPRINTS}
    later: dict[str, dict[Any, date]] = {
        "jgb_yields": jgb,
        "jgb_yields_wide": {day: seen for (day, _), seen in jgb.items()},
        "ust_yields": treasury,
        "securities_flows": dict.fromkeys(REVISED_FLOWS, REVISED_ON),
    }
    dated = {name: of for name, of in loads.items() if "published_at" in of.replayed.schema.names}
    assert dated.keys() >= later.keys()
    for name, of in dated.items():
        seen = {key: instant(morning) for key, morning in later.get(name, {}).items()}
        assert of.differing("published_at") == seen, name


def test_only_mornings_that_knew_less_differ(loads: dict[str, Loads]) -> None:
    """What a Tokyo morning could know stays what it was, whatever came later: no hindsight."""
    of = loads["repatriation"]
    jgb = {next_tokyo_session(LATE_SESSION)} | {next_tokyo_session(one.day) for one in JGB_MISPRINTS if one.at_first}
    ust = {day + timedelta(days=1) for day in [LATE_TREASURY_DAY, *(one.day for one in TREASURY_MISPRINTS)]}
    sessions = [morning for morning in FORTNIGHT if is_tokyo_session(morning)]
    first_printed = {morning for morning in sessions if FIRST_PRINTED_ON <= morning <= REVISED_ON}
    wanted = {"jgb": jgb, "ust": ust, "of both": jgb | ust, "foreign_bond_net": first_printed}
    wanted["foreign_bond_published_at"] = {morning for morning in sessions if morning > REVISED_ON}
    found: dict[str, set[date]] = {}
    for column in of.dataset.columns:
        both = column.name.startswith(("spread", "hedge"))
        group = "of both" if both else next((part for part in wanted if column.name.startswith(part)), "any other")
        found[group] = found.get(group, set()) | set(of.differing(column.name))
    assert found == wanted | {"any other": set()}


def test_each_morning_holds_what_its_files_told(loads: dict[str, Loads]) -> None:
    rows = {row["obs_date"]: row for row in loads["repatriation"].replayed.to_pylist()}
    mornings = [morning for morning in FORTNIGHT if is_tokyo_session(morning)]
    for morning in mornings:
        row = rows[morning]
        labels, sessions = jgb_rows()
        newest = max(day for day in sessions if out_on(day) <= morning)
        texts = dict(zip(labels, shown(jgb_rows(), JGB_MISPRINTS, morning)[newest], strict=True))
        assert row["jgb_obs_date"] == newest
        assert [row["jgb_10y_pct"], row["jgb_30y_pct"]] == [float(texts["10Y"]), float(texts["30Y"])]
        labels, days = treasury_rows()
        newest = max(day for day in days if treasury_out_on(day) <= morning)
        texts = dict(zip(labels, shown(treasury_rows(), TREASURY_MISPRINTS, morning)[newest], strict=True))
        assert row["ust_obs_date"] == newest
        assert [row["ust_3m_pct"], row["ust_10y_pct"]] == [float(texts["3 Mo"]), float(texts["10 Yr"])]
        # A new week is out at 08:50; that an old one was revised shows at 09:40, ten minutes after the morning.
        weeks = foreign_bond_nets(morning) | foreign_bond_nets(morning - timedelta(days=1))
        assert row["foreign_bond_week_end_date"] == max(weeks)
        assert row["foreign_bond_net_4w_jpy_bn"] == sum(weeks[week] for week in sorted(weeks)[-4:]) / 10


def test_a_sources_status_differs_in_what_arrived_and_when(loads: dict[str, Loads], replay: Replay) -> None:
    of = loads["source_status"]
    assert of.differing("newest_observation_date") == of.differing("next_expected_at") == {}
    counts = dict(zip(*(of.replayed[name].to_pylist() for name in ("source", "snapshots")), strict=True))
    assert counts == {name: sum(len(urls[name]) for urls in replay.arrived.values()) for name in SOURCES}
