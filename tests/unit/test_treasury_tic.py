"""The Treasury's TIC files: what they say, their traps, and what must not be let in."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from quickly import quickly

from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.treasury_tic import HOLDER_KINDS, INDUSTRIES, TABLE1, TABLE3, TreasuryTic

REPOSITORY = Path(__file__).parents[2]
ROOTS = [
    root
    for root in (REPOSITORY / "jgb_assets" / "bundle" / "archive", REPOSITORY.parent / "shared" / "archive")
    if any(root.glob("*/ticdata.treasury.gov/**/*.txt"))
]
SOURCE = TreasuryTic()
SPECS = {spec.name: spec for spec in SOURCE.tables}
URLS = {file.role: file.urls[0] for file in SOURCE.files}
RETRIEVED = datetime(2026, 6, 18, 20, 30, tzinfo=UTC)
APRIL = 2026 * 12 + 3
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


# --- files in the publisher's layout, with figures of our own ---------------------------------------------------


def year_month(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def text(rows: list[list[str]], end: str = "\r\n") -> bytes:
    """Lines of equally many cells, each with its line end."""
    width = max(map(len, rows))
    return "".join("\t".join(row + [""] * (width - len(row))) + end for row in rows).encode("ascii")


COUNTRIES = {  # long-term mn of the first month
    "13005": ("United Kingdom", 800_000),
    "10251": ("Belgium", 400_000),
    "11703": ("Luxembourg", 380_000),
    "29998": ("Canada", 350_000),
    "41408": ("China, Mainland", 600_000),
    "42609": ("Japan", 1_050_000),
}
OTHERS = {
    "12009": ("Greece", 20_000),  # its bills are suppressed
    "39942": ("Total Latin America", 300_000),
    "34401": ("Total Caribbean", 500_000),
    "59994": ("Total Africa", 50_000),
    "69906": ("Total Other", 60_000),
    "72907": ("International", 60_000),
    "76929": ("Total Regional Orgs.", 20_000),
    "16713": ("Memo: Euro Area", 900_000),
    "16721": ("Memo: European Union", 950_000),
}
UNLISTED = {"europe": ("", 900_000), "asia": ("", 1_500_000)}


def world(newest: int = APRIL) -> dict[str, tuple[str, np.ndarray]]:
    """code -> name and the cells of table 3 (month, 7), oldest first; sums hold exactly."""
    count = newest - 2020 * 12 + 1
    groups: dict[str, tuple[str, np.ndarray]] = {}
    for seed, (code, (name, start)) in enumerate((COUNTRIES | OTHERS | UNLISTED).items(), start=1):
        steps = np.arange(count)
        long_term = start + 7 * seed * steps
        short_term = start // 10 + seed * (steps % 5)
        long_net, revalued = 5 * seed - steps % 3, np.full(count, 2 * seed)
        short_net = np.diff(short_term, prepend=0)
        groups[code] = (
            name,
            np.stack(
                [long_term + short_term, long_net + short_net, long_term, long_net, revalued, short_term, short_net],
                axis=1,
            ),
        )

    def total(code: str, name: str, *parts: str) -> None:
        groups[code] = name, np.sum([groups[part][1] for part in parts], axis=0)

    total("19992", "Total Europe", "13005", "10251", "11703", "12009", "europe")
    total("49999", "Total Asia", "41408", "42609", "asia")
    total("69995", "All Countries", "19992", "39942", "34401", "49999", "59994", "69906", "29998")
    total("79995", "Total IROs", "72907", "76929")
    total("99996", "Grand Total", "69995", "79995")
    total("99990", "Of Which: Foreign Official", "34401", "49999")
    groups["99991"] = "Of Which: Foreign Non-Official", groups["99996"][1] - groups["99990"][1]
    return {code: group for code, group in groups.items() if code not in UNLISTED}


def table3(newest: int = APRIL, prose: bool = True) -> bytes:
    rows = [["Table 3: U.S. Treasury Securities Held by Foreign Residents 1/"], ["Millions of dollars"]]
    if prose:
        rows = [
            rows[0],
            ["All Countries and Organizations"],
            ["A positive number is an increase"],
            rows[1],
            ["Link: x"],
            [],
        ]
    rows += [["", "", "", "Total U.S. Treasuries"], ["Country", "Country Code", "Date", "Holdings"]]
    rows.append(["country", "country_code", "date", *TABLE3.values])
    for code, (name, cells) in world(newest).items():
        for n in range(len(cells) - 1, -1, -1):
            values = [str(cell) for cell in cells[n]]
            if 2020 * 12 + n < 2023 * 12 + 1:
                values[1] = values[3] = values[4] = "n.a."
            if code == "12009":
                values[0] = values[5] = "n.a."
            rows.append([name, code, year_month(2020 * 12 + n), *values])
    return text([*rows, [], ["Notes:"], ["1/ Data of the system."]] if prose else rows)


def table1(newest: int = APRIL) -> bytes:
    rows = [["Table 1: U.S. Long-Term Securities Held by Foreign Residents"], ["Millions of dollars"], []]
    rows.append(["country", "country_code", "date", *TABLE1.values])
    groups = world(newest)
    groups |= {code: (f"Of Which: Industry {code}", groups["10251"][1]) for code in INDUSTRIES}
    for code, (name, cells) in groups.items():
        for n in range(len(cells) - 1, -1, -1):
            treasuries = cells[n, 2:5]
            total = [str(cell) for cell in treasuries + 60]
            assets = [str(cell) for _ in range(3) for cell in (20, 20, 20)]
            values = [*total, *(["n.a."] * 3 if code in INDUSTRIES else map(str, treasuries)), *assets]
            if 2020 * 12 + n < 2023 * 12 + 1:
                values = ["n.a." if k % 3 else value for k, value in enumerate(values)]
            rows.append([name, code, year_month(2020 * 12 + n), *values])
    return text([*rows, [], ["Definitions:"]])


def half_up(mn: int) -> str:
    return f"{(mn + 50) // 100 // 10}.{(mn + 50) // 100 % 10}"


def table5(newest: int = APRIL, prose: bool = True) -> bytes:
    groups = world(newest)
    months = range(newest, newest - 13, -1)

    def line(label: str, millions: np.ndarray) -> list[str]:
        return [label, *(half_up(int(millions[month - 2020 * 12])) for month in months)]

    listed = sorted((groups[code] for code in COUNTRIES), key=lambda group: -group[1][-1, 0])
    total, official = groups["99996"][1], groups["99990"][1]
    rows = [["Table 5: Major Foreign Holders of Treasury Securities"], ["Billions of dollars"]]
    if prose:
        rows = [rows[0], ["Holdings at end of time period"], rows[1], ["Link: x"], []]
    rows.append(["Country", *map(year_month, months)])
    rows += [line(name, cells[:, 0]) for name, cells in listed]
    rows.append(line("All Other", total[:, 0] - sum(cells[:, 0] for _, cells in listed)))
    rows.append(line("Grand Total", total[:, 0]))
    rows.append(line("Of Which: Foreign Official", official[:, 0]))
    rows.append(line("Of Which: Foreign Official Treasury Bills", official[:, 5]))
    rows.append(line("Of Which: Foreign Official T-Bonds & Notes", official[:, 2]))
    return text([*rows, [], ["Notes:"], ["Data are from custodians."]] if prose else rows)


SERIES = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]  # XII is that of 2011-06


def mfhhis01(newest: int = 2025, end: str = "\r\n", vintage: str = "5/18/2026") -> bytes:
    rows = [["", "", "MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES"], ["", "", "", "    (in billions of dollars)"]]
    rows += [["", "", "", "HOLDINGS 1/ AT END OF PERIOD"], [""] * 14, []]
    for year in range(newest, 1999, -1):
        months = [*range(11, -1, -1)] if year > 2000 else [*range(11, 1, -1), 2]
        labels: list[list[str]] = []
        if 2002 <= year <= 2011 or year == 2000:
            if year > 2000:
                months.insert(7, 5)
            at = months.index(5) if year > 2000 else 9
            new = year - 2000 if year > 2000 else 1
            blanks = [""] * (at + 1)
            labels = [[*blanks, "Series 7/", "Series"], [*blanks, "  " + SERIES[new], SERIES[new - 1]]]
        rows += [*labels, ["", *(MONTHS[month] for month in months)], ["Country", *[str(year)] * len(months)]]
        rows += [["", *["------"] * len(months)], []]
        old = [k > 0 and months[k - 1] == month for k, month in enumerate(months)]

        def line(label: str, start: float) -> list[str]:
            values = [start + month + 0.5 * was_old for month, was_old in zip(months, old, strict=True)]  # noqa: B023
            style = "{:.1f}" if year < 2013 else "{:g}"  # noqa: B023
            return [label, *(style.format(value) for value in values)]

        holders = {
            "Japan": 1000,
            '"China, Mainland"': 700,
            "United Kingdom 2/" if year < 2012 else "United Kingdom": 400,
            ("Belgium  5/" if year == 2002 else "Belgium") if year > 2001 else "Belgium-Luxembourg ": 40,
            **({"Luxembourg": 20} if year > 2001 else {}),
            **({"Oil Exporters 3/": 50, "Carib Bnkng Ctrs 4/": 60} if year < 2012 else {}),
            "All Other": 4000,
        }
        rows += [line(label, start) for label, start in holders.items()]
        if year == 2002:  # the old June too, column 8
            rows[-4] = [cell if k == 0 or 1 <= k <= 7 else "n.a." for k, cell in enumerate(rows[-4])]
        values = [[0.0 if cell == "n.a." else float(cell) for cell in row[1:]] for row in rows[-len(holders) :]]
        rows.append(["Grand Total", *(f"{sum(column):.1f}" for column in zip(*values, strict=True))])
        rows += [[], ["Of which:"], ["  For. Official", *["30.1"] * len(months)]]
        rows += [
            ["    Treasury Bills", *["10.0"] * len(months)],
            ["    T-Bonds & Notes", *["20.0"] * len(months)],
            [],
            [],
        ]
    return text(
        [*rows, ["Department of the Treasury/Federal Reserve Board"], [vintage], ['"(2025 revised May 18, 2026)"']], end
    )


FILES: dict[str, Callable[[], bytes]] = {"table5": table5, "table3": table3, "table1": table1, "mfhhis01": mfhhis01}
BODIES = {role: make() for role, make in FILES.items()}


def swap(body: bytes, old: str, new: str) -> bytes:
    """One occurrence replaced: the trap under test is really in the file."""
    assert old.encode() in body, old
    return body.replace(old.encode(), new.encode(), 1)


def snapshot(role: str, body: bytes, retrieved_at: datetime = RETRIEVED) -> Snapshot:
    return Snapshot(role, URLS[role], retrieved_at, hashlib.sha256(body).hexdigest(), body)


def parse(role: str, body: bytes) -> pa.Table:
    return SOURCE.parse({role: snapshot(role, body)})[role]


def cells(table: pa.Table, value: str) -> dict[tuple[str, str], Any]:
    """(label or name, YYYY-MM) -> value; of a doubled month the primary one."""
    name = "row_label" if "row_label" in table.schema.names else "holder_name"
    return {
        (row[name], f"{row['month_end_date']:%Y-%m}"): row[value]
        for row in table.to_pylist()
        if row.get("is_primary", True)
    }


def difference(role: str, old: pa.Table, new: pa.Table) -> pa.Table:
    """What the landing hands a gate: rows added, revised, withdrawn."""
    spec = SPECS[role]

    def keyed(table: pa.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
        return {tuple(row[k] for k in spec.key): row for row in table.to_pylist()}

    before, after = keyed(old), keyed(new)
    rows = [row | {"change": "withdrawn"} for key, row in before.items() if key not in after]
    for key, row in after.items():
        if key not in before:
            rows.append(row | {"change": "added"})
        elif any(row[v] != before[key][v] for v in spec.values):
            rows.append(row | {"change": "revised"})
    return pa.Table.from_pylist(rows, schema=spec.schema.append(pa.field("change", pa.string())))


def gate(
    bodies: Mapping[str, bytes], stored: Mapping[str, bytes] | None = None, retrieved_at: datetime = RETRIEVED
) -> list[str]:
    files = {role: snapshot(role, body, retrieved_at) for role, body in bodies.items()}
    tables = SOURCE.parse(files)
    before = SOURCE.parse({role: snapshot(role, body) for role, body in (stored or {}).items()})
    changes = {role: difference(role, before[role], tables[role]) for role in tables}
    return SOURCE.gate(Arrival(files, frozenset(bodies), tables, before, changes))


def refused(call: Callable[[], Any], role: str, *, place: str, says: str, remedy: str, of: str | None = "") -> None:
    """The call is refused by this source, for this file, at this place, with this to do."""
    with pytest.raises(SourceRejected) as caught:
        call()
    error = caught.value
    assert error.source == "treasury_tic"
    assert error.role == (role if of == "" else of)
    assert URLS[role] in error.url
    assert place in error.place, error
    assert says in f"{error.expected} / {error.found}", error
    assert remedy in error.remedy
    assert error.url in str(error)
    assert error.place in str(error)


def last_line(body: bytes) -> str:
    return f"line {len(body.splitlines())}"


LOOK, CONFIRM = "open the URL and compare", "JGB_ACCEPT_SHA256"


# --- what the files say -----------------------------------------------------------------------------------------


def test_a_file_never_retrieved_gives_an_empty_table_and_every_table_has_its_schema_and_order() -> None:
    assert {role: table.num_rows for role, table in SOURCE.parse({}).items()} == dict.fromkeys(SPECS, 0)
    tables = SOURCE.parse({role: snapshot(role, body) for role, body in BODIES.items()})
    for role, table in tables.items():
        assert table.schema == SPECS[role].schema
        keys = list(zip(*(table[name].to_pylist() for name in SPECS[role].key), strict=True))
        assert keys == sorted(set(keys))
        assert len(keys) > 100


def test_month_is_its_last_calendar_day_and_a_line_number_points_into_the_file() -> None:
    table = parse("table3", BODIES["table3"])
    assert {(day + timedelta(days=1)).day for day in table["month_end_date"].to_pylist()} == {1}
    assert date(2024, 2, 29) in table["month_end_date"].to_pylist()
    lines = BODIES["table3"].decode().split("\r\n")
    for row in table.to_pylist()[::97]:
        cells_of_line = lines[row["source_line"] - 1].split("\t")
        assert cells_of_line[:3] == [row["holder_name"], row["holder_code"], f"{row['month_end_date']:%Y-%m}"]
        assert cells_of_line[5] == str(row["for_lt_treas_pos"])


def test_missing_is_null_and_never_zero() -> None:
    table = parse("table3", BODIES["table3"])
    assert cells(table, "for_treas_pos")["Greece", "2026-04"] is None
    assert cells(table, "for_st_treas_pos")["Greece", "2026-04"] is None
    assert cells(table, "for_lt_treas_pos")["Greece", "2026-04"] > 0
    assert cells(table, "for_treas_net")["Japan", "2023-01"] is None
    assert cells(table, "for_treas_net")["Japan", "2023-02"] is not None
    assert cells(table, "for_st_treas_net")["Japan", "2020-02"] is not None


def test_kinds_keep_aggregates_apart_from_countries() -> None:
    table = parse("table1", BODIES["table1"])
    kinds = dict(zip(table["holder_name"].to_pylist(), table["holder_kind"].to_pylist(), strict=True))
    assert kinds["Total Asia"] == kinds["Total Other"] == "region"
    assert kinds["Memo: Euro Area"] == "memo"
    assert kinds["Grand Total"] == kinds["International"] == kinds["Of Which: Industry 89993"] == "aggregate"
    assert kinds["Of Which: Foreign Official"] == "official"
    assert {name for name, kind in kinds.items() if kind == "country"} == {
        *(name for name, _ in COUNTRIES.values()),
        "Greece",
    }
    assert len(HOLDER_KINDS) == 33


@pytest.mark.parametrize("role", ["table3", "table5"])
def test_prose_and_line_ends_may_be_absent_or_other(role: str) -> None:
    full = parse(role, BODIES[role])
    bare = parse(role, {"table3": table3, "table5": table5}[role](prose=False).replace(b"\r\n", b"\n"))
    assert full.drop(["source_line"]).equals(bare.drop(["source_line"]))


def test_an_additional_column_is_ignored_wherever_it_stands() -> None:
    lines = BODIES["table3"].decode().split("\r\n")[:-1]
    wide = [
        "\t".join([*(row := line.split("\t"))[:3], "new_column" if "date" in row else "odd 1/", *row[3:]])
        for line in lines
    ]
    body = ("\r\n".join(wide) + "\r\n").encode()
    assert parse("table3", body).equals(parse("table3", BODIES["table3"]))


def test_a_new_country_is_taken_as_one() -> None:
    body = BODIES["table3"].replace(b"Greece\t12009", b"Atlantis\t12999")
    assert cells(parse("table3", body), "holder_kind")["Atlantis", "2026-04"] == "country"


def test_table5_ranks_countries_only() -> None:
    table = parse("table5", BODIES["table5"])
    ranks = cells(table, "rank_newest")
    assert ranks["Japan", "2026-04"] == ranks["Japan", "2025-04"] == 1
    assert ranks["China, Mainland", "2026-04"] == 3
    kinds = cells(table, "row_kind")
    assert {label: kinds[label, "2026-04"] for label, month in kinds if ranks[label, month] is None} == {
        "All Other": "other",
        "Grand Total": "total",
        "Of Which: Foreign Official": "official",
        "Of Which: Foreign Official Treasury Bills": "official_bills",
        "Of Which: Foreign Official T-Bonds & Notes": "official_bonds",
    }


def test_months_run_from_right_to_left() -> None:
    positions = cells(parse("mfhhis01", BODIES["mfhhis01"]), "position_usd_bn")
    assert positions["Japan", "2025-12"] == 1011
    assert positions["Japan", "2025-01"] == 1000
    assert positions["Japan", "2000-03"] == 1002
    assert min(month for _, month in positions) == "2000-03"


def test_of_a_doubled_month_the_left_column_is_primary_and_the_right_one_the_old_series() -> None:
    japan = parse("mfhhis01", BODIES["mfhhis01"]).filter(pc.field("row_label") == "Japan").to_pylist()
    doubled = {
        f"{old['month_end_date']:%Y-%m}": (
            new["position_usd_bn"],
            new["series_label"],
            old["position_usd_bn"],
            old["series_label"],
        )
        for old, new in pairwise(japan)
        if not old["is_primary"]
    }
    assert len(doubled) == 11
    assert doubled["2011-06"] == (1005, "Series XII", 1005.5, "Series XI")
    assert doubled["2000-03"] == (1002, "Series II", 1002.5, "Series I")
    assert all(row["is_primary"] for row in japan if f"{row['month_end_date']:%Y-%m}" not in doubled)
    assert {row["series_label"] for row in japan if row["month_end_date"].year == 2025} == {None}


def test_labels_lose_footnote_marks_and_blanks_only() -> None:
    table = parse("mfhhis01", BODIES["mfhhis01"])
    kinds = dict(zip(table["row_label"].to_pylist(), table["row_kind"].to_pylist(), strict=True))
    assert kinds == {
        **dict.fromkeys(["Japan", "China, Mainland", "United Kingdom", "Belgium", "Luxembourg"], "country"),
        **dict.fromkeys(["Oil Exporters", "Carib Bnkng Ctrs", "Belgium-Luxembourg"], "region"),
        "All Other": "other",
        "Grand Total": "total",
        "For. Official": "official",
        "Treasury Bills": "official_bills",
        "T-Bonds & Notes": "official_bonds",
    }
    positions = cells(table, "position_usd_bn")
    assert ("Belgium", "2001-12") not in positions
    assert ("Belgium-Luxembourg", "2002-01") not in positions
    assert positions["For. Official", "2000-03"] == positions["For. Official", "2025-12"] == 30.1


def test_not_available_is_null_and_less_than_50_million_is_null_with_a_flag() -> None:
    body = swap(BODIES["mfhhis01"], "Luxembourg\t31\t", "Luxembourg\t*\t")
    total = body.split(b"Grand Total\t")[1].split(b"\t")[0]
    body = swap(body, f"Grand Total\t{total.decode()}", f"Grand Total\t{float(total) - 31:.1f}")
    table = parse("mfhhis01", body)
    assert cells(table, "position_usd_bn")["Luxembourg", "2025-12"] is None
    assert cells(table, "is_below_50_million")["Luxembourg", "2025-12"] is True
    assert cells(table, "position_usd_bn")["Luxembourg", "2002-05"] is None
    assert cells(table, "is_below_50_million")["Luxembourg", "2002-05"] is False
    assert pc.sum(table["is_below_50_million"]).as_py() == 1


@pytest.mark.parametrize("vintage", ["5/18/2026", "3/18/26"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_mfhhis01_comes_with_either_line_end_and_either_year(vintage: str, end: str) -> None:
    assert parse("mfhhis01", mfhhis01(end=end, vintage=vintage)).equals(parse("mfhhis01", BODIES["mfhhis01"]))


def test_mfhhis01_without_its_very_last_line_end_is_whole() -> None:
    """Seen in the issue of 2026-03-18. Its footer has been passed, so nothing is lost."""
    assert parse("mfhhis01", BODIES["mfhhis01"][:-2]).equals(parse("mfhhis01", BODIES["mfhhis01"]))


# --- what parse refuses -----------------------------------------------------------------------------------------

FROZEN_MFH = (
    b"                MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES\n"
    b"                        (in billions of dollars)\n"
    b"                     HOLDINGS 1/ AT END OF PERIOD\n\n"
    b"                       Jan     Dec\nCountry               2023    2022\n"
    b"                    ------  ------\nJapan               1104.4  1076.3\nKorea                103.2   103.2\n"
    b"Grand Total         7402.5  7318.7\n\nDepartment of the Treasury/Federal Reserve Board\nMarch 15, 2023\n"
)
FROZEN_GLOBL = b'"Foreign portfolio",holdings,of U.S.,securities\n"Country","5,367",713,n.a.\n'


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        (b"", "the whole file", "an empty body"),
        (b" \r\n", "the whole file", "an empty body"),
        (b"\r\n<!DOCTYPE html><html>Page not found</html>", "first bytes", "a web page"),
        (FROZEN_GLOBL, "the lines above the header", "Foreign portfolio"),
        ("Zürich\n".encode(), "byte 1", "ASCII"),
    ],
)
def test_what_is_no_file_of_this_source_is_refused(role: str, body: bytes, place: str, says: str) -> None:
    refused(lambda: parse(role, body), role, place=place, says=says, remedy=LOOK)


@pytest.mark.parametrize("role", FILES)
def test_the_frozen_mfh_is_refused(role: str) -> None:
    place = "the whole file" if role == "mfhhis01" else "the lines above the header"
    says = "another layout" if role == "mfhhis01" else "MAJOR FOREIGN HOLDERS"
    refused(lambda: parse(role, FROZEN_MFH), role, place=place, says=says, remedy=LOOK)


@pytest.mark.parametrize("role", FILES)
def test_the_file_of_another_role_is_refused(role: str) -> None:
    other = {"table5": "table3", "table3": "table1", "table1": "table5", "mfhhis01": "table5"}[role]
    refused(lambda: parse(role, BODIES[other]), role, place="above the header", says="the title", remedy=LOOK)


@pytest.mark.parametrize("role", FILES)
def test_another_unit_is_refused(role: str) -> None:
    old, new = ("illions", "rillions") if role == "mfhhis01" else ("illions of dollars", "illions of yen")
    body = BODIES[role].replace(old.encode(), new.encode(), 1)
    refused(lambda: parse(role, body), role, place="above the header", says="the unit", remedy=LOOK)


def test_millions_in_table5_and_billions_in_table3_are_refused() -> None:
    body = swap(BODIES["table5"], "Billions of dollars", "Millions of dollars")
    refused(lambda: parse("table5", body), "table5", place="above the header", says="'Billions of", remedy=LOOK)
    body = swap(BODIES["table3"], "Millions of dollars", "Billions of dollars")
    refused(lambda: parse("table3", body), "table3", place="above the header", says="'Millions of", remedy=LOOK)


@pytest.mark.parametrize("role", ["table5", "table3", "table1"])
def test_a_file_cut_within_a_line_is_refused(role: str) -> None:
    body = BODIES[role][: len(BODIES[role]) * 2 // 3].rstrip(b"\r\n")
    refused(lambda: parse(role, body), role, place=last_line(body), says="cut short", remedy=LOOK)


@pytest.mark.parametrize("role", FILES)
def test_a_file_cut_at_the_end_of_a_line_is_refused_wherever_that_is(role: str) -> None:
    lines = BODIES[role].splitlines(keepends=True)
    footer = {"table5": b"Notes:", "table3": b"Notes:", "table1": b"Definitions:", "mfhhis01": b"5/18/2026"}[role]
    last = next(n for n, line in enumerate(lines) if line.startswith(footer)) - (0 if role == "mfhhis01" else 1)
    assert parse(role, b"".join(lines[: last + 1])).num_rows == parse(role, BODIES[role]).num_rows
    place = {"table5": "the block of 2026-04", "mfhhis01": "the footer"}.get(role, "column date")
    says = {"table5": "cut short", "mfhhis01": "vintage date"}.get(role, "2020-01")
    refused(
        lambda: parse(role, b"".join(lines[: last if role == "mfhhis01" else last - 1])),
        role,
        place=place,
        says=says,
        remedy=LOOK,
    )
    for count in range(1, last, max(1, last // 40)):
        with pytest.raises(SourceRejected):
            parse(role, b"".join(lines[:count]))


def test_mfhhis01_with_bare_carriage_returns_is_refused() -> None:
    body = BODIES["mfhhis01"].replace(b"\r\n", b"\r")
    refused(lambda: parse("mfhhis01", body), "mfhhis01", place="whole file", says="lines of cells", remedy=LOOK)


def test_mfhhis01_cut_within_its_last_line_is_refused() -> None:
    body = BODIES["mfhhis01"].rstrip()
    refused(lambda: parse("mfhhis01", body), "mfhhis01", place=last_line(body), says="14 cells", remedy=LOOK)


@pytest.mark.parametrize(
    ("role", "old", "new", "place", "says"),
    [
        ("table3", "for_lt_treas_pos", "lt_treas_pos", "line 9, the header", "one column for_lt_treas_pos"),
        ("table1", "for_lt_eqty_net", "for_lt_eqty_pos", "line 4, the header", "one column for_lt_eqty_pos"),
        ("table3", "country_code", "code", "the whole file", "another layout"),
        ("table3", "\t42609\t2025-07\t", "\t42609\t2025-06\t", "column date of Japan (42609)", "2025-07"),
        ("table3", "Japan\t42609\t2026-04\t", "Japan\t42609\t\t2026-04\t", "line ", "10 cells"),
        ("table3", "Total Asia\t49999\t2026-04\t3", "Total Asia\t49999\t2026-04\t3,", "column for_treas_pos", "without separators"),
        ("table3", "Memo: Euro Area\t16713\t2026-04\t", "Memo: Euro Area\t16713\t2026-04\t-\t", "line ", "10 cells"),
        ("table3", "Belgium\t10251\t2026-04\t4", "Belgium\t10251\t2026-04\t2/ 4", "column for_treas_pos", "2/ 4"),
        ("table3", "Belgium\t10251\t2026-04\t4", "Belgium\t10251\t2026-04\t9", "Belgium, 2026-04", "for_st_treas_pos"),
        ("table1", "Belgium\t10251\t2026-04\t4", "Belgium\t10251\t2026-04\t9", "Belgium, 2026-04", "for_lt_eqty_pos"),
        ("table5", "Japan\t", "Japan\t1,", "line 7, column 2 of 'Japan'", "at most one decimal"),
        ("table5", "\t2026-01\t", "\t2025-01\t", "the header", "without a gap"),
        ("table5", "\t2025-04\r", "\t\r", "the header", "13 months"),
        ("table5", "Belgium\t4", "Belgium\tn.a.4", "column 2 of 'Belgium'", "n.a.4"),
        ("table5", "Luxembourg\t", "Belgium\t", "column 1", "'Belgium' once"),
        ("table5", "All Other\t", "Total Other\t", "first cells", "Total Other"),
        ("table5", "All Other\t", "All Other\t1", "column 2: 2026-04", "within 0.5"),
        ("table5", "T-Bonds & Notes\t", "T-Bonds & Notes\t1", "column 2: 2026-04", "bills and bonds"),
        ("mfhhis01", "Japan\t1011", "Japan\t1,011", "column 2 of 'Japan'", "1,011"),
        ("mfhhis01", "Japan\t1011", "Japan\t1012.5", "column 2: 2025-12", "within 1.0"),
        ("mfhhis01", "For. Official\t30.1", "For. Official\t30.5", "column 2: 2025-12", "within 0.3"),
        ("mfhhis01", "Japan\t1011", "Japan\t", "column 2 of 'Japan'", "''"),
        ("mfhhis01", "Japan\t1011\t", "\t1011\t", "column 1", "the holder"),
        ("mfhhis01", "Grand Total\t", "Sum\t", "the block of 2025-12", "one row Grand Total"),
        ("mfhhis01", "\tDec\tNov\tOct", "\tDec\tOct\tOct", "line 7, column 3", "2025-10"),
        ("mfhhis01", "\tDec\tNov\tOct", "\tDec\tDez\tOct", "line 7, column 3", "'Dez'"),
        ("mfhhis01", "5/18/2026", "revised", "the footer", "M/D/YYYY"),
        ("mfhhis01", "Carib Bnkng Ctrs 4/", "Total Caribbean", "first cells", "Total Caribbean"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_at_the_damage(role: str, old: str, new: str, place: str, says: str) -> None:
    body = swap(BODIES[role], old, new)
    remedy = "must not be ranked" if place == "first cells" else LOOK
    refused(lambda: parse(role, body), role, place=place, says=says, remedy=remedy)


def test_the_countries_of_table5_stand_in_descending_order_of_the_newest_month() -> None:
    lines = BODIES["table5"].splitlines(keepends=True)
    lines[6], lines[7] = lines[7], lines[6]
    body = b"".join(lines)
    refused(lambda: parse("table5", body), "table5", place="line 8, column 2026-04", says="descending", remedy=LOOK)


def drop_lines(body: bytes, start: str) -> bytes:
    kept = [line for line in body.splitlines(keepends=True) if not line.startswith(start.encode())]
    assert len(kept) < len(body.splitlines())
    return b"".join(kept)


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        (drop_lines(BODIES["table3"], "Japan\t42609\t2024-05"), "column date of Japan (42609)", "2024-05"),
        (drop_lines(BODIES["table3"], "Japan\t42609\t2020-01"), "column date of Japan (42609)", "another holder"),
        (drop_lines(BODIES["table3"], "Grand Total"), "the last of the data", "99996"),
        (drop_lines(BODIES["table3"], "Canada"), "the last of the data", "29998"),
        (BODIES["table3"].replace(b"\t12009\t", b"\t42609\t"), "column country_code", "42609 again"),
        (BODIES["table3"].replace(b"Greece\t12009\t", b"Total Oceania\t79999\t"), "first cells", "Total Oceania"),
        (BODIES["table3"].replace(b"Greece\t12009\t", b"Of Which: Banks\t88888\t"), "first cells", "88888"),
    ],
)
def test_a_group_that_is_holed_doubled_gone_or_unknown_is_refused(body: bytes, place: str, says: str) -> None:
    remedy = "add it to HOLDER_KINDS" if place == "first cells" else LOOK
    refused(lambda: parse("table3", body), "table3", place=place, says=says, remedy=remedy)


def change_cells(body: bytes, start: str, change: Callable[[list[str]], list[str]]) -> bytes:
    """The cells after the third of each line with this start rewritten."""
    lines = body.decode().split("\r\n")
    touched = [n for n, line in enumerate(lines) if line.startswith(start)]
    assert touched
    for n in touched:
        row = lines[n].split("\t")
        lines[n] = "\t".join([*row[:3], *change(row[3:])])
    return "\r\n".join(lines).encode()


def shifted(row: list[str], **by: int) -> list[str]:
    moved = {TABLE3.values.index(name): step for name, step in by.items()}
    return [str(int(cell) + moved[n]) if n in moved else cell for n, cell in enumerate(row)]


@pytest.mark.parametrize(
    ("start", "by", "place", "says"),
    [
        ("Grand Total\t99996\t2026-04", {"for_treas_pos": 6, "for_lt_treas_pos": 6}, "Grand Total, 2026-04", "groups"),
        (
            "International\t72907\t2026-04",
            {"for_lt_treas_net": 6, "for_treas_net": 6},
            "Total IROs, 2026-04",
            "72907 + 76929",
        ),
        ("Total Asia\t49999\t2026-04", {"for_lt_treas_valchg": 6}, "All Countries, 2026-04", "29998"),
        ("Of Which: Foreign Official\t99990\t2026-04", {"for_lt_treas_valchg": 6}, "Grand Total, 2026-04", "99991"),
        (
            "Japan\t42609\t2026-04",
            {"for_st_treas_net": 3, "for_treas_net": 3},
            "column for_st_treas_net: Japan",
            "change",
        ),
        ("Japan\t42609\t2026-04", {"for_treas_net": 3}, "column for_treas_net: Japan", "for_lt_treas_net"),
    ],
)
def test_sums_of_table3_hold(start: str, by: dict[str, int], place: str, says: str) -> None:
    body = change_cells(BODIES["table3"], start, lambda row: shifted(row, **by))
    refused(lambda: parse("table3", body), "table3", place=place, says=says, remedy=LOOK)
    within = change_cells(BODIES["table3"], start, lambda row: shifted(row, **dict.fromkeys(by, 1)))
    assert parse("table3", within).num_rows == parse("table3", BODIES["table3"]).num_rows


def test_year_blocks_follow_without_a_gap() -> None:
    lines = BODIES["mfhhis01"].splitlines(keepends=True)
    starts = [n - 1 for n, line in enumerate(lines) if line.startswith(b"Country\t")]
    without_2020 = b"".join(lines[: starts[5]] + lines[starts[6] :])
    refused(lambda: parse("mfhhis01", without_2020), "mfhhis01", place="block above line", says="2020-12", remedy=LOOK)
    footer = [
        b"Department of the Treasury/Federal Reserve Board" + b"\t" * 13 + b"\r\n",
        b"5/18/2026" + b"\t" * 13 + b"\r\n",
    ]
    without_2000 = b"".join(lines[: starts[25] - 2] + footer)
    refused(lambda: parse("mfhhis01", without_2000), "mfhhis01", place="the last block", says="2000-03", remedy=LOOK)


def test_more_holders_than_have_a_rank_are_refused() -> None:
    """They may all hold nothing, so that every sum is right."""
    rows = table5().split(b"\r\n")
    at = next(n for n, row in enumerate(rows) if row.startswith(b"All Other"))
    nobody = [f"Nobody {n}".encode() + b"\t0.0" * 13 for n in range(33_000)]
    body = b"\r\n".join([*rows[:at], *nobody, *rows[at:]])
    refused(lambda: parse("table5", body), "table5", place="line 10", says="at most 100 rows", remedy=LOOK)


def test_a_footer_above_every_year_is_refused() -> None:
    lines = mfhhis01().split(b"\r\n")
    foot = next(n for n, line in enumerate(lines) if line.startswith(b"Department of the Treasury"))
    moved = b"\r\n".join([*lines[:3], *lines[foot : foot + 2], *lines[3:foot], *lines[foot + 2 :]])
    refused(lambda: parse("mfhhis01", moved), "mfhhis01", place="line 4", says="above the footer", remedy=LOOK)


@pytest.mark.parametrize("role", ["table5", "mfhhis01"])
@pytest.mark.parametrize("run", ["9", " ", "9 ", " 9/"])
def test_a_label_without_an_end_is_read_in_no_time(role: str, run: str) -> None:
    body = (table5() if role == "table5" else mfhhis01()).replace(
        b"Japan", b"Japan" + run.encode() * (100_000 // len(run)) + b"x"
    )
    with quickly():
        assert any(label.endswith("x") for label in parse(role, body)["row_label"].to_pylist())


def test_of_an_empty_title_and_an_empty_month_something_is_said() -> None:
    untitled = b"\t" * 13 + b"\r\n" + table5()[table5().index(b"Country") :]
    refused(
        lambda: parse("table5", untitled), "table5", place="the lines above the header", says="nothing", remedy=LOOK
    )
    lines = table3().split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if b"\t2026-03\t" in line)
    lines[at] = lines[at].replace(b"2026-03", b"")
    refused(
        lambda: parse("table3", b"\r\n".join(lines)),
        "table3",
        place=f"line {at + 1}",
        says="an empty cell",
        remedy=LOOK,
    )


# --- what the gate says -----------------------------------------------------------------------------------------


def test_a_whole_release_passes_in_silence_and_again_when_stored() -> None:
    assert gate(BODIES) == []
    assert gate(BODIES, stored=BODIES) == []


@pytest.mark.parametrize("role", ["table5", "table3", "table1"])
def test_an_older_file_than_the_stored_one_is_refused(role: str) -> None:
    older = {"table5": table5, "table3": table3, "table1": table1}[role](APRIL - 1)
    refused(lambda: gate({role: older}, stored=BODIES), role, place="2026-03", says="an older file", remedy=CONFIRM)


def test_an_older_mfhhis01_is_refused() -> None:
    call = partial(gate, {"mfhhis01": mfhhis01(2024)}, BODIES, datetime(2026, 2, 1, tzinfo=UTC))
    refused(call, "mfhhis01", place="2024-12", says="an older file", remedy=CONFIRM)


@pytest.mark.parametrize(
    ("newest", "retrieved", "outcome"),
    [
        ((2026, 4), (2026, 6, 18), None),  # 49 days
        ((2026, 4), (2026, 7, 13), None),  # 74
        ((2025, 7), (2025, 11, 17), "109 days"),  # the federal closure
        ((2026, 4), (2026, 9, 14), "137 days"),
        ((2026, 4), (2026, 9, 15), "refused"),
        ((2023, 1), (2026, 6, 18), "refused"),
        ((2026, 4), (2026, 4, 29), "future"),
    ],
)
def test_age_counts_from_the_last_day_of_the_month(
    newest: tuple[int, int], retrieved: tuple[int, int, int], outcome: str | None
) -> None:
    files = {"table3": table3(newest[0] * 12 + newest[1] - 1)}
    at = datetime(*retrieved, 16, tzinfo=UTC)
    if outcome in ("refused", "future"):
        says, remedy = (
            ("frozen", "no longer updated") if outcome == "refused" else ("no month that ends after", CONFIRM)
        )
        refused(lambda: gate(files, retrieved_at=at), "table3", place="newest month", says=says, remedy=remedy)
    else:
        warnings = gate(files, retrieved_at=at)
        assert len(warnings) == (outcome is not None)
        assert all(str(outcome) in warning for warning in warnings)


@pytest.mark.parametrize(
    ("year", "retrieved", "refusal"),
    [
        (2025, (2026, 3, 18), False),
        (2025, (2026, 12, 15), False),
        (2024, (2026, 3, 17), False),  # until the year's block is added
        (2024, (2026, 6, 18), True),
        (2022, (2026, 6, 18), True),
    ],
)
def test_mfhhis01_holds_whole_years_and_is_frozen_once_a_year_is_overdue(
    year: int, retrieved: tuple[int, int, int], refusal: bool
) -> None:
    def call() -> list[str]:
        return gate({"mfhhis01": mfhhis01(year)}, retrieved_at=datetime(*retrieved, 16, tzinfo=UTC))

    if refusal:
        refused(call, "mfhhis01", place=f"{year}-12", says="frozen", remedy="no longer updated")
    else:
        assert call() == []


def test_mfhhis01_that_ends_within_a_year_is_refused() -> None:
    body = BODIES["mfhhis01"].decode().split("\r\n")
    block = range(5, next(n for n, line in enumerate(body) if "\t2024\t" in line) - 1)
    for n in block:
        row = body[n].split("\t")
        body[n] = "\t".join([row[0], *row[2:], ""])
    call = partial(gate, {"mfhhis01": "\r\n".join(body).encode()})
    refused(call, "mfhhis01", place="2025-11", says="a December", remedy="no longer updated")


def test_a_file_much_smaller_than_the_stored_one_is_refused() -> None:
    spec = SPECS["table3"]
    files = {"table3": snapshot("table3", BODIES["table3"])}
    tables = SOURCE.parse(files)
    more = tables["table3"].to_pylist()
    more += [row | {"holder_code": "x" + row["holder_code"]} for row in more]
    stored = {role: s.empty() for role, s in SPECS.items()} | {"table3": pa.Table.from_pylist(more, schema=spec.schema)}
    changes = {role: difference(role, stored[role], tables[role]) for role in tables}
    arrival = Arrival(files, frozenset(files), tables, stored, changes)
    refused(lambda: SOURCE.gate(arrival), "table3", place="newest month", says="at least 70%", remedy=CONFIRM)


def test_files_of_different_releases_wait_for_each_other() -> None:
    call = partial(gate, {"table3": table3(APRIL - 1), "table5": BODIES["table5"]})
    refused(
        call,
        "table5",
        place="newest month",
        says="2026-03, as in table 3",
        remedy="run again after 16:20 New York",
        of=None,
    )


def test_table1_of_another_release_is_refused() -> None:
    call = partial(gate, {"table3": table3(APRIL - 1), "table1": BODIES["table1"]})
    refused(call, "table1", place="newest month", says="as in table 3", remedy="16:20", of=None)


def move_japan(by: int, months: str = "2026-04") -> bytes:
    """Japan's long-term position moved, and every total that holds it."""
    body = BODIES["table3"]
    for code in ("42609", "49999", "69995", "99996", "99990"):
        start = f"{world()[code][0]}\t{code}\t{months}"
        body = change_cells(body, start, lambda row: shifted(row, for_treas_pos=by, for_lt_treas_pos=by))
    return body


