"""Files that mutants are made of: every role of every source as published, many of them shortened, and all well formed.

A shortened file is one that its parser takes: what a parser demands (the first day, whole years, each aggregate) stays.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

import pyarrow as pa
from build_bundle import Sheets, read_workbook

from jgb_assets.settings import BUNDLE
from jgb_assets.sources.base import AT, Snapshot, Source
from jgb_assets.sources.registry import SOURCES
from jgb_assets.sources.treasury_tic import AGGREGATES, CANADA, HOLDER_KINDS
from tests.faults.mutants import (
    BYTES,
    Delimited,
    Mutation,
    container,
    page_mutations,
    record_mutations,
    sheet_mutations,
    written,
)
from tests.unit import auction_pages as pages

# Cells of one publisher that strand in another's file.
GRAFTS = (
    "1.155",
    "2026/6/30",
    "R8.6.30",
    "06/30/2026",
    "2026-04",
    "Series IV",
    "2026．8．2～8．8",
    "1,234 ",
    "17.45",
    "1209.9",
)
Files = dict[str, Snapshot]


def snapshot(role: str, url: str, retrieved_at: datetime, body: bytes) -> Snapshot:
    return Snapshot(role, url, retrieved_at, hashlib.sha256(body).hexdigest(), body)


@dataclass(frozen=True)
class Specimen:
    """A well-formed file, others that came with it, and how mutants of it are made.

    ``passes``: the gate takes it when nothing is stored. A shortened file of a series that must be fresh cannot.
    """

    source: Source
    role: str
    files: Files
    mutations: Sequence[Mutation] = field(repr=False)
    passes: bool = True

    @property
    def file(self) -> Snapshot:
        return self.files[self.role]

    def with_body(self, body: bytes) -> Files:
        """The files as they would arrive with ``body`` in place of this one's."""
        return self.files | {self.role: snapshot(self.role, self.file.url, self.file.retrieved_at, body)}

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        return self.source.parse(self.files)


def newest(pattern: str) -> bytes:
    """The newest file of the packaged archive that fits."""
    return sorted(path for path in BUNDLE.glob(pattern) if not path.name.endswith(".json"))[-1].read_bytes()


def of(source: str, role: str, retrieved_at: str, body: bytes, mutations: Sequence[Mutation], *, language: str = "", passes: bool = True, beside: Files | None = None) -> Specimen:  # fmt: skip
    """A file at the address of its role, in a language if it is there in several."""
    published = next(file for file in SOURCES[source].files if file.role == role.partition(AT)[0])
    file = published.of(date.fromisoformat(role.partition(AT)[2])) if published.dated else published
    url = next(url for url in file.urls if language != "ja" or "/english/" not in url)
    instant = datetime.fromisoformat(retrieved_at).replace(tzinfo=UTC)
    return Specimen(
        SOURCES[source], role, {**(beside or {}), role: snapshot(role, url, instant, body)}, mutations, passes
    )


# --- JGB yields -------------------------------------------------------------------------------------------------

YIELDS_PATH = "*/www.mof.go.jp/english/policy/jgbs/reference/interest_rate/"
JAPANESE_TITLE = "国債金利情報,,,,,,,,,,,,,,,(単位 : %)"
JAPANESE_FOOTER = "," * 15 + "\r\n※最新のcsvデータがダウンロードできない場合" + "," * 15 + "\r\n"


def in_japanese(body: bytes) -> bytes:
    """The same sessions as the ministry's Japanese file has them: dates by era, a footer."""
    _, header, *rows = body.decode("ascii").split("\r\n")

    def dated(row: str) -> str:
        first, rest = row.split(",", maxsplit=1)
        day = date(*map(int, first.split("/")))
        era, before = ("S", 1925) if day < date(1989, 1, 8) else ("H", 1988) if day < date(2019, 5, 1) else ("R", 2018)
        return f"{era}{day.year - before}.{day.month}.{day.day},{rest}"

    lines = [JAPANESE_TITLE, header.replace("Date", "基準日").replace("Y", "年"), *map(dated, rows[:-1])]
    return ("\r\n".join(lines) + "\r\n" + JAPANESE_FOOTER).encode("cp932")


def sessions(body: bytes, *windows: tuple[str, str]) -> bytes:
    """Title, header, and the sessions from one day to another; days as 2007-11-06."""
    title, header, *rows = body.split(b"\r\n")[:-1]

    def day(row: bytes) -> str:
        return date(*map(int, row.split(b",")[0].split(b"/"))).isoformat()

    kept = [row for row in rows if any(first <= day(row) <= last for first, last in windows)]
    return b"\r\n".join([title, header, *kept, b""])


