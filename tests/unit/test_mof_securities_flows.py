"""The ministry's cross-border securities transactions: what they say, their traps, and what must not be let in."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from quickly import quickly

from jgb_assets.landing.changelog import compare
from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.mof_securities_flows import MofSecuritiesFlows

REPOSITORY = Path(__file__).parents[2]
FOLDER = "www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities"
ROOTS = [
    root
    for root in (REPOSITORY / "jgb_assets" / "bundle" / "archive", REPOSITORY.parent / "shared" / "archive")
    if any(root.glob(f"*/{FOLDER}/*.csv"))
]
SOURCE = MofSecuritiesFlows()
SPECS = {spec.name: spec for spec in SOURCE.tables}
URLS = {file.role: file.urls[0] for file in SOURCE.files}
ROLES = ["week", "montha1", "monthb3"]
MONTHLY = ["montha1", "monthb3"]
RETRIEVED = datetime(2026, 8, 15, 0, 5, tzinfo=UTC)
AMOUNTS = ("acquisition_jpy_100m", "disposition_jpy_100m", "net_jpy_100m")
INVESTORS = [
    "all",
    "public_sector",
    "central_bank",
    "general_government",
    "deposit_taking_corporations",
    "banks",
    "trust_banks",
    "other_sectors",
    "other_financial_corporations",
    "trust_accounts",
    "banks_trust_accounts",
    "trust_banks_trust_accounts",
    "financial_instruments_firms",
    "life_insurers",
    "non_life_insurers",
    "investment_trust_managers",
    "others",
]
FIRST = {"week": 15, "montha1": 12, "monthb3": 12}  # record of the first period
NEWEST = {"week": 1141, "montha1": 270, "monthb3": 270}  # record of the newest period
LAST = {"week": 1141, "montha1": 317, "monthb3": 317}  # last record before the empty one
TITLE, STAMP_JA, STAMP_EN = 2, 1, 2
STAMP = {"week": 19, "montha1": 11, "monthb3": 18}
UNIT = {"week": (5, 19), "montha1": (5, 25), "monthb3": (4, 52)}
JAPANESE, ENGLISH = ({role: (record, column) for role, column in STAMP.items()} for record in (STAMP_JA, STAMP_EN))


# --- the publisher's files, whole and edited --------------------------------------------------------------------

Rows = list[list[str]]
Step = Callable[[Rows], None]


def archived(root: Path, role: str, which: int) -> Snapshot:
    """The first (0) or last (-1) file of a role in an archive."""
    path = sorted(root.glob(f"*/{FOLDER}/{role}.csv"))[which]
    instant = datetime.strptime(path.relative_to(root).parts[0], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    return snapshot(role, path.read_bytes(), instant)


def snapshot(role: str, body: bytes, retrieved_at: datetime = RETRIEVED) -> Snapshot:
    return Snapshot(role, URLS[role], retrieved_at, hashlib.sha256(body).hexdigest(), body)


def read(body: bytes) -> Rows:
    return list(csv.reader(io.StringIO(body.decode("cp932"), newline="")))


def written(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("cp932")


@cache
def newest_rows(role: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in read(archived(ROOTS[0], role, -1).body))


def file(role: str, *steps: Step) -> bytes:
    """The newest file, edited."""
    rows = [list(row) for row in newest_rows(role)]
    for step in steps:
        step(rows)
    return written(rows)


def put(record: int, column: int, value: str) -> Step:
    def step(rows: Rows) -> None:
        assert rows[record - 1][column] != value
        rows[record - 1][column] = value

    return step


def swap(record: int, left: int, right: int) -> Step:
    def step(rows: Rows) -> None:
        row = rows[record - 1]
        assert row[left] != row[right]
        row[left], row[right] = row[right], row[left]

    return step


def swap_columns(left: int, right: int) -> Step:
    def step(rows: Rows) -> None:
        for row in rows:
            row[left], row[right] = row[right], row[left]

    return step


def remove(first: int, last: int = 0) -> Step:
    def step(rows: Rows) -> None:
        del rows[first - 1 : last or first]

    return step


def repeat(record: int) -> Step:
    return lambda rows: rows.insert(record, list(rows[record - 1]))


def resize(record: int, by: int) -> Step:
    def step(rows: Rows) -> None:
        rows[record - 1] = rows[record - 1][:by] if by < 0 else [*rows[record - 1], *[""] * by]

    return step


def keep(count: int) -> Step:
    def step(rows: Rows) -> None:
        assert len(rows) > count
        del rows[count:]

    return step


def replace_in(column: int, old: str, new: str) -> Step:
    """In the period labels, or in any other column of the period rows."""

    def step(rows: Rows) -> None:
        changed = 0
        for row in rows[11 : LAST["week"] if len(rows) > 1000 else 275]:
            changed += old in row[column]
            row[column] = row[column].replace(old, new)
        assert changed

    return step


def blank(record: int) -> Step:
    """A month not yet published."""

    def step(rows: Rows) -> None:
        rows[record - 1][3:] = [""] * (len(rows[record - 1]) - 3)

    return step


def cut(role: str, count: int) -> list[Step]:
    """As before the newest ``count`` periods were published."""
    newest = NEWEST[role]
    if role == "week":
        return [remove(newest - count + 1, newest)]
    return [blank(record) for record in range(newest - count + 1, newest + 1)]


def stamped(role: str, day: date) -> list[Step]:
    column = STAMP[role]

    def step(rows: Rows) -> None:
        assert "最終更新日" in rows[0][column]
        assert "Final Update" in rows[1][column]
        rows[0][column] = f"最終更新日  令和{day.year - 2018}年{day.month}月{day.day}日"
        rows[1][column] = f"Final Update  {day:%B} {day.day}, {day.year}"

    return [step]


def add(record: int, cells: Mapping[int, int]) -> Step:
    """Amounts added to cells."""

    def step(rows: Rows) -> None:
        row = rows[record - 1]
        for column, more in cells.items():
            row[column] = f"{amount(row[column]) + more:,}"

    return step


def amount(cell: str) -> int:
    return int(cell.replace(",", ""))


Gross = tuple[int, int]
ROUND = {"equity": (1_000, 400), "lt_debt": (5_000, 3_000), "st_debt": (800, 900)}
NOTHING = dict.fromkeys(ROUND, (0, 0))
LEAVES = {
    "central_bank": (20, 10),
    "general_government": (30, 50),
    "banks": (4_000, 1_500),
    "trust_banks": (600, 700),
    "banks_trust_accounts": (10, 20),
    "trust_banks_trust_accounts": (900, 500),
    "financial_instruments_firms": (2_000, 1_900),
    "life_insurers": (800, 1_200),
    "non_life_insurers": (40, 30),
    "investment_trust_managers": (500, 600),
    "others": (100, 300),
}
SUMS = {  # in this order
    "public_sector": ("central_bank", "general_government"),
    "deposit_taking_corporations": ("banks", "trust_banks"),
    "trust_accounts": ("banks_trust_accounts", "trust_banks_trust_accounts"),
    "other_financial_corporations": (
        "trust_accounts",
        "financial_instruments_firms",
        "life_insurers",
        "non_life_insurers",
        "investment_trust_managers",
    ),
    "other_sectors": ("other_financial_corporations", "others"),
    "all": ("public_sector", "deposit_taking_corporations", "other_sectors"),
}


def side(gross: Mapping[str, Gross]) -> list[int]:
    """One side's 11 amounts as the files have them."""
    net = {asset: bought - sold for asset, (bought, sold) in gross.items()}
    subtotal = net["equity"] + net["lt_debt"]
    triplets = {asset: [*amounts, net[asset]] for asset, amounts in gross.items()}
    return [
        *triplets["equity"],
        *triplets["lt_debt"],
        subtotal,
        *triplets["st_debt"],
        subtotal + net["st_debt"],
    ]