def test_bands() -> None:
    refused(
        lambda: gate({"table3": move_japan(900_000)}),
        "table3",
        place="Japan of 2026-04",
        says="500 to 2,000",
        remedy=CONFIRM,
    )
    refused(
        lambda: gate({"table3": move_japan(-700_000)}),
        "table3",
        place="Japan of 2026-04",
        says="500 to 2,000",
        remedy=CONFIRM,
    )
    body = change_cells(BODIES["table3"], "Greece\t12009\t2026-04", lambda row: [*row[:2], "-1", *row[3:]])
    refused(
        lambda: gate({"table3": body}), "table3", place="column for_lt_treas_pos", says="zero or more", remedy=CONFIRM
    )


def test_a_jump_beyond_any_since_2020_is_a_warning_in_its_month_only() -> None:
    jumped = move_japan(121_000)
    assert ["Japan moved +121" in warning for warning in gate({"table3": jumped})] == [True]
    assert gate({"table3": jumped}, stored={"table3": jumped}) == []


def test_revisions_are_usual_and_large_ones_named() -> None:
    assert gate({"table3": move_japan(20_000)}, stored=BODIES) == []
    (large,) = gate({"table3": move_japan(26_000)}, stored=BODIES)
    assert "Japan of 2026-04 was revised from" in large