def jgb_yields() -> dict[str, Specimen]:
    history, current = newest(YIELDS_PATH + "historical/jgbcme_all.csv"), newest(YIELDS_PATH + "jgbcme.csv")
    sparse = sessions(history, ("1974-09-24", "1989-01-31"), ("2007-11-06", "2007-11-30"))
    dense = sessions(history, ("1974-09-24", "2007-11-30"))
    december = sessions(history, ("2007-12-01", "2007-12-18")).replace(b"(rebuilt)", b"(December 2007)")
    english, japanese = Delimited(",", "ascii", GRAFTS).mutations, Delimited(",", "cp932", GRAFTS).mutations
    name, at = "mof_jgb_yields", "2007-12-19T00:35"
    before = of(name, "history", at, sparse, english).files
    return {
        "current, English": of(name, "current", "2026-07-01T00:35", current, english, passes=False),
        "current, Japanese": of(
            name, "current", "2026-07-01T00:35", in_japanese(current), japanese, language="ja", passes=False
        ),
        "current beside history": of(name, "current", at, december, english, beside=before, passes=False),
        "history, English": of(name, "history", at, sparse, english, passes=False),
        "history, Japanese": of(name, "history", at, in_japanese(sparse), japanese, language="ja", passes=False),
        "history without gaps": of(name, "history", at, dense, english),
    }


# --- the auction workbook ---------------------------------------------------------------------------------------

HEAD, LAST = 5, 6  # rows above the data, auctions kept of each sheet


def short_sheets() -> Sheets:
    """The last auctions of each instrument, and titles so long that the file is as heavy as a real one."""
    sheets = read_workbook(newest("*/www.mof.go.jp/**/*.xls"))
    short = {name: rows[:HEAD] + rows[HEAD:][-LAST:] for name, rows in sheets.items()}
    for name, rows in short.items():
        rows[0][1] = (1, name + "（40-year）" * 900)
    return short


def jgb_auctions() -> dict[str, Specimen]:
    whole, short = newest("*/www.mof.go.jp/**/*.xls"), short_sheets()
    name, at = "mof_jgb_auctions", "2026-07-03T00:35"
    made = written(short)
    return {
        "whole": of(name, "workbook", at, whole, (*BYTES, container, *record_mutations(whole))),
        "container": of(name, "workbook", at, made, (container, container, *BYTES)),
        "records": of(name, "workbook", at, made, record_mutations(made)),
        "cells": of(name, "workbook", at, made, sheet_mutations(short)),
    }


# --- the auction pages ------------------------------------------------------------------------------------------

TWENTY, TEN, FORTY = (
    pages.AUCTIONS["20y 2020-07-21"],
    pages.AUCTIONS["10y 2026-06-02"],
    pages.AUCTIONS["40y 2026-05-27"],
)
BILL, CLIMATE = pages.AUCTIONS["tbill 2024-06-28"], pages.AUCTIONS["10y_climate 2025-10-21"]
LINKED = pages.AUCTIONS["10y_inflation 2025-08-15"]


def listing(language: str, auction: pages.Auction) -> pages.Page:
    """The month's calendar with one auction on it."""
    entry = pages.Entry(
        auction.day, auction.instrument, int(auction.issue_number), non_price_2=auction.non_price_2 is not None
    )
    month = f"{auction.day:%B %Y}" if language == "en" else re.sub(r"\d+日$", "", pages.era(auction.day))
    return pages.calendar(language, [entry], pages.at(auction.day), month=month)