def exact(role: str, outward: Mapping[str, Gross] = ROUND, inward: Mapping[str, Gross] = ROUND) -> Step:
    """Round figures for the newest period, which is in no yearly row; all sums hold exactly."""
    if role == "monthb3":
        gross = dict(LEAVES)
        for name, parts in SUMS.items():
            gross[name] = sum(gross[part][0] for part in parts), sum(gross[part][1] for part in parts)
        amounts = [amount for name in INVESTORS for amount in (*gross[name], gross[name][0] - gross[name][1])]
    else:
        ours, theirs = side(outward), side(inward)
        amounts = [*ours, *theirs]
        if role == "montha1":
            amounts += [ours[6] - theirs[6], ours[10] - theirs[10]]
    start = 1 if role == "week" else 3

    def step(rows: Rows) -> None:
        row = rows[NEWEST[role] - 1]
        assert len(row) == start + len(amounts)
        row[start:] = [f"{amount:,}" for amount in amounts]

    return step


def parse(role: str, body: bytes) -> pa.Table:
    return SOURCE.parse({role: snapshot(role, body)})[role]


@cache
def whole(role: str) -> pa.Table:
    return parse(role, file(role))


def figures(table: pa.Table) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """(day of the period's end, labels...) -> bought, sold, net."""
    names = ["week_end_date" if "week_end_date" in table.schema.names else "month_end_date"]
    names += [name for name in ("side", "asset", "investor") if name in table.schema.names]
    return {tuple(row[name] for name in names): tuple(row[amount] for amount in AMOUNTS) for row in table.to_pylist()}


def month_end(month: str) -> date:
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


@cache
def parsed(role: str, body: bytes) -> pa.Table:
    return parse(role, body)


def gate(
    new: Mapping[str, bytes],
    stored: Mapping[str, bytes] | None = None,
    retrieved_at: datetime = RETRIEVED,
    retrieved: frozenset[str] | None = None,
    since: date = date.min,
) -> list[str]:
    """What the gate says of new files after stored ones, of periods that end ``since`` a day."""
    empty = {role: SPECS[role].empty() for role in ROLES}

    def tables(bodies: Mapping[str, bytes]) -> dict[str, pa.Table]:
        read_ = empty | {role: parsed(role, body) for role, body in bodies.items()}
        late = {role: [day >= since for day in read_[role][SPECS[role].key[0]].to_pylist()] for role in ROLES}
        return {role: read_[role].filter(pa.array(late[role], pa.bool_())) for role in ROLES}

    files = {role: snapshot(role, body, retrieved_at) for role, body in new.items()}
    after, before = tables(new), tables(stored or {})
    changes = {role: compare(before[role], after[role], SPECS[role]) for role in ROLES}
    return SOURCE.gate(Arrival(files, frozenset(new) if retrieved is None else retrieved, after, before, changes))


def refused(call: Callable[[], Any], role: str | None, *says: str) -> None:
    """The call is refused for this file, in words that match each pattern of ``says``."""
    with pytest.raises(SourceRejected) as caught:
        call()
    error = caught.value
    assert (error.source, error.role) == ("mof_securities_flows", role)
    assert error.url == URLS[role] if role else URLS["montha1"] in error.url or URLS["monthb3"] in error.url
    words = f"{error.place} | {error.expected} | {error.found}".replace(",", "")
    for pattern in says:
        assert re.search(pattern, words, re.IGNORECASE), f"{pattern!r} not in {words!r}"
    assert error.place.strip()
    assert len(error.remedy) > 20


def at(role: str, record: int) -> str:
    """A pattern: the record's number, or the period that stands there."""
    if role == "week":
        sunday = date(2005, 1, 2) + timedelta(weeks=record - FIRST[role])
        period = f"{sunday}|{sunday + timedelta(days=6)}"
    else:
        month = record - FIRST[role]
        period = f"{2005 + month // 12}-{month % 12 + 1:02d}"
    return rf"\b{record}\b|{period}"


# --- what the files say -----------------------------------------------------------------------------------------


def test_there_are_files_of_the_publisher() -> None:
    assert ROOTS