def test_a_new_month_is_no_revision() -> None:
    assert (
        gate(
            {"table3": BODIES["table3"], "table5": BODIES["table5"]},
            stored={"table3": table3(APRIL - 1), "table5": table5(APRIL - 1)},
        )
        == []
    )


def test_months_that_scrolled_out_of_table5_are_not_missed() -> None:
    spec = SPECS["table5"]
    files = {"table5": snapshot("table5", BODIES["table5"])}
    tables = SOURCE.parse(files)
    issues = [parse("table5", table5(newest)) for newest in (APRIL - 52, APRIL - 39, APRIL - 26, APRIL - 13, APRIL)]
    empty = {role: other.empty() for role, other in SPECS.items()}
    stored = empty | {"table5": pa.concat_tables(issues)}
    assert stored["table5"].num_rows == 5 * tables["table5"].num_rows
    assert spec.rolling
    assert (
        SOURCE.gate(
            Arrival(
                files,
                frozenset(files),
                tables,
                stored,
                {"table5": spec.schema.append(pa.field("change", pa.string())).empty_table()},
            )
        )
        == []
    )


def test_a_grand_total_that_moves_by_more_than_a_twentieth_is_refused() -> None:
    call = partial(gate, {"table3": move_japan(480_000, "2026-03")}, stored=BODIES)
    refused(call, "table3", place="Grand Total of 2026-03", says="at most 5%", remedy=CONFIRM)