PAGES: dict[str, tuple[pages.Page, ...]] = {  # the page that is damaged, and what came with it
    "20-year, English, plain": (pages.en(TWENTY), pages.second(TWENTY), listing("en", TWENTY)),
    "10-year, English, nav": (pages.en(TEN, layout="nav"), pages.second(TEN)),
    "40-year, English, wide": (pages.en(FORTY, pages.by_yield(FORTY), "wide"), listing("ja", FORTY)),
    "climate, English": (pages.en(CLIMATE),),
    "bill, English": (pages.en(BILL), listing("en", BILL)),
    "10-year, Japanese, four": (pages.ja(TEN), pages.second(TEN), listing("ja", TEN)),
    "20-year, Japanese, spans": (pages.ja(TWENTY, layout="spans"),),
    "40-year, Japanese, wide": (pages.ja(FORTY, layout="wide"), pages.second(FORTY)),
    "bill, Japanese": (pages.ja(BILL, layout="spans"), listing("ja", BILL)),
    "climate, Japanese": (pages.ja(CLIMATE, layout="wide"),),
    "inflation, English": (pages.en(LINKED),),
    "inflation, Japanese": (pages.ja(LINKED),),
    "liquidity, English": (pages.on((*pages.en(TWENTY)[:2], pages.liquidity_en()), date(2010, 7, 16)),),
    "liquidity, Japanese": (pages.on((*pages.ja(TWENTY)[:2], pages.liquidity_ja()), date(2021, 1, 15)),),
    "afternoon, Japanese, four": (pages.second(TEN), pages.ja(TEN)),
    "afternoon, Japanese, spans": (pages.second(FORTY, layout="spans"), pages.en(FORTY)),
    "afternoon, English": ((pages.at(TWENTY.day, 7), pages.url_en(TWENTY, "a"), pages.to_participants(TWENTY).render()), pages.en(TWENTY)),
    "afternoon, reopened issues": (pages.on((*pages.second(TWENTY)[:2], pages.reopened_ja()), date(2021, 1, 15)),),
    "calendar, English": (pages.calendar("en"),),
    "calendar, Japanese": (pages.calendar("ja"),),
    "calendar, its results there": (listing("en", TEN), pages.en(TEN)),
}  # fmt: skip


def auction_pages() -> dict[str, Specimen]:
    source = SOURCES["mof_auction_pages"]

    def role(page: pages.Page) -> str:
        day = page[0].date()
        offered = [file.of(of) for file in source.files for of in (day.replace(day=1), day)]
        return next(file.role for file in offered if page[1] in file.urls)

    grafts = (
        "1,573.6",
        "3.564%",
        "6/25/2026",
        "20年利付国債（第196回）",
        "5兆7,306億円",
        "98円10銭",
        "（3.564％）",
        "年3.4パーセント",
    )
    mutations = page_mutations(grafts)
    specimens = {}
    for name, (page, *others) in PAGES.items():
        # Pages that came later came with the rest: a retrieval knows all.
        instant = max(other[0] for other in (page, *others))
        files = {role(other): snapshot(role(other), other[1], instant, other[2]) for other in (page, *others)}
        specimens[name] = Specimen(source, role(page), files, mutations)
    return specimens


# --- the flows of securities ------------------------------------------------------------------------------------

FLOWS_PATH = "*/www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities/"
ABOVE = {"week": 14, "montha1": 11, "monthb3": 11}  # records above the data


def records(body: bytes, keep: Callable[[int, list[str]], bool]) -> bytes:
    """The records, counted from 1, that are kept; amounts without the commas that would have them in quotation marks."""
    found = csv.reader(io.StringIO(body.decode("cp932"), newline=""))
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(
        [re.sub(r"(?<=\d),(?=\d{3})", "", cell) for cell in row]
        for at, row in enumerate(found, start=1)
        if keep(at, row)
    )
    return out.getvalue().encode("cp932")


def securities_flows() -> dict[str, Specimen]:
    name, at = "mof_securities_flows", "2026-08-15T00:05"
    mutations = Delimited(",", "cp932", GRAFTS).mutations
    whole = {role: newest(f"{FLOWS_PATH}{role}.csv") for role in ABOVE}

    def kept(role: str) -> Callable[[int, list[str]], bool]:
        if role == "week":  # seven weeks
            return lambda at, row: at <= ABOVE[role] + 7 or not any(row)
        # two years of months, and the sums that are due by then
        return lambda at, row: at <= ABOVE[role] + 24 or "2005CY" in row[0] or "2005FY" in row[0] or not any(row)

    together = {role: of(name, role, at, body, mutations).file for role, body in whole.items() if role != "week"}
    return {
        **{
            f"{role}, short": of(name, role, at, records(body, kept(role)), mutations, passes=False)
            for role, body in whole.items()
        },
        "week": of(name, "week", at, whole["week"], mutations),
        "montha1": of(name, "montha1", at, whole["montha1"], mutations),
        "monthb3 beside montha1": of(name, "monthb3", at, whole["monthb3"], mutations, beside=together),
    }


# --- par yields -------------------------------------------------------------------------------------------------


def year(number: int, *windows: tuple[str, str]) -> bytes:
    """A year's file, or its days within windows such as 01-01 to 01-12."""
    header, *rows = newest(f"*/home.treasury.gov/**/{number}/all@*").removesuffix(b"\n").split(b"\n")

    def kept(row: bytes) -> bool:
        day = row[:5].decode().replace("/", "-")
        return not windows or any(first <= day <= last for first, last in windows)

    return b"\n".join([header, *filter(kept, rows)]) + b"\n"