@pytest.fixture(scope="module", params=ROOTS, ids=lambda root: root.parts[-3])
def root(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def real(root: Path) -> dict[str, pa.Table]:
    return SOURCE.parse({role: archived(root, role, -1) for role in ROLES})


@pytest.fixture(scope="module")
def earlier(root: Path) -> dict[str, pa.Table]:
    return SOURCE.parse({role: archived(root, role, 0) for role in ROLES})


def test_a_file_never_retrieved_gives_an_empty_table() -> None:
    assert {role: table.num_rows for role, table in SOURCE.parse({}).items()} == dict.fromkeys(ROLES, 0)
    tables = SOURCE.parse({"monthb3": snapshot("monthb3", file("monthb3"))})
    assert [tables[role].num_rows for role in ROLES] == [0, 0, 259 * 17]
    assert [tables[role].schema for role in ROLES] == [SPECS[role].schema for role in ROLES]


def test_rows_stand_in_order_of_their_key_each_once(real: dict[str, pa.Table]) -> None:
    for role, table in real.items():
        assert table.schema == SPECS[role].schema
        keys = list(zip(*(table[name].to_pylist() for name in SPECS[role].key), strict=True))
        assert keys == sorted(set(keys))


def test_every_period_has_every_side_and_asset_or_investor(
    real: dict[str, pa.Table], earlier: dict[str, pa.Table]
) -> None:
    assert {role: table.num_rows for role, table in earlier.items()} == {
        "week": 1_126 * 10,
        "montha1": 259 * 10,
        "monthb3": 259 * 17,
    }
    assert real["week"].num_rows == 1_127 * 10
    flows = {
        (way, asset) for way in ("outward", "inward") for asset in ("equity", "lt_debt", "st_debt", "subtotal", "total")
    }
    for role in ("week", "montha1"):
        assert {key[1:] for key in figures(real[role])} == flows
    assert {key[1] for key in figures(real["monthb3"])} == set(INVESTORS)


def test_weeks_run_sunday_to_saturday_without_a_gap_and_17_of_them_cross_a_year(real: dict[str, pa.Table]) -> None:
    table = real["week"]
    weeks = sorted(set(zip(table["week_start_date"].to_pylist(), table["week_end_date"].to_pylist(), strict=True)))
    assert weeks == [
        (date(2005, 1, 2) + timedelta(weeks=n), date(2005, 1, 8) + timedelta(weeks=n)) for n in range(1_127)
    ]
    assert weeks[-1] == (date(2026, 8, 2), date(2026, 8, 8))
    assert sum(first.year != last.year for first, last in weeks) == 17


@pytest.mark.parametrize("role", MONTHLY)
def test_october_to_december_are_present_in_every_full_year_and_months_to_come_are_not(
    real: dict[str, pa.Table], role: str
) -> None:
    months = sorted(set(real[role]["month_end_date"].to_pylist()))
    assert months == [month_end(f"{2005 + n // 12}-{n % 12 + 1}") for n in range(259)]
    assert Counter(month.month for month in months if month.month >= 10) == {10: 21, 11: 21, 12: 21}
    assert months[-1] == date(2026, 7, 31)


WEEKLY_GOLD = """
    2005-01-02   23,929  15,051   8,878   9,811   4,192  10,363
    2005-01-09   20,658  16,950   3,708   3,045   5,986   9,627
    2007-12-30   12,119   7,874   4,245   4,063     393   1,623
    2013-12-29    3,528   7,940  -4,412  -4,588  -2,254  -1,384
    2015-03-29   70,985 101,706 -30,721 -27,423   9,993  12,369
    2020-03-01  183,192 141,498  41,694  42,640  10,970  12,301
    2022-12-18   47,096  51,682  -4,586    -255 -48,623 -73,343
    2023-03-12  125,172  91,792  33,380  35,203  40,960  30,940
    2024-10-27  128,575 173,153 -44,579 -55,620    -437   1,330
    2025-12-28   36,197  38,434  -2,237     284   2,735   5,354
    2026-03-29  105,386 130,174 -24,789 -10,928  23,762  49,405
    2026-07-19   63,407  71,508  -8,101  -5,621 -15,141 -34,841
    2026-07-26   93,013  88,234   4,779   6,262   5,589  -1,266
    2026-08-02   89,127  72,833  16,294  18,116    -587  -2,113
"""
MONTHLY_GOLD = """
    2005-01   1,506   5,888   -753   6,641   8,753  18,351   8,744   35,847
    2014-01  -1,530 -29,118  1,755 -28,892 -10,529     201  44,418   34,090
    2020-03  18,472  35,039 -2,574  50,938 -48,420 -45,705 -29,912 -124,037
    2024-08  14,136  73,370    -55  87,451  -9,581  14,918 -22,227  -16,891
    2024-10 -23,658 -44,881  3,552 -64,988  27,004  13,003  25,927   65,934
    2026-03  22,210 -37,574 -3,591 -18,955 -73,705   5,979 -58,828 -126,554
    2026-07   1,695   3,657  8,254  13,605  12,983 -13,167 -12,923  -13,106
"""
INVESTOR_GOLD = """
    2005-01   5,888     297  1,120    930  4,966  -4,113  3,320
    2020-03  35,039  55,778 -4,401 -2,160  6,711  -8,322 -8,252
    2022-12 -14,687 -10,207  1,342 15,901    590 -22,466  2,183
    2024-10 -44,881 -40,657  3,421 -2,180 -5,205     746    863
    2026-01   6,233  -1,828  1,180  7,771  4,790     402 -2,312
    2026-02 -34,216 -31,431 -3,173 12,167 -1,118  -6,187 -1,747
    2026-03 -37,574 -15,786 -9,541 -6,014  7,167  -6,384 -5,481
    2026-05  30,861  -1,146 -2,498 31,556  4,017     179  1,097
    2026-06    -180 -19,883    212 15,452  9,163    -413 -1,200
    2026-07   3,657  -2,607    520  8,957    267    -106 -1,117
"""


def gold(table: str) -> dict[str, list[int]]:
    lines = [line.replace(",", "").split() for line in table.strip().splitlines()]
    return {period: [int(amount) for amount in amounts] for period, *amounts in lines}


def test_golden_weeks(real: dict[str, pa.Table]) -> None:
    found = figures(real["week"])
    for sunday, amounts in gold(WEEKLY_GOLD).items():
        end = date.fromisoformat(sunday) + timedelta(days=6)
        assert [
            *found[end, "outward", "lt_debt"],
            *(found[end, *flow][2] for flow in (("outward", "total"), ("inward", "lt_debt"), ("inward", "total"))),
        ] == amounts
    assert found[date(2005, 1, 15), "outward", "st_debt"][2] == -671
    assert found[date(2005, 1, 8), "outward", "equity"] == (1_689, 1_419, 270)


def test_golden_months(real: dict[str, pa.Table]) -> None:
    found = figures(real["montha1"])
    order = [(way, asset) for way in ("outward", "inward") for asset in ("equity", "lt_debt", "st_debt", "total")]
    for month, amounts in gold(MONTHLY_GOLD).items():
        assert [found[month_end(month), *flow][2] for flow in order] == amounts


def test_golden_investors(real: dict[str, pa.Table]) -> None:
    found = figures(real["monthb3"])
    order = ["all", "banks", "trust_banks", "trust_accounts"]
    order += ["financial_instruments_firms", "life_insurers", "investment_trust_managers"]
    for month, amounts in gold(INVESTOR_GOLD).items():
        assert [found[month_end(month), investor][2] for investor in order] == amounts


def test_the_extremes_are_where_the_publisher_has_them(real: dict[str, pa.Table]) -> None:
    weeks = {key: amounts[2] for key, amounts in figures(real["week"]).items() if key[2] == "lt_debt"}
    out = {key[0]: net for key, net in weeks.items() if key[1] == "outward"}
    into = {key[0]: net for key, net in weeks.items() if key[1] == "inward"}
    assert (max(out, key=out.__getitem__), min(out, key=out.__getitem__)) == (date(2020, 3, 7), date(2024, 11, 2))
    assert (max(into, key=into.__getitem__), min(into, key=into.__getitem__)) == (date(2023, 3, 18), date(2022, 12, 24))
    months = {key[0]: row[2] for key, row in figures(real["montha1"]).items() if key[1:] == ("outward", "lt_debt")}
    assert months[max(months, key=months.__getitem__)] == 73_370
    assert months[min(months, key=months.__getitem__)] == -44_881
    nets = figures(real["monthb3"])
    life = {key[0]: row[2] for key, row in nets.items() if key[1] == "life_insurers"}
    trusts = {key[0]: row[2] for key, row in nets.items() if key[1] == "trust_accounts"}
    assert min(life, key=life.__getitem__) == date(2022, 12, 31)
    assert max(trusts, key=trusts.__getitem__) == date(2026, 5, 31)


def test_a_printed_net_may_differ_by_its_rounding_and_is_kept(real: dict[str, pa.Table]) -> None:
    assert figures(real["week"])[date(2024, 11, 2), "outward", "lt_debt"] == (128_575, 173_153, -44_579)
    for role in ("week", "montha1"):
        rounding = {bought - sold - net for bought, sold, net in figures(real[role]).values() if bought is not None}
        assert rounding == {-1, 0, 1}


@pytest.mark.parametrize("role", ["week", "montha1"])
def test_subtotal_and_total_are_published_net_only(real: dict[str, pa.Table], role: str) -> None:
    for (_, _, asset), (bought, sold, net) in figures(real[role]).items():
        assert ((bought is None), (sold is None)) == (asset in ("subtotal", "total"),) * 2
        assert net is not None


def test_central_bank_and_split_trust_accounts_start_in_2014_and_are_null_before(real: dict[str, pa.Table]) -> None:
    nulls: Counter[tuple[str, int]] = Counter()
    for (month, investor), amounts in figures(real["monthb3"]).items():
        nulls[investor, month.year] += amounts.count(None)
    late = ["central_bank", "general_government", "banks_trust_accounts", "trust_banks_trust_accounts"]
    assert +nulls == {(investor, year): 36 for investor in late for year in range(2005, 2014)}
    assert nulls.total() == 1_296  # columns 9-14 and 33-38 together, 648 each
    assert figures(real["monthb3"])[date(2014, 1, 31), "central_bank"] == (0, 0, 0)


def test_zero_is_a_figure(real: dict[str, pa.Table]) -> None:
    assert figures(real["monthb3"])[date(2005, 1, 31), "public_sector"] == (0, 128, -128)


def test_trust_accounts_are_not_taken_for_banks(real: dict[str, pa.Table]) -> None:
    found = figures(real["monthb3"])
    for month in {key[0] for key in found}:
        whole_, parts = (
            found[month, "deposit_taking_corporations"],
            (found[month, "banks"], found[month, "trust_banks"]),
        )
        assert all(abs(total - one - two) <= 1 for total, one, two in zip(whole_, *parts, strict=True))
        if month.year >= 2014:
            parts = found[month, "banks_trust_accounts"], found[month, "trust_banks_trust_accounts"]
            assert abs(found[month, "trust_accounts"][2] - parts[0][2] - parts[1][2]) <= 1
    assert found[date(2005, 1, 31), "banks"] == (39_989, 39_692, 297)
    assert found[date(2005, 1, 31), "banks_trust_accounts"] == (None, None, None)
    assert found[date(2005, 1, 31), "trust_accounts"] == (13_403, 12_472, 930)


def test_investors_together_are_the_outward_long_term_debt_of_all_reporters(real: dict[str, pa.Table]) -> None:
    investors = {key[0]: row for key, row in figures(real["monthb3"]).items() if key[1] == "all"}
    flows = {key[0]: row for key, row in figures(real["montha1"]).items() if key[1:] == ("outward", "lt_debt")}
    assert investors == flows
    assert sum(map(len, flows.values())) == 777


def test_months_of_a_fiscal_year_add_to_its_printed_row_within_rounding(real: dict[str, pa.Table]) -> None:
    found = figures(real["monthb3"])
    printed = {"all": (27_925, 27_924), "banks": (-40_674, -40_675), "trust_accounts": (68_310, 68_310)}
    printed["life_insurers"] = -12_105, -12_103
    row = next(row for row in newest_rows("monthb3") if row[0].endswith("2025FY"))
    year = [month_end(f"{2025 + n // 12}-{n % 12 + 1}") for n in range(3, 15)]
    for investor, (total, added) in printed.items():
        assert int(row[5 + 3 * INVESTORS.index(investor)].replace(",", "")) == total
        assert sum(found[month, investor][2] for month in year) == added


def test_no_yearly_row_is_read_as_a_month(real: dict[str, pa.Table]) -> None:
    largest = max(
        max(amounts, default=0) for row in figures(real["monthb3"]).values() if (amounts := [v for v in row if v])
    )
    assert largest < 700_000  # the smallest yearly purchase of all investors is above 1,000,000


def test_no_cell_changed_between_the_two_releases_of_august_2026(
    real: dict[str, pa.Table], earlier: dict[str, pa.Table]
) -> None:
    changes = {role: compare(earlier[role], real[role], SPECS[role]) for role in ROLES}
    assert {role: table.num_rows for role, table in changes.items()} == {"week": 10, "montha1": 0, "monthb3": 0}
    assert set(changes["week"]["change"].to_pylist()) == {"added"}
    assert set(changes["week"]["week_end_date"].to_pylist()) == {date(2026, 8, 8)}


def test_stamp_is_the_day_of_the_release(real: dict[str, pa.Table], earlier: dict[str, pa.Table]) -> None:
    assert {role: set(table["updated_on"].to_pylist()) for role, table in real.items()} == {
        "week": {date(2026, 8, 14)},
        "montha1": {date(2026, 8, 10)},
        "monthb3": {date(2026, 8, 10)},
    }
    assert set(earlier["week"]["updated_on"].to_pylist()) == {date(2026, 8, 6)}


@pytest.mark.parametrize("role", ROLES)
def test_line_is_the_number_of_the_csv_record_not_of_the_text_line(role: str) -> None:
    rows = newest_rows(role)
    column = {"week": 4, "montha1": 6, "monthb3": 3}[role]
    lines = set()
    for row in whole(role).to_pylist():
        if (row.get("asset") == "lt_debt" and row["side"] == "outward") or row.get("investor") == "all":
            assert int(rows[row["source_line"] - 1][column].replace(",", "")) == row["acquisition_jpy_100m"]
        lines.add(row["source_line"])
    assert (min(lines), max(lines), len(lines)) == (FIRST[role], NEWEST[role], NEWEST[role] - FIRST[role] + 1)


def published(table: pa.Table) -> dict[date, datetime]:
    name = "week_end_date" if "week_end_date" in table.schema.names else "month_end_date"
    pairs = set(zip(table[name].to_pylist(), table["published_at"].to_pylist(), strict=True))
    days = dict(pairs)
    assert len(days) == len(pairs)
    return days


def tokyo(day: str) -> datetime:
    """08:50 in Tokyo."""
    return datetime.fromisoformat(f"{day}T08:50+09:00")


def test_a_week_is_out_on_the_fourth_business_day() -> None:
    out = {
        "2005-01-08": "2005-01-14",  # Coming of Age Day on the Monday
        "2019-04-27": "2019-05-10",  # ten days off
        "2019-05-04": "2019-05-10",
        "2022-12-24": "2023-01-04",  # 28 December and 4 January are business days
        "2023-12-30": "2024-01-10",
        "2026-05-02": "2026-05-12",  # a substitute holiday on 6 May
        "2026-08-01": "2026-08-06",
        "2026-08-08": "2026-08-14",  # Mountain Day
    }
    days = published(whole("week"))
    assert {end: days[date.fromisoformat(end)] for end in out} == {end: tokyo(day) for end, day in out.items()}


@pytest.mark.parametrize("role", MONTHLY)
def test_a_month_is_out_on_the_sixth_business_day_of_the_next(role: str) -> None:
    out = {
        "2005-01": "2005-02-08",
        "2019-04": "2019-05-14",
        "2023-12": "2024-01-12",
        "2025-12": "2026-01-13",
        "2026-04": "2026-05-13",
        "2026-07": "2026-08-10",
    }
    days = published(whole(role))
    assert {month: days[month_end(month)] for month in out} == {month: tokyo(day) for month, day in out.items()}


@pytest.mark.parametrize("role", ROLES)
def test_the_newest_period_is_out_on_the_day_of_the_stamp(role: str) -> None:
    days = published(parse(role, file(role, *stamped(role, date(2026, 8, 19)))))
    assert days.pop(max(days)) == tokyo("2026-08-19")
    assert max(days.values()) < tokyo("2026-08-10")
    assert {instant.utcoffset() for instant in days.values()} == {timedelta(0)}


def test_nothing_was_out_later_than_the_stamp() -> None:
    year_end = file("week", *cut("week", 31), *stamped("week", date(2026, 1, 7)))
    days = published(parse("week", year_end))
    assert days[date(2026, 1, 3)] == days[date(2025, 12, 27)] == tokyo("2026-01-07")  # by the calendar the 8th
    assert days[date(2025, 12, 20)] == tokyo("2025-12-25")
    early = published(parse("montha1", file("montha1", *cut("montha1", 1), *stamped("montha1", date(2026, 6, 8)))))
    assert early[month_end("2026-05")] == tokyo("2026-06-08")


@pytest.mark.parametrize(
    ("newest", "due"),
    [
        (date(2026, 7, 25), "2026-08-06"),
        (date(2026, 8, 1), "2026-08-14"),
        (date(2026, 7, 31), "2026-08-06"),  # a month's end, the Friday before the week's
        (date(2026, 3, 31), "2026-04-09"),
        (date(2025, 12, 20), "2026-01-08"),
        (date(2025, 12, 27), "2026-01-08"),
        (date(2026, 4, 25), "2026-05-12"),
        (date(2022, 12, 17), "2023-01-04"),
    ],
)
def test_the_next_week_is_due_on_its_fourth_business_day(newest: date, due: str) -> None:
    expected = SOURCE.next_expected_at(newest)
    assert expected == tokyo(due)
    assert expected.utcoffset() == timedelta(0)


# --- lookalikes: the same figures in other clothes --------------------------------------------------------------


def bare_numbers(rows: Rows) -> None:
    for row in rows[11:]:
        row[1:] = [cell.replace(",", "") if re.fullmatch(r"-?[\d,]+ ?", cell) else cell for cell in row[1:]]


def ten_bare_numbers(rows: Rows) -> None:
    cells = [(row, n) for row in rows[11:270] for n, cell in enumerate(row) if re.fullmatch(r"-?\d,\d{3}", cell)]
    for row, n in cells[-10:]:
        row[n] = row[n].replace(",", "")


def trailing_blanks(rows: Rows) -> None:
    for row in rows[11:270]:
        row[3:] = [f"{cell} " if cell else cell for cell in row[3:]]


def digits(width: str) -> Step:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    narrow = str.maketrans("０１２３４５６７８９", "0123456789")

    def step(rows: Rows) -> None:
        for row in rows[11:275]:
            row[1] = row[1].translate(wide if width == "full" else narrow)

    return step


def no_eras(rows: Rows) -> None:
    for row in rows[11:275]:
        row[0] = "" if row[0].startswith("(") else row[0]


def foot(rows: Rows) -> None:
    """Notes after the empty record, at the columns at which they stand in the publisher's files."""
    end = LAST["week"] if len(rows) > 1000 else LAST["montha1"]
    assert not any(rows[end])
    notes = [["（備考）", "①", "四捨五入のため、合計に合わないことがある。"], ["", "  (Note 1)", "Totals may not add."]]
    rows[end + 1 :] = [[*note, *[""] * (len(rows[0]) - 3)] for note in notes]


@pytest.mark.parametrize(
    ("role", "step"),
    [
        pytest.param("week", replace_in(0, "～", "~"), id="ASCII tilde"),
        pytest.param("week", replace_in(0, "．", "."), id="ASCII full stops"),
        pytest.param("week", replace_in(0, "～ ", "～"), id="no blank after the dash"),
        pytest.param("week", replace_in(0, "～", "～ "), id="blanks after every dash"),
        pytest.param("week", replace_in(0, "～", " ～"), id="blank before the dash"),
        pytest.param("week", put(1141, 0, "2026．8．2～8．8 "), id="blank at the end"),
        pytest.param("week", put(1110, 0, " 2025．12．28 ～ 2026．1．3 "), id="blanks around a New Year week"),
        pytest.param("week", put(1141, 0, "2026．08．02～08．08"), id="two-digit days"),
        pytest.param("week", bare_numbers, id="no thousands commas"),
        pytest.param("montha1", bare_numbers, id="no thousands commas, months"),
        pytest.param("monthb3", ten_bare_numbers, id="ten numbers without comma"),
        pytest.param("monthb3", trailing_blanks, id="trailing blanks as in the weekly file"),
        pytest.param("montha1", digits("full"), id="full-width month digits, months"),
        pytest.param("montha1", digits("half"), id="half-width month digits, months"),
        pytest.param("monthb3", digits("full"), id="full-width month digits, investors"),
        pytest.param("monthb3", digits("half"), id="half-width month digits, investors"),
        pytest.param("montha1", no_eras, id="no era names"),
        pytest.param("week", foot, id="other notes, weeks"),
        pytest.param("montha1", foot, id="other notes, months"),
        pytest.param("monthb3", foot, id="other notes, investors"),
        pytest.param("week", put(STAMP_EN, 19, "Final Update August 14,2026"), id="other blanks in the stamp"),
        pytest.param("monthb3", swap(STAMP_EN, 18, 19), id="English stamp one column on"),
    ],
)
def test_the_same_figures_in_other_clothes_are_read_alike(role: str, step: Step) -> None:
    body = file(role, step)
    assert body != file(role)
    assert parse(role, body).equals(whole(role))


def test_the_weekly_file_writes_1689_in_quotes_with_a_blank_and_its_first_label_with_one() -> None:
    body = file("week")
    assert b'"1,689 ","1,419 ",270 ,' in body
    assert "2005．1．2～ 1．8,".encode("cp932") in body
    assert body == archived(ROOTS[0], "week", -1).body
    assert figures(parse("week", body))[date(2005, 1, 8), "outward", "equity"] == (1_689, 1_419, 270)


@pytest.mark.parametrize("role", MONTHLY)
def test_a_month_not_yet_published_has_no_row(role: str) -> None:
    table = parse(role, file(role, *cut(role, 2)))
    assert max(table["month_end_date"].to_pylist()) == date(2026, 5, 31)
    assert table.num_rows == 257 * (10 if role == "montha1" else 17)


@pytest.mark.parametrize("role", MONTHLY)
@pytest.mark.parametrize("next_year_stands", [True, False])
def test_in_january_the_newest_month_is_a_december_and_no_fiscal_year_is_complete_after_it(
    role: str, next_year_stands: bool
) -> None:
    steps = [remove(317), *cut(role, 7)]  # 2025FY ends in March 2026
    if not next_year_stands:
        steps.append(remove(264, 275))
    table = parse(role, file(role, *steps, *stamped(role, date(2026, 1, 13))))
    assert max(table["month_end_date"].to_pylist()) == date(2025, 12, 31)
    assert len(set(table["month_end_date"].to_pylist())) == 252


# --- what a file by itself must not be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"\r\n \r\n", b"<!DOCTYPE html><html><title>404</title></html>", b"\r\n<html lang=ja>"]
)
def test_a_page_or_nothing_is_refused(body: bytes) -> None:
    for role in ROLES:
        refused(lambda: parse(role, body), role, "empty|page")  # noqa: B023