def test_most_cells_moved_by_the_same_factor_are_another_unit() -> None:
    def larger(row: list[str]) -> list[str]:
        return [cell if cell == "n.a." else str(int(cell) * 1000) for cell in row]

    body = BODIES["table3"]
    for code, (name, _) in world().items():
        body = change_cells(body, f"{name}\t{code}\t", larger)
    refused(
        lambda: gate({"table3": body}, stored=BODIES),
        "table3",
        place="column for_treas_pos",
        says="factor 1000",
        remedy=CONFIRM,
    )


# --- when the next is due ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "due"),
    [
        (date(2026, 4, 30), datetime(2026, 7, 14, 20, tzinfo=UTC)),
        (date(2026, 3, 31), datetime(2026, 6, 18, 20, tzinfo=UTC)),
        (date(2025, 12, 31), datetime(2026, 3, 18, 20, tzinfo=UTC)),
        (date(2025, 10, 31), datetime(2026, 1, 15, 21, tzinfo=UTC)),  # winter time
        (date(2026, 10, 31), datetime(2027, 1, 22, 21, tzinfo=UTC)),  # beyond the calendar: the 14th business day
        (date(2025, 7, 31), datetime(2025, 11, 18, 21, tzinfo=UTC)),  # federal offices were closed
        (date(2024, 9, 30), datetime(2024, 12, 19, 21, tzinfo=UTC)),
        (date(2013, 7, 31), datetime(2013, 10, 22, 20, tzinfo=UTC)),  # as the press of the next day tells
        (date(2018, 10, 31), datetime(2019, 2, 14, 21, tzinfo=UTC)),  # offices opened again on 28 January
    ],
)
def test_the_release_of_a_month_carries_the_month_before_last(newest: date, due: datetime) -> None:
    assert SOURCE.next_expected_at(newest) == due