YEARS: dict[str, tuple[int, str, tuple[tuple[str, str], ...]]] = {  # year, retrieved, days kept
    "1990": (1990, "1990-01-13", (("01-01", "01-12"),)),
    "1993, the 20-year begins": (1993, "1993-10-07", (("01-01", "01-08"), ("09-28", "10-06"))),
    "2002, the 30-year ends": (2002, "2002-02-23", (("01-01", "01-08"), ("02-11", "02-22"))),
    "2006, the 30-year is back": (2006, "2006-02-11", (("01-01", "01-08"), ("02-06", "02-10"))),
    "2008, whole": (2008, "2009-06-01", ()),
    "2010, a day without yields": (2010, "2010-10-16", (("01-01", "01-08"), ("10-07", "10-15"))),
    "2018, the 2-month begins": (2018, "2018-10-19", (("01-01", "01-08"), ("10-10", "10-18"))),
    "2022, the 4-month begins, whole": (2022, "2023-06-01", ()),
    "2025, the 1.5-month begins": (2025, "2025-02-21", (("01-01", "01-08"), ("02-10", "02-20"))),
    "2026": (2026, "2026-06-27", (("01-01", "01-08"), ("06-20", "06-26"))),
}
JUMPS = ("1993, the 20-year begins", "2010, a day without yields")  # yields moved far in the months that are left out


def par_yields() -> dict[str, Specimen]:
    mutations = Delimited(",", "ascii", GRAFTS).mutations
    return {
        name: of(
            "treasury_par_yields",
            f"year@{number}-01-01",
            f"{retrieved}T12:00",
            year(number, *windows),
            mutations,
            passes=name not in JUMPS,
        )
        for name, (number, retrieved, windows) in YEARS.items()
    }


# --- TIC --------------------------------------------------------------------------------------------------------

SHOWN = {"13005": "United Kingdom", "41408": "China, Mainland", "42609": "Japan"}
SPRING = ("2020-01", "2020-02", "2020-03", "2020-04")


def holders(body: bytes, codes: Mapping[str, str], months: Sequence[str]) -> bytes:
    """The header, and the months of these holders."""
    lines = body.split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(b"country\t"))
    rows = (line.split(b"\t") for line in lines[at + 1 :])
    kept = (
        b"\t".join(row)
        for row in rows
        if len(row) < 3 or not row[0] or (row[1].decode() in codes and row[2].decode() in months)
    )
    return b"\r\n".join([*lines[: at + 1], *kept])


def first_year(body: bytes) -> bytes:
    """The titles, the oldest block of the major holders, and the foot."""
    lines = body.split(b"\r\n")
    headers = [n for n, line in enumerate(lines) if line.startswith(b"Country\t")]
    return b"\r\n".join(lines[: headers[0] - 1] + lines[headers[-1] - 1 :])


def tic() -> dict[str, Specimen]:
    name = "treasury_tic"
    mutations = Delimited("\t", "ascii", GRAFTS).mutations
    path = "*/ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"
    table5, table3, table1, major = (
        newest(path + file) for file in ("slt_table5.txt", "slt_table3.txt", "slt_table1.txt", "mfhhis01.txt")
    )
    codes = dict.fromkeys((*AGGREGATES, CANADA), "") | SHOWN
    june, spring = "2026-06-29T12:00", "2020-06-16T20:30"
    third = of(name, "table3", june, table3, mutations)
    return {
        "table 5": of(name, "table5", june, table5, mutations),
        "table 5 beside table 3": of(name, "table5", june, table5, mutations, beside=third.files),
        "table 3, short": of(name, "table3", spring, holders(table3, codes, SPRING), mutations),
        "table 3": third,
        "table 1, short": of(name, "table1", spring, holders(table1, codes | HOLDER_KINDS, SPRING), mutations),
        "table 1": of(name, "table1", june, table1, mutations),
        "major holders, 2000": of(name, "mfhhis01", "2001-03-16T21:30", first_year(major), mutations),
        "major holders": of(name, "mfhhis01", "2026-05-18T20:15", major, mutations),
    }


SPECIMENS: dict[str, Callable[[], dict[str, Specimen]]] = {
    "mof_jgb_yields": jgb_yields,
    "mof_jgb_auctions": jgb_auctions,
    "mof_auction_pages": auction_pages,
    "mof_securities_flows": securities_flows,
    "treasury_par_yields": par_yields,
    "treasury_tic": tic,
}