def mistaken(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body
    return body.replace(old, new, 1)


@pytest.mark.parametrize("role", ROLES)
def test_bytes_of_another_encoding_are_refused(role: str) -> None:
    text = file(role).decode("cp932")
    for body in (
        text.encode("utf-8"),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        mistaken(file(role), "令和".encode("cp932"), b"\x97\x00a"),
    ):
        refused(lambda: parse(role, body), role, "cp932")  # noqa: B023


def test_another_file_of_the_ministry_is_refused() -> None:
    for role, other in permutations(ROLES, 2):
        refused(lambda: parse(role, file(other)), role)  # noqa: B023
        title = newest_rows(other)[TITLE - 1][0]
        refused(lambda: parse(role, file(role, put(TITLE, 0, title))), role, r"\b2\b", re.escape(title[:60]))  # noqa: B023
    for kind in ("Short-term debt securities", "Equity and investment fund shares"):
        title = f"Purchases and Sales of Foreign Securities by Residents by Types of Investors({kind})"
        refused(lambda: parse("monthb3", file("monthb3", put(TITLE, 0, title))), "monthb3", r"\b2\b", kind)  # noqa: B023


@pytest.mark.parametrize(
    ("place", "text", "says"),
    [
        pytest.param(UNIT, "", "unit", id="no unit"),
        pytest.param(UNIT, "(Unit: 1 billion Yen)", "unit", id="another unit"),
        pytest.param(ENGLISH, "", "Final Update", id="no English stamp"),
        pytest.param(ENGLISH, "Final Update  Augast 14, 2026", "Augast|Final Update", id="no such month"),
        pytest.param(ENGLISH, "Final Update  August 32, 2026", "August 32|Final Update", id="no such day"),
        pytest.param(ENGLISH, "Final Update  July 9, 2026", "2026-07-09|July 9", id="English stamp of another day"),
        pytest.param(JAPANESE, "", "最終更新日|Japanese", id="no Japanese stamp"),
        pytest.param(JAPANESE, "最終更新日  令和8年8月13日", "2026-08-13|8月13日", id="Japanese stamp of another day"),
        pytest.param(JAPANESE, "最終更新日  令和7年8月14日", "2025-08-14|令和7年", id="Japanese stamp of another year"),
        pytest.param(JAPANESE, "最終更新日  平成8年8月14日", "平成|最終更新日|Japanese", id="another era"),
    ],
)
def test_a_file_without_its_unit_or_with_stamps_that_disagree_is_refused(
    place: Mapping[str, tuple[int, int]], text: str, says: str
) -> None:
    for role in ROLES:
        refused(lambda: parse(role, file(role, put(*place[role], text))), role, says)  # noqa: B023


@pytest.mark.parametrize(
    ("role", "step", "says"),
    [
        pytest.param("week", swap(9, 1, 12), [r"\b9\b", "Portfolio Investment"], id="sides swapped"),
        pytest.param("week", swap(12, 7, 11), [r"\b12\b", "subtotal"], id="subtotal and total swapped"),
        pytest.param("week", swap(12, 15, 19), [r"\b12\b", "term debt"], id="maturities swapped"),
        pytest.param("week", put(12, 4, "Debt securities"), [r"\b12\b", "Debt securities"], id="asset renamed"),
        pytest.param("week", swap(14, 4, 5), [r"\b14\b", "Disposition"], id="bought and sold swapped"),
        pytest.param("week", put(14, 22, ""), [r"\b14\b", "Net"], id="last label gone"),
        pytest.param("week", swap_columns(4, 15), [r"\b(12|15)\b"], id="columns moved with their labels"),
        pytest.param("week", swap_columns(6, 17), [r"\b15\b"], id="net columns moved, alike in every label"),
        pytest.param("week", remove(10), [r"\b(9|11|12|14)\b"], id="header a record shorter"),
        pytest.param("montha1", swap(7, 0, 14), [r"\b7\b", "Portfolio Investment"], id="months: sides swapped"),
        pytest.param("montha1", swap(7, 25, 26), [r"\b7\b", "subtotal"], id="months: differences swapped"),
        pytest.param("montha1", swap(9, 6, 10), [r"\b9\b", "term debt"], id="months: maturities swapped"),
        pytest.param("montha1", put(9, 20, "Sub total B"), [r"\b9\b", "Sub total B"], id="months: subtotal renamed"),
        pytest.param("montha1", swap(11, 9, 20), [r"\b11\b", r"Net \([AB]\)"], id="months: A and B swapped"),
        pytest.param("montha1", swap(11, 14, 15), [r"\b11\b", "Disposition"], id="months: bought and sold swapped"),
        pytest.param("monthb3", swap(9, 18, 33), [r"\b9\b", r"\bBanks."], id="banks: own and trust accounts swapped"),
        pytest.param("monthb3", swap(9, 21, 36), [r"\b9\b", "Trust Banks"], id="trust banks: accounts swapped"),
        pytest.param("monthb3", put(9, 18, "Banks"), [r"\b9\b", "Banks"], id="bracket gone"),
        pytest.param("monthb3", swap(9, 42, 45), [r"\b9\b", "Life Insurance"], id="life and non-life swapped"),
        pytest.param("monthb3", swap(8, 6, 15), [r"\b8\b", "Public Sector|Deposit-taking"], id="sectors swapped"),
        pytest.param("monthb3", put(8, 24, "Others"), [r"\b8\b", "Others"], id="sector renamed"),
        pytest.param("monthb3", swap(11, 51, 52), [r"\b11\b", "Disposition"], id="investors: bought and sold swapped"),
    ],
)
def test_a_header_that_binds_the_columns_otherwise_is_refused(role: str, step: Step, says: list[str]) -> None:
    refused(lambda: parse(role, file(role, step)), role, *says)


@pytest.mark.parametrize("role", ROLES)
def test_a_record_of_another_width_is_refused(role: str) -> None:
    width = len(newest_rows(role)[0])
    for record in (8, 100, NEWEST[role], LAST[role], LAST[role] + 1):
        for by in (-1, 1):
            says = rf"\b{record}\b", rf"\b{width}\b", rf"\b{width + by}\b"
            refused(lambda: parse(role, file(role, resize(record, by))), role, *says)  # noqa: B023


def test_a_number_whose_quotes_are_lost_makes_its_record_wider() -> None:
    torn = mistaken(file("week"), b'"1,689 "', b"1,689 ")
    refused(lambda: parse("week", torn), "week", r"\b15\b", r"\b24\b")


@pytest.mark.parametrize(
    ("step", "says"),
    [
        pytest.param(put(1141, 0, "2026．8．2"), at("week", 1141), id="no end"),
        pytest.param(put(500, 0, "2014年4月20日～4月26日"), r"\b500\b.*2014年4月", id="another way to write weeks"),
        pytest.param(put(500, 0, ""), r"\b500\b", id="no label"),
        pytest.param(put(500, 0, "（備考）"), r"\b500\b.*備考", id="a note among weeks"),
        pytest.param(put(500, 0, "2014．2．30～3．8"), r"\b500\b.*2014．2．30", id="no such day"),
        pytest.param(put(1141, 0, "2026．8．3～8．9"), at("week", 1141) + "|2026-08-03", id="Monday to Sunday"),
        pytest.param(put(1141, 0, "2026．8．2～8．9"), at("week", 1141), id="eight days"),
        pytest.param(put(1110, 0, "2025．12．28～1．3"), at("week", 1110), id="year of the end not stated"),
        pytest.param(put(1110, 0, "2025．12．28～2025．1．3"), at("week", 1110), id="year of the end not the next"),
        pytest.param(put(1109, 0, "2025．12．21～2026．12．27"), at("week", 1109), id="a year and a week"),
        pytest.param(put(1141, 0, "2026．8．9～8．15"), at("week", 1141) + "|2026-08-09", id="a week skipped"),
        pytest.param(remove(500), at("week", 500) + "|" + at("week", 501), id="a week missing"),
        pytest.param(repeat(500), at("week", 500) + "|" + at("week", 501), id="a week twice"),
        pytest.param(remove(15), "2005-01-0[29]|2005．1．", id="first week missing"),
    ],
)
def test_weeks_that_do_not_follow_each_other_are_refused(step: Step, says: str) -> None:
    refused(lambda: parse("week", file("week", step)), "week", says)


def months_later(rows: Rows) -> None:
    """The figures of July stand at August."""
    rows[270][3:], rows[269][3:] = rows[269][3:], rows[270][3:]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        pytest.param(put(100, 2, "Mai"), r"\b100\b.*Mai", id="no such month"),
        pytest.param(put(100, 2, ""), r"\b100\b", id="no month"),
        pytest.param(put(100, 2, "Jun"), r"\b100\b|2012", id="another month"),
        pytest.param(remove(100), r"\b100\b|2012", id="a month missing"),
        pytest.param(repeat(100), r"\b10[01]\b|2012", id="a month twice"),
        pytest.param(put(264, 0, ""), r"\b264\b|2025|2026", id="January without its year"),
        pytest.param(put(264, 0, "2027"), r"\b264\b|2027", id="a year skipped"),
        pytest.param(remove(12), "2005", id="first month missing"),
        pytest.param(remove(12, 23), "2005|2006", id="first year missing"),
        pytest.param(blank(269), r"2026-0[67]|\b(269|270)\b", id="an empty month before the newest"),
        pytest.param(blank(100), r"\b10[01]\b|2012", id="an empty month long ago"),
        pytest.param(months_later, r"2026-0[78]|\b(270|271)\b", id="the newest figures a month late"),
    ],
)
def test_months_that_do_not_follow_each_other_are_refused(step: Step, says: str) -> None:
    for role in MONTHLY:
        refused(lambda: parse(role, file(role, step)), role, says)  # noqa: B023