# --- the publisher's files --------------------------------------------------------------------------------------


def archived(root: Path, instant: str, name: str) -> Snapshot:
    path = next(root.glob(f"{instant}/ticdata.treasury.gov/**/{name}"))
    role = name.removesuffix(".txt").removeprefix("slt_")
    return snapshot(role, path.read_bytes(), datetime.strptime(instant, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC))


def release(root: Path) -> dict[str, Snapshot]:
    files = {role: archived(root, "2026-06-29T120000Z", f"slt_{role}.txt") for role in ("table5", "table3", "table1")}
    return files | {"mfhhis01": archived(root, "2026-05-18T201500Z", "mfhhis01.txt")}


def test_there_are_files_of_the_publisher() -> None:
    assert ROOTS


@pytest.fixture(scope="module", params=ROOTS, ids=lambda root: root.parts[-3])
def root(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def real(root: Path) -> dict[str, pa.Table]:
    return SOURCE.parse(release(root))


def test_real_counts(real: dict[str, pa.Table]) -> None:
    assert {role: table.num_rows for role, table in real.items()} == {
        "table5": 325,
        "table3": 6_916,
        "table1": 8_664,
        "mfhhis01": 12_348 + 370,
    }
    history = real["mfhhis01"]
    assert pc.sum(history["is_primary"]).as_py() == 12_348
    assert len(pc.unique(history["month_end_date"])) == 310
    missing = history.filter(pc.is_null(history["position_usd_bn"])).to_pylist()
    assert [(row["row_label"], row["is_primary"]) for row in missing] == [("Luxembourg", True)] * 5 + [
        ("Luxembourg", False)
    ]
    table = real["table3"]
    names = set(table.filter(pc.field("holder_kind") == "country")["holder_name"].to_pylist())
    assert len(names) == 76
    assert len(set(table.filter(pc.is_null(pc.field("for_treas_pos")))["holder_name"].to_pylist())) == 16
    assert len(set(real["table1"].filter(pc.is_null(pc.field("for_lt_treas_pos")))["holder_name"].to_pylist())) == 22


def test_real_table5(real: dict[str, pa.Table]) -> None:
    positions = cells(real["table5"], "position_usd_bn")
    japan = [positions["Japan", year_month(APRIL - n)] for n in range(13)]
    assert japan == [
        1209.9,
        1191.6,
        1239.3,
        1225.3,
        1185.5,
        1202.7,
        1200.0,
        1189.3,
        1180.4,
        1151.8,
        1147.9,
        1135.0,
        1134.5,
    ]
    newest = {label: value for (label, month), value in positions.items() if month == "2026-04"}
    assert newest["United Kingdom"] == 937.5
    assert newest["China, Mainland"] == 651.1
    assert newest["Belgium"] == 459.9
    assert newest["Korea, South"] == 135.2
    assert newest["All Other"] == 1854.2
    assert newest["Grand Total"] == 9352.6
    assert positions["Grand Total", "2026-02"] == 9487.1
    assert newest["Of Which: Foreign Official"] == 3906.5
    assert newest["Of Which: Foreign Official Treasury Bills"] == 457.3
    assert newest["Of Which: Foreign Official T-Bonds & Notes"] == 3449.2
    ranks = {label: rank for (label, _), rank in cells(real["table5"], "rank_newest").items()}
    ordered = ["Japan", "United Kingdom", "China, Mainland", "Cayman Islands", "Belgium"]
    assert [ranks[label] for label in ordered] == [1, 2, 3, 4, 5]
    assert ranks["United Arab Emirates"] == 20
    assert round(100 * newest["Japan"] / newest["Grand Total"], 2) == 12.94


@pytest.mark.parametrize(
    ("holder", "month", "wanted"),
    [
        ("Japan", "2026-04", (1209889, 16283, 1056542, 14705, -3238, 153347, 1578)),
        ("Japan", "2026-03", (1191572, -23894, 1039803, -23933, -17955, 151769, 39)),
        ("Japan", "2023-02", (1080683, -1646, 1013830, 4458, -15677, 66853, -6104)),
        ("Japan", "2020-01", (1211845, None, 1147586, None, None, 64259, 2179)),
        ("Grand Total", "2026-04", (9352646, 36919, 7854033, 50516, -39075, 1498613, -13597)),
        ("United Kingdom", "2026-04", (937523, 17084, 844129, 25988, -11826, 93394, -8904)),
        ("China, Mainland", "2026-04", (651072, 2155, 606352, 5519, -2740, 44720, -3364)),
    ],
)
def test_real_table3(real: dict[str, pa.Table], holder: str, month: str, wanted: tuple[int | None, ...]) -> None:
    assert tuple(cells(real["table3"], name)[holder, month] for name in TABLE3.values) == wanted


def test_real_table3_totals_and_extremes(real: dict[str, pa.Table]) -> None:
    positions = cells(real["table3"], "for_treas_pos")
    assert positions["All Countries", "2026-04"] == 9257257
    assert positions["Total IROs", "2026-04"] == 95389
    assert positions["Of Which: Foreign Official", "2026-04"] == 3906503
    assert positions["Of Which: Foreign Non-Official", "2026-04"] == 5446143
    assert positions["Israel", "2026-01"] == 114650
    japan = {month: value for (name, month), value in positions.items() if name == "Japan"}
    assert max(japan.items(), key=lambda item: item[1]) == ("2021-11", 1325508)
    assert min(japan.items(), key=lambda item: item[1]) == ("2024-12", 1061507)


def test_real_table1(real: dict[str, pa.Table]) -> None:
    def newest(name: str, *columns: str) -> list[int]:
        return [cells(real["table1"], column)[name, "2026-04"] for column in columns]

    positions = [f"for_lt_{asset}_pos" for asset in ("total", "treas", "agcy", "corp", "eqty")]
    assert newest("Japan", *positions) == [2993570, 1056542, 271313, 314356, 1351359]
    assert newest("Japan", "for_lt_total_net", "for_lt_total_valchg") == [29330, 122423]
    assert newest("Grand Total", *positions) == [37722986, 7854033, 1416275, 5249043, 23203635]


def test_real_mfhhis01(real: dict[str, pa.Table]) -> None:
    history = real["mfhhis01"]
    positions = cells(history, "position_usd_bn")
    wanted = {
        ("Japan", "2000-12"): 317.7, ("Japan", "2001-09"): 292.9, ("Japan", "2004-08"): 699.4, ("Japan", "2008-12"): 626.0,
        ("Japan", "2011-12"): 1058.1, ("Japan", "2016-10"): 1131.9, ("Japan", "2021-11"): 1325.5, ("Japan", "2024-12"): 1061.5,
        ("China, Mainland", "2000-12"): 60.3, ("China, Mainland", "2013-11"): 1316.7,
        ("Grand Total", "2000-12"): 1015.2, ("Grand Total", "2011-12"): 5004.4, ("Grand Total", "2025-12"): 9267.2,
    }  # fmt: skip
    assert {key: positions[key] for key in wanted} == wanted
    old = {
        (row["row_label"], f"{row['month_end_date']:%Y-%m}"): (row["position_usd_bn"], row["series_label"])
        for row in history.filter(pc.invert(pc.field("is_primary"))).to_pylist()
    }
    doubled = {
        ("Japan", "2000-03"): (307.6, 325.8),
        ("Japan", "2002-06"): (349.2, 335.8),
        ("Japan", "2011-06"): (881.5, 911.1),
        ("China, Mainland", "2010-06"): (1112.1, 843.7),
        ("United Kingdom", "2011-06"): (135.7, 347.0),
        ("Belgium", "2002-06"): (11.3, 22.9),
        ("Luxembourg", "2002-06"): (23.1, None),
        ("Grand Total", "2000-03"): (1085.0, 1252.1),
    }
    assert {key: (positions[key], old[key][0]) for key in doubled} == doubled
    assert old["Japan", "2011-06"][1] == "Series XI"
    assert cells(history, "series_label")["Japan", "2011-12"] == "Series XIII"


def test_real_revision_between_two_issues(root: Path, real: dict[str, pa.Table]) -> None:
    march = archived(root, "2026-03-18T201500Z", "mfhhis01.txt")
    before = SOURCE.parse({"mfhhis01": march})["mfhhis01"]
    changes = difference("mfhhis01", before, real["mfhhis01"])
    assert changes["change"].to_pylist() == ["revised"] * 76
    assert all(changes["is_primary"].to_pylist())
    assert "Japan" not in changes["row_label"].to_pylist()
    moved = cells(before, "position_usd_bn")["United Kingdom", "2025-11"]
    assert (moved, cells(real["mfhhis01"], "position_usd_bn")["United Kingdom", "2025-11"]) == (889.0, 879.8)
    files = {"mfhhis01": release(root)["mfhhis01"]}
    empty = {role: spec.empty() for role, spec in SPECS.items()}
    arrival = Arrival(
        files,
        frozenset(files),
        empty | {"mfhhis01": real["mfhhis01"]},
        empty | {"mfhhis01": before},
        {"mfhhis01": changes},
    )
    assert SOURCE.gate(arrival) == []


def test_real_release_passes_every_gate(root: Path, real: dict[str, pa.Table]) -> None:
    files = release(root)
    empty = {role: spec.empty() for role, spec in SPECS.items()}
    changes = {role: difference(role, empty[role], real[role]) for role in real}
    assert SOURCE.gate(Arrival(files, frozenset(files), real, empty, changes)) == []