@pytest.mark.parametrize(("role", "column"), [("week", 6), ("montha1", 8), ("monthb3", 44)])
def test_a_cell_that_is_no_integer_is_refused(role: str, column: int) -> None:
    for cell in ("1.5", "n.a.", "1_689", "△671", "－671", "1,689円", "(671)", "1 689", "--5", "1e3", "-", "x"):
        body = file(role, put(NEWEST[role], column, cell))
        says = at(role, NEWEST[role]), re.escape(cell.replace(",", ""))
        refused(lambda: parse(role, body), role, *says)  # noqa: B023


@pytest.mark.parametrize("role", ROLES)
def test_a_record_filled_in_part_is_refused(role: str) -> None:
    for record in (150, NEWEST[role]):
        for column in (3, len(newest_rows(role)[0]) - 1):
            refused(lambda: parse(role, file(role, put(record, column, ""))), role, at(role, record))  # noqa: B023
    if role in MONTHLY:
        refused(lambda: parse(role, file(role, put(271, 3, "9,934"))), role, at(role, 271))


def test_nobody_buys_or_sells_less_than_nothing() -> None:
    for role in ("week", "montha1"):
        parse(role, file(role, exact(role, inward=ROUND | {"st_debt": (0, 5)})))
        for gross in ((-5, 0), (0, -5)):
            body = file(role, exact(role, inward=ROUND | {"st_debt": gross}))
            refused(lambda: parse(role, body), role, at(role, NEWEST[role]), "-5")  # noqa: B023
    assert newest_rows("monthb3")[269][6:9] == ("0", "184", "-184")
    refused(lambda: parse("monthb3", file("monthb3", put(270, 6, "-1"))), "monthb3", at("monthb3", 270), "-1")


def no_month(rows: Rows) -> None:
    for row in rows[11:275]:
        row[3:] = [""] * (len(row) - 3)


def note_at_once(rows: Rows) -> None:
    """A note follows the last row without the empty record."""
    end = LAST["week"] if len(rows) > 1000 else LAST["montha1"]
    assert not any(rows[end])
    rows[end:] = [["（備考）", "①", *[""] * (len(rows[0]) - 2)]]


@pytest.mark.parametrize(
    ("roles", "step"),
    [
        pytest.param(["week"], remove(15, 1141), id="no week"),
        pytest.param(["week"], keep(14), id="weekly header only"),
        pytest.param(["week"], keep(LAST["week"]), id="cut after the last week"),
        pytest.param(MONTHLY, no_month, id="no month"),
        pytest.param(MONTHLY, remove(12, 317), id="no month, no year"),
        pytest.param(MONTHLY, keep(11), id="monthly header only"),
        pytest.param(MONTHLY, keep(275), id="cut before the yearly rows"),
        pytest.param(MONTHLY, keep(300), id="cut in the yearly rows"),
        pytest.param(MONTHLY, keep(LAST["montha1"]), id="cut after the last yearly row"),
        pytest.param(ROLES, keep(5), id="half a header"),
        pytest.param(ROLES, keep(200), id="cut in the middle"),
        pytest.param(ROLES, note_at_once, id="no empty record before the notes"),
    ],
)
def test_a_file_cut_short_is_refused(roles: list[str], step: Step) -> None:
    for role in roles:
        refused(lambda: parse(role, file(role, step)), role)  # noqa: B023


@pytest.mark.parametrize("role", ROLES)
def test_a_file_cut_within_a_record_is_refused(role: str) -> None:
    body = file(role, keep(LAST[role]))
    refused(lambda: parse(role, body[:-30]), role, rf"\b{LAST[role]}\b|end")
    refused(lambda: parse(role, body[: body.rindex(b'"')]), role)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        pytest.param(remove(281), "2010", id="2010CY gone"),
        pytest.param(remove(302), "2010", id="2010FY gone"),
        pytest.param(remove(296), "2025", id="2025CY gone, 7 months after its December"),
        pytest.param(remove(317), "2025", id="2025FY gone, 4 months after its March"),
        pytest.param(remove(276), "2005", id="2005CY gone"),
        pytest.param(remove(276, 317), "CY|FY|2005", id="all gone"),
        pytest.param(remove(297, 317), "FY|2005", id="fiscal years gone"),
        pytest.param(put(281, 0, "2010年(1月～12月）"), r"\b281\b|2010", id="no code"),
        pytest.param(put(290, 3, ""), r"\b290\b|2019", id="empty cell"),
        pytest.param(put(290, 3, "n.a."), r"\b290\b|2019", id="no figure"),
    ],
)
def test_a_monthly_file_without_one_of_its_yearly_rows_is_refused(step: Step, says: str) -> None:
    for role in MONTHLY:
        refused(lambda: parse(role, file(role, step)), role, says)  # noqa: B023


def excess(role: str, record: int, column: int) -> int | None:
    """What a yearly row prints above the sum of its months; None if a month has no figure."""
    rows = newest_rows(role)
    start = 11 + 12 * (record - 276) if record < 297 else 14 + 12 * (record - 297)
    months = [row[column] for row in rows[start : start + 12]]
    return None if "-" in months else amount(rows[record - 1][column]) - sum(map(amount, months))


def test_a_yearly_row_is_the_sum_of_its_months_but_for_twelve_roundings() -> None:
    widest = {
        role: max(
            abs(excess(role, record, column) or 0)
            for record in range(276, 318)
            for column in range(3, len(newest_rows(role)[0]))
        )
        for role in MONTHLY
    }
    assert widest == {"montha1": 4, "monthb3": 7}  # the latter in 2011CY, other financial corporations' sales


@pytest.mark.parametrize("record", [276, 285, 296, 297, 306, 317])
def test_a_yearly_row_further_off_its_months_than_ever_seen_is_refused(record: int) -> None:
    bought = next(n for n in (3, 6, 10, 14, 17, 21) if excess("montha1", record, n) == excess("montha1", record, n + 1))
    now = excess("montha1", record, bought) or 0
    for sign in (-1, 1):
        off = {n: file("montha1", add(record, {bought: sign * n - now, bought + 1: sign * n - now})) for n in (4, 9)}
        assert parse("montha1", off[4]).equals(whole("montha1"))
        refused(lambda: parse("montha1", off[9]), "montha1", rf"\b{record}\b|20\d\d(CY|FY)")  # noqa: B023
    body = file("monthb3", add(record, {48: 20, 49: 20}))
    refused(lambda: parse("monthb3", body), "monthb3", rf"\b{record}\b|20\d\d(CY|FY)")


@pytest.mark.parametrize(
    ("role", "tolerance", "cells"),
    [
        pytest.param("week", 2, [[1], [4], [19]], id="week: net is bought less sold"),
        pytest.param("week", 2, [[1, 3], [4, 6], [15, 17]], id="week: subtotal is equity and long-term debt"),
        pytest.param("week", 2, [[8, 10], [22]], id="week: total is subtotal and short-term debt"),
        pytest.param("montha1", 2, [[6], [14]], id="month: net is bought less sold"),
        pytest.param("montha1", 2, [[3, 5], [14, 16]], id="month: subtotal is equity and long-term debt"),
        pytest.param("montha1", 2, [[10, 12], [21, 23]], id="month: total is subtotal and short-term debt"),
        pytest.param("montha1", 2, [[25], [26]], id="month: outward less inward"),
        pytest.param("monthb3", 2, [[42], [51]], id="investor: net is bought less sold"),
        pytest.param("monthb3", 2, [[3, 5], [4, -5]], id="all are three sectors"),
        pytest.param("monthb3", 2, [[18, 20]], id="deposit-taking corporations are banks and trust banks"),
        pytest.param("monthb3", 3, [[51, 53]], id="other sectors are two"),
        pytest.param("monthb3", 3, [[42, 44]], id="other financial corporations are five"),
        pytest.param("monthb3", 2, [[33, 35]], id="trust accounts are two"),
        pytest.param("monthb3", 1, [[9, 11]], id="public sector is two"),
    ],
)
def test_an_identity_holds_within_the_rounding_seen_and_one_more(
    role: str, tolerance: int, cells: list[list[int]]
) -> None:
    newest = NEWEST[role]
    for columns in cells:  # all raised alike, those with a minus lowered

        def off(by: int) -> bytes:
            return file(role, exact(role), add(newest, {abs(n): by if n > 0 else -by for n in columns}))  # noqa: B023

        for sign in (-1, 1):
            parse(role, off(sign * tolerance))
            refused(lambda: parse(role, off(sign * (tolerance + 1))), role, at(role, newest))  # noqa: B023


def test_other_financial_corporations_round_up_to_4_and_one_more() -> None:
    def off(bought: int, net: int) -> bytes:
        return file("monthb3", exact("monthb3"), add(270, {27: bought, 29: net}))

    parse("monthb3", off(3, -2))
    parse("monthb3", off(-3, 2))
    refused(lambda: parse("monthb3", off(3, -3)), "monthb3", at("monthb3", 270))
    refused(lambda: parse("monthb3", off(-3, 3)), "monthb3", at("monthb3", 270))


@pytest.mark.parametrize(("role", "record"), [("week", 15), ("week", 600), ("montha1", 12), ("monthb3", 130)])
def test_an_identity_is_checked_in_every_record(role: str, record: int) -> None:
    body = file(role, add(record, {len(newest_rows(role)[0]) - 1: 4}))  # the yearly row is off by little
    refused(lambda: parse(role, body), role, at(role, record))


# --- figures that no arithmetic holds, texts without an end, and years that are none ---------------------------


@pytest.mark.parametrize("digits", [13, 19, 40, 5_000])
def test_an_amount_longer_than_any_is_refused_though_it_adds_up(digits: int) -> None:
    long = "9" * digits
    body = file("week", put(20, 1, long), put(20, 2, long), put(20, 3, "0"))
    refused(lambda: parse("week", body), "week", "record 20 column 1", "9{13}")


def test_a_week_with_blanks_without_an_end_is_refused_in_no_time() -> None:
    body = file("week", put(20, 0, "2005．2．6～" + " " * 100_000 + "x"))
    with quickly():
        refused(lambda: parse("week", body), "week", at("week", 20))


@pytest.mark.parametrize(
    "year", ["0000年(1月～12月） 0000CY", "2004年(1月～12月） 2004CY", "0000年4月～0001年3月 0000FY"]
)
@pytest.mark.parametrize("role", MONTHLY)
def test_a_year_before_the_first_is_refused(role: str, year: str) -> None:
    refused(lambda: parse(role, file(role, put(276, 0, year))), role, "record 276 column 0", year[:4])


@pytest.mark.parametrize("role", ROLES)
def test_of_an_empty_title_something_is_said(role: str) -> None:
    refused(lambda: parse(role, file(role, put(TITLE, 0, ""))), role, "a title that starts with", "nothing")


# --- what must not follow what is stored ------------------------------------------------------------------------


def test_a_first_load_and_the_next_release_pass_without_a_word(root: Path) -> None:
    old, new = ({role: archived(root, role, which).body for role in ROLES} for which in (0, -1))
    assert gate(new) == []
    assert gate(new, old) == []
    assert gate(new, new) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_stamp_older_than_the_stored_is_refused(role: str) -> None:
    day = {"week": date(2026, 8, 14)}.get(role, date(2026, 8, 10))
    stored = {role: file(role)}
    older = {role: file(role, *stamped(role, day - timedelta(days=1)))}
    refused(lambda: gate(older, stored), role, f"{day}", f"{day - timedelta(days=1)}")
    assert gate({role: file(role, *stamped(role, day + timedelta(days=1)))}, stored) == []


def test_a_stored_week_that_is_gone_is_refused() -> None:
    refused(lambda: gate({"week": file("week", *cut("week", 1))}, {"week": file("week")}), "week", "2026-08-0[28]")


@pytest.mark.parametrize("role", MONTHLY)
def test_a_stored_month_that_is_gone_is_refused(role: str) -> None:
    def august(rows: Rows) -> None:
        rows[270][3:] = rows[269][3:]

    refused(lambda: gate({role: file(role)}, {role: file(role, august)}), role, "2026-08")


@pytest.mark.parametrize(
    ("role", "most", "stamps"),
    [
        ("week", 6, [date(2026, 7, 2), date(2026, 6, 25)]),
        ("montha1", 3, [date(2026, 5, 13), date(2026, 4, 8)]),
        ("monthb3", 3, [date(2026, 5, 13), date(2026, 4, 8)]),
    ],
)
def test_more_new_periods_at_once_than_six_weeks_or_three_months_are_refused_but_after_a_pause(
    role: str, most: int, stamps: list[date]
) -> None:
    def before(count: int, *day: Step) -> dict[str, bytes]:
        return {role: file(role, *cut(role, count), *day)}

    new = {role: file(role)}
    assert gate(new, before(most)) == []
    refused(lambda: gate(new, before(most + 1)), role, rf"\b{most}\b", rf"\b{most + 1}\b")
    assert gate(new, before(most + 1, *stamped(role, stamps[1]))) == []


@pytest.mark.parametrize(
    ("role", "end", "least", "most"),
    [
        ("week", date(2026, 8, 8), 4, 13),
        ("montha1", date(2026, 7, 31), 5, 25),
        ("monthb3", date(2026, 7, 31), 5, 25),
    ],
)
def test_a_release_comes_some_days_after_its_newest_period(role: str, end: date, least: int, most: int) -> None:
    later = datetime(2026, 9, 30, tzinfo=UTC)

    def after(days: int) -> list[str]:
        return gate({role: file(role, *stamped(role, end + timedelta(days=days)))}, retrieved_at=later)

    assert after(least) == after(most) == []
    for days in (least - 1, most + 1):
        refused(lambda: after(days), role, rf"\b{days}\b|{end + timedelta(days=days)}")  # noqa: B023


@pytest.mark.parametrize(("role", "day"), [("week", 14), ("montha1", 10), ("monthb3", 10)])
def test_a_stamp_of_tomorrow_in_tokyo_is_refused_and_one_of_today_is_not(role: str, day: int) -> None:
    body = {role: file(role)}
    midnight = datetime(2026, 8, day - 1, 15, tzinfo=UTC)  # in Tokyo
    assert gate(body, retrieved_at=midnight) == []
    early = midnight - timedelta(seconds=1)
    refused(lambda: gate(body, retrieved_at=early), role, f"2026-08-{day}", f"2026-08-{day - 1:02d}")


def test_monthly_files_retrieved_together_carry_one_stamp() -> None:
    body = {"montha1": file("montha1", *stamped("montha1", date(2026, 8, 11))), "monthb3": file("monthb3")}
    refused(lambda: gate(body), None, "2026-08-1[01]")
    assert gate(body, {"monthb3": body["monthb3"]}, retrieved=frozenset({"montha1"})) == []
    week = {"week": file("week"), "montha1": file("montha1"), "monthb3": file("monthb3")}
    assert gate(week) == []  # the week's stamp is its own


BANDS = [
    ("week", "outward", "lt_debt", 60_000),
    ("week", "outward", "equity", 50_000),
    ("week", "outward", "st_debt", 12_000),
    ("week", "inward", "lt_debt", 65_000),
    ("week", "inward", "st_debt", 110_000),
    ("week", "inward", "total", 150_000),
    ("montha1", "outward", "lt_debt", 100_000),
    ("montha1", "inward", "lt_debt", 90_000),
]


@pytest.mark.parametrize(("role", "way", "asset", "band"), BANDS, ids=[f"{r} {w} {a}" for r, w, a, _ in BANDS])
def test_a_net_beyond_its_band_is_told_and_beyond_ten_times_is_refused(
    role: str, way: str, asset: str, band: int
) -> None:
    stored = {role: file(role, *cut(role, 1))}

    def of(net: int) -> dict[str, bytes]:
        gross = NOTHING | {"equity" if asset == "total" else asset: (max(net, 0), max(-net, 0))}
        sides = {"outward": NOTHING, "inward": NOTHING} | {way: gross}
        return {role: file(role, exact(role, **sides))}

    assert gate(of(-band), stored) == []
    for net in (band + 1, -10 * band):
        said = " ".join(gate(of(net), stored)).replace(",", "")
        assert re.search(rf"(?<!\d){net}\b", said), said
        assert way in said
        assert asset in said
    refused(lambda: gate(of(10 * band + 1), stored), role, str(10 * band + 1))
    assert gate(of(band + 1), of(band + 1)) == []  # told before


def test_a_first_load_in_another_unit_is_refused() -> None:
    body = file("week", exact("week", outward=NOTHING | {"lt_debt": (0, 600_001)}))
    refused(lambda: gate({"week": body}), "week", "600001")


@pytest.mark.parametrize(
    ("role", "columns", "label"),
    [("week", (4, 5), "lt_debt"), ("montha1", (17, 18), "lt_debt"), ("monthb3", (42, 43), "life_insurers")],
)
def test_a_revised_cell_is_told_with_its_old_and_new_figure(role: str, columns: tuple[int, int], label: str) -> None:
    record = NEWEST[role] - 3
    new = {role: file(role, add(record, dict.fromkeys(columns, 1)))}
    warnings = gate(new, {role: file(role)})
    said = " ".join(warnings).replace(",", "")
    assert label in said
    assert re.search(r"2026-07-1[28]|2026-04", said), said
    for column in columns:
        old = amount(newest_rows(role)[record - 1][column])
        assert re.search(rf"\b{old}\b.{{1,6}}\b{old + 1}\b", said), said
    assert str(amount(newest_rows(role)[record - 2][columns[0]])) not in said  # a cell that did not change


@pytest.mark.parametrize(
    ("role", "columns", "young", "old"),
    [
        ("week", (4, 5), 1_115, 1_114),  # 26 and 27 weeks before the newest
        ("montha1", (17, 18), 264, 263),  # 181 and 212 days
        ("monthb3", (42, 43), 264, 263),
    ],
)
def test_a_revision_half_a_year_back_waits_for_a_person(
    role: str, columns: tuple[int, int], young: int, old: int
) -> None:
    stored = {role: file(role)}

    def revised(record: int) -> list[str]:
        return gate({role: file(role, add(record, dict.fromkeys(columns, 1)))}, stored)

    assert revised(young)
    refused(lambda: revised(old), role, at(role, old).partition("|")[2] + "|2025-12-31|26 weeks")


def test_a_revision_of_more_than_a_tenth_of_all_cells_waits_for_a_person() -> None:
    stored = {"week": file("week")}

    def revised(count: int) -> dict[str, bytes]:
        gross = {1: 1, 2: 1, 4: 1, 5: 1, 8: 1, 9: 1, 12: 1, 13: 1, 15: 1, 16: 1, 19: 1, 20: 1}
        return {"week": file("week", *(add(1141 - n, gross) for n in range(count)))}

    since = date(2026, 8, 8) - timedelta(weeks=39)  # 40 weeks, so that 26 young ones are many
    assert gate(revised(2), stored, since=since)
    refused(lambda: gate(revised(26), stored, since=since), "week", r"10 ?%|tenth|per cent")
    assert gate(revised(26), stored)  # of all 1,127 weeks they are few


def test_a_revision_and_a_new_week_come_together() -> None:
    stored = {"week": file("week", *cut("week", 1), *stamped("week", date(2026, 8, 6)))}
    said = " ".join(gate({"week": file("week", add(1140, {4: 1_000, 5: 1_000}))}, stored)).replace(",", "")
    assert re.search(r"\b93013\b.{1,6}\b94013\b", said), said
    assert "89127" not in said  # new, not revised


@pytest.mark.parametrize(
    ("end", "out"),
    [
        (date(2005, 1, 15), datetime(2005, 1, 19, 23, 50, tzinfo=UTC)),  # a Thursday in Tokyo, as a saved release tells
        (date(2014, 5, 17), datetime(2014, 5, 21, 23, 50, tzinfo=UTC)),
        (date(2026, 8, 1), datetime(2026, 8, 5, 23, 50, tzinfo=UTC)),
        (date(2026, 8, 8), datetime(2026, 8, 13, 23, 50, tzinfo=UTC)),  # a Friday: Tuesday was a holiday
    ],
)
def test_weeks_were_published_on_these_days(end: date, out: datetime) -> None:
    table = whole("week")
    found = set(table.filter(pc.field("week_end_date") == end)["published_at"].to_pylist())
    assert found == {out}
