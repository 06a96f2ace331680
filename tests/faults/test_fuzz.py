"""Mutants of every file that is read: each is refused with all that a person needs, or gives tables that are true to type.

Seeded, so that CI reads the same mutants each time; ``make fuzz`` reads more of them, of another seed. Environment:
``FUZZ_SEED``, and ``FUZZ_MUTANTS`` (how many times as many). A mutant that fails stands in the test's folder.
"""

import faulthandler
import math
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pyarrow import acero

from jgb_assets.landing.changelog import compare
from jgb_assets.sources.base import AT, Arrival, SourceRejected, TableSpec
from tests.faults.mutants import TOKENS, mutant
from tests.faults.specimens import SPECIMENS, Files, Specimen

SEED = int(os.environ.get("FUZZ_SEED", "20260815"))
TIMES = float(os.environ.get("FUZZ_MUTANTS", "1"))
EXAMPLES = max(1, round(100 * TIMES))

MUTANTS = {  # of each specimen; those of whole files are few because each takes long
    "mof_jgb_yields": {
        "current, English": 1_200,
        "current, Japanese": 1_200,
        "current beside history": 200,
        "history, English": 150,
        "history, Japanese": 60,
        "history without gaps": 30,
    },
    "mof_jgb_auctions": {"whole": 30, "container": 800, "records": 600, "cells": 450},
    "mof_auction_pages": {
        "20-year, English, plain": 450,
        "10-year, English, nav": 300,
        "40-year, English, wide": 300,
        "climate, English": 300,
        "bill, English": 300,
        "10-year, Japanese, four": 450,
        "20-year, Japanese, spans": 300,
        "40-year, Japanese, wide": 300,
        "bill, Japanese": 300,
        "climate, Japanese": 300,
        "inflation, English": 200,
        "inflation, Japanese": 200,
        "liquidity, English": 200,
        "liquidity, Japanese": 200,
        "afternoon, Japanese, four": 300,
        "afternoon, Japanese, spans": 200,
        "afternoon, English": 200,
        "afternoon, reopened issues": 100,
        "calendar, English": 450,
        "calendar, Japanese": 450,
        "calendar, its results there": 200,
    },
    "mof_securities_flows": {
        "week, short": 900,
        "montha1, short": 900,
        "monthb3, short": 700,
        "week": 25,
        "montha1": 100,
        "monthb3 beside montha1": 60,
    },
    "treasury_par_yields": {
        "1990": 400,
        "1993, the 20-year begins": 300,
        "2002, the 30-year ends": 400,
        "2006, the 30-year is back": 300,
        "2008, whole": 100,
        "2010, a day without yields": 400,
        "2018, the 2-month begins": 300,
        "2022, the 4-month begins, whole": 100,
        "2025, the 1.5-month begins": 400,
        "2026": 500,
    },
    "treasury_tic": {
        "table 5": 1_200,
        "table 5 beside table 3": 60,
        "table 3, short": 900,
        "table 3": 40,
        "table 1, short": 700,
        "table 1": 20,
        "major holders, 2000": 900,
        "major holders": 60,
    },
}
AT_LEAST = 20_000
MOST_SECONDS = 2.0  # of processor time, which other processes of a busy machine do not use up
HANGS_AFTER_SECONDS = 120  # by the clock: a call into C that takes so long, or twice, ends the worker
MOST_MEGABYTES = 400  # by which a single mutant may raise the peak


class TooSlow(BaseException):
    """Not an Exception: no parser can swallow it."""


class Watchdog:
    """Ends the process ``HANGS_AFTER_SECONDS``, or twice as long, after the last sign of life.

    It is a thread, and ending and starting one takes longer than many a mutant: so not for each.
    """

    def __init__(self) -> None:
        self.since = -math.inf

    def sees_a_sign_of_life(self) -> None:
        if time.monotonic() > self.since + HANGS_AFTER_SECONDS:
            self.since = time.monotonic()
            faulthandler.dump_traceback_later(2 * HANGS_AFTER_SECONDS, exit=True)

    def sleeps(self) -> None:
        self.since = -math.inf
        faulthandler.cancel_dump_traceback_later()


WATCHDOG = Watchdog()


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    yield
    WATCHDOG.sleeps()


@contextmanager
def watched() -> Iterator[None]:
    """Whatever runs within takes less than ``MOST_SECONDS`` and ``MOST_MEGABYTES``."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {MOST_SECONDS:g} s")

    before, peak = signal.signal(signal.SIGPROF, stop), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    WATCHDOG.sees_a_sign_of_life()
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    started = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    taken = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    assert taken < MOST_SECONDS, f"{taken:.1f} s"
    assert grown < MOST_MEGABYTES, f"{grown:.0f} MB more than ever before"


# --- what holds of every mutant ---------------------------------------------------------------------------------


def judged(specimen: Specimen, files: Files) -> str:
    """How the files fared: refused by ``parse`` or by ``gate``, or let in."""
    try:
        tables = specimen.source.parse(files)
    except SourceRejected as rejection:
        assert rejection.role in (specimen.role, None)
        well_formed(rejection, specimen, files)
        return "refused by parse"
    for spec in specimen.source.tables:
        true_to_type(tables[spec.name], spec)
    let_in = False
    for stored in ({spec.name: spec.empty() for spec in specimen.source.tables}, specimen.tables):
        changes = {spec.name: compare(stored[spec.name], tables[spec.name], spec) for spec in specimen.source.tables}
        try:
            warnings = specimen.source.gate(Arrival(files, frozenset(files), tables, stored, changes))
        except SourceRejected as rejection:
            assert rejection.role is None or rejection.role in files
            well_formed(rejection, specimen, files)
        else:
            assert isinstance(warnings, list)
            assert all(isinstance(warning, str) for warning in warnings)
            for name, table in tables.items():
                FACTS[specimen.source.name](specimen, name, table)
            let_in = True
    return "let in" if let_in else "refused by gate"


def well_formed(rejection: SourceRejected, specimen: Specimen, files: Files) -> None:
    assert rejection.source == specimen.source.name
    assert all([rejection.url, rejection.place, rejection.expected, rejection.found, rejection.remedy])
    assert rejection.role is None or rejection.url == files[rejection.role].url


def true_to_type(table: pa.Table, spec: TableSpec) -> None:
    assert table.schema.equals(spec.schema)
    assert table.group_by(list(spec.key), use_threads=False).aggregate([]).num_rows == table.num_rows
    for name in spec.schema.names:
        if not spec.schema.field(name).nullable:
            assert table[name].null_count == 0, name
        if pa.types.is_floating(spec.schema.field(name).type):
            assert all(map(math.isfinite, table[name].drop_null().to_pylist())), name


# --- facts of the world that whatever was let in must keep to ---------------------------------------------------


def every(table: pa.Table, condition: pc.Expression) -> None:
    """The condition holds in each row, or is unknown there."""
    rows = acero.Declaration("table_source", acero.TableSourceNodeOptions(table))
    off = acero.Declaration("filter", acero.FilterNodeOptions(~condition), [rows]).to_table(use_threads=False)
    assert off.num_rows == 0, off.slice(0, 1).to_pylist()


def retrieved_on(specimen: Specimen) -> date:
    """The last day that it was anywhere."""
    return (specimen.file.retrieved_at + timedelta(hours=14)).date()


def facts_of_jgb_yields(specimen: Specimen, name: str, table: pa.Table) -> None:
    every(table, (pc.field("yield_pct") >= -1) & (pc.field("yield_pct") <= 15))
    every(table, pc.field("obs_date") <= retrieved_on(specimen))
    every(table, pc.field("obs_date") >= date(1974, 9, 24))
    every(table, pc.day_of_week(pc.field("obs_date")) < 6)
    every(table, pc.is_in(pc.field("tenor_years"), pa.array([*range(1, 11), 15, 20, 25, 30, 40], pa.int16())))


def facts_of_jgb_auctions(specimen: Specimen, name: str, table: pa.Table) -> None:
    every(table, pc.field("auction_date") <= retrieved_on(specimen))
    every(table, pc.field("auction_date") < pc.field("issue_date"))
    every(table, pc.field("issue_date") < pc.field("maturity_date"))
    every(table, pc.field("accepted_jpy_100mn") <= pc.field("bids_jpy_100mn"))
    every(table, pc.field("lowest_price") <= pc.field("average_price"))
    for column in ("offered_jpy_100mn", "bids_jpy_100mn", "accepted_jpy_100mn", "non_price_1_jpy_100mn"):
        every(table, (pc.field(column) >= 0) & (pc.field(column) <= 1e8))
    live = table.filter((pc.field("auction_date") >= date(2015, 1, 1)) & ~pc.is_in(pc.field("sheet"), pa.array(["TB"])))
    every(live, (pc.field("lowest_price") >= 60) & (pc.field("lowest_price") <= 130))
    every(live, (pc.field("highest_yield_pct") >= -1.5) & (pc.field("highest_yield_pct") <= 10))


def facts_of_auction_pages(specimen: Specimen, name: str, table: pa.Table) -> None:
    if name == "calendar":
        every(table, pc.field("issue_number") < 100_000)
        return
    day = date.fromisoformat(specimen.role.partition(AT)[2])
    every(table, (pc.field("auction_date") == day) | (pc.field("auction_date") <= retrieved_on(specimen)))
    if name == "results":  # of what nobody has verified little is known
        table = table.filter(~pc.is_in(pc.field("instrument"), pa.array(["liquidity_enhancement", "10y_inflation"])))
        every(table, (pc.field("issue_date") > day) & (pc.field("issue_date") <= day + timedelta(days=33)))
        every(table, (pc.field("lowest_price") >= 60) & (pc.field("lowest_price") <= 130))
        every(table, (pc.field("highest_yield_pct") >= -1.5) & (pc.field("highest_yield_pct") <= 10))
        every(table, (pc.field("accepted_jpy_bn") > 0) & (pc.field("accepted_jpy_bn") <= pc.field("bids_jpy_bn")))
        every(table, (pc.field("average_yield_pct") <= pc.field("highest_yield_pct")))
        every(table, pc.field("maturity_date") < date(2100, 1, 1))
    every(table, (pc.field("non_price_2_jpy_bn") >= 0) & (pc.field("non_price_2_jpy_bn") < 100_000))


def facts_of_flows(specimen: Specimen, name: str, table: pa.Table) -> None:
    acquired, disposed, net = (pc.field(f"{kind}_jpy_100m") for kind in ("acquisition", "disposition", "net"))
    every(table, (acquired >= 0) & (disposed >= 0))
    every(table, pc.abs(acquired - disposed - net) <= 5)
    every(table, pc.field("updated_on") <= retrieved_on(specimen))
    if name == "week":
        every(table, pc.day_of_week(pc.field("week_end_date")) == 5)
        every(table, pc.field("week_end_date") < pc.field("updated_on"))
    else:
        every(table, pc.field("month_end_date") < pc.field("updated_on"))


def facts_of_par_yields(specimen: Specimen, name: str, table: pa.Table) -> None:
    every(table, (pc.field("yield_pct") >= 0) & (pc.field("yield_pct") <= 15))
    every(table, pc.field("obs_date") <= retrieved_on(specimen))
    every(table, pc.day_of_week(pc.field("obs_date")) < 5)
    every(table, pc.year(pc.field("obs_date")) == int(specimen.role.partition(AT)[2][:4]))


def facts_of_tic(specimen: Specimen, name: str, table: pa.Table) -> None:
    every(table, pc.field("month_end_date") <= retrieved_on(specimen))
    positions = [column for column in table.column_names if column.endswith(("_pos", "_usd_bn"))]
    for column in positions:
        every(table, pc.field(column) >= 0)
    if name in ("table5", "mfhhis01"):
        totals = table.filter(
            (pc.field("row_label") == "Grand Total") & (pc.field("month_end_date") >= date(2020, 1, 1))
        )
        every(totals, (pc.field("position_usd_bn") >= 5_000) & (pc.field("position_usd_bn") <= 15_000))


FACTS: dict[str, Callable[[Specimen, str, pa.Table], None]] = {
    "mof_jgb_yields": facts_of_jgb_yields,
    "mof_jgb_auctions": facts_of_jgb_auctions,
    "mof_auction_pages": facts_of_auction_pages,
    "mof_securities_flows": facts_of_flows,
    "treasury_par_yields": facts_of_par_yields,
    "treasury_tic": facts_of_tic,
}


# --- the runs ---------------------------------------------------------------------------------------------------


@cache
def specimens(source: str) -> dict[str, Specimen]:
    return SPECIMENS[source]()


def fuzz(source: str, name: str, folder: Path) -> None:
    specimen = specimens(source)[name]
    # The unchanged file first: what a parser must do once a process is not what a mutant takes.
    expected = "let in" if specimen.passes else ("let in", "refused by gate")
    assert judged(specimen, specimen.files) in expected
    outcomes = Counter[str]()
    for number in range(round(MUTANTS[source][name] * TIMES)):
        rng = Random(f"{SEED} {source} {name} {number}")
        body = mutant(specimen.file.body, specimen.mutations, rng)
        try:
            with watched():
                outcomes[judged(specimen, specimen.with_body(body))] += 1
        except (Exception, TooSlow) as error:
            file = folder / "mutant.bytes"
            file.write_bytes(body)
            error.add_note(f"{source}, {name}: mutant {number} of FUZZ_SEED={SEED}, {len(body):,} bytes in {file}")
            raise
    print(f"{source}, {name}: {dict(outcomes)}")  # noqa: T201  # pytest -rP shows how far mutants came
    # Damage that is always refused at once, or never, would show nothing.
    assert outcomes["refused by parse"]
    assert outcomes.total() > outcomes["refused by parse"]


def of_each_specimen(source: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", MUTANTS[source])


# Cells and texts as hypothesis thinks them up.
CELL = st.one_of(
    st.sampled_from(TOKENS),
    st.text(max_size=12),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(-(10**7), 10**7).map(lambda n: f"{n:,}"),
    st.decimals(allow_nan=True, allow_infinity=True, places=3).map(str),
    st.dates().map(lambda day: f"{day.year}/{day.month}/{day.day}"),
    st.dates().map(lambda day: f"{day:%m/%d/%Y}"),
    st.dates().map(lambda day: f"{day:%Y-%m}"),
    st.builds("{}{}.{}.{}".format, st.sampled_from("SHR"), st.integers(0, 999), st.integers(0, 13), st.integers(0, 32)),
    st.builds("令和{}年{}月{}日".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}兆{}億{}万円".format, *[st.integers(0, 10**6)] * 3),
)
EDITS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 4), CELL), min_size=1, max_size=5
)
Edits = list[tuple[int, int, int, str]]


def edited(body: bytes, edits: Edits, separator: str, encoding: str) -> bytes:
    """The file with other cells: from which line and column on, in how many cells, and what."""
    lines = [line.split(separator) for line in body.decode(encoding).split("\n")]
    for at, column, count, text in edits:
        cells = lines[at % len(lines)]
        for offset in range(count):
            place = (column + offset) % len(cells)
            cells[place] = text + ("\r" if cells[place].endswith("\r") else "")
    return "\n".join(separator.join(cells) for cells in lines).encode(encoding, "replace")


def edited_page(body: bytes, edits: Edits) -> bytes:
    """The page with other texts between its tags."""
    parts = body.decode().split("<")
    for at, _, count, text in edits:
        for offset in range(count):
            place = 1 + (at + offset) % (len(parts) - 1)
            parts[place] = parts[place].partition(">")[0] + ">" + text
    return "<".join(parts).encode("utf-8", "replace")


thought_up = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)


def holds(source: str, name: str, change: Callable[[bytes], bytes]) -> None:
    specimen = specimens(source)[name]
    body = change(specimen.file.body)
    with watched():
        judged(specimen, specimen.with_body(body))


class TestJgbYields:
    SOURCE = "mof_jgb_yields"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @pytest.mark.parametrize(("name", "encoding"), [("current, English", "ascii"), ("current, Japanese", "cp932")])
    @seed(SEED)
    @thought_up
    @given(edits=EDITS)
    def test_other_cells_are_refused_or_true(self, name: str, encoding: str, edits: Edits) -> None:
        holds(self.SOURCE, name, lambda body: edited(body, edits, ",", encoding))


class TestJgbAuctions:
    SOURCE = "mof_jgb_auctions"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @seed(SEED)
    @thought_up
    @given(start=st.integers(0, 10**6), filling=st.binary(min_size=1, max_size=64))
    def test_other_bytes_are_refused_or_true(self, start: int, filling: bytes) -> None:
        def change(body: bytes) -> bytes:
            at = start % len(body)
            return (body[:at] + filling + body[at + len(filling) :])[: len(body)]

        holds(self.SOURCE, "container", change)


class TestAuctionPages:
    SOURCE = "mof_auction_pages"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @pytest.mark.parametrize(
        "name",
        [
            "10-year, English, nav",
            "10-year, Japanese, four",
            "40-year, Japanese, wide",
            "calendar, English",
            "calendar, Japanese",
        ],
    )
    @seed(SEED)
    @thought_up
    @given(edits=EDITS)
    def test_other_texts_are_refused_or_true(self, name: str, edits: Edits) -> None:
        holds(self.SOURCE, name, lambda body: edited_page(body, edits))


class TestSecuritiesFlows:
    SOURCE = "mof_securities_flows"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @pytest.mark.parametrize("name", ["week, short", "montha1, short", "monthb3, short"])
    @seed(SEED)
    @thought_up
    @given(edits=EDITS)
    def test_other_cells_are_refused_or_true(self, name: str, edits: Edits) -> None:
        holds(self.SOURCE, name, lambda body: edited(body, edits, ",", "cp932"))


class TestParYields:
    SOURCE = "treasury_par_yields"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @pytest.mark.parametrize("name", ["2010, a day without yields", "2025, the 1.5-month begins"])
    @seed(SEED)
    @thought_up
    @given(edits=EDITS)
    def test_other_cells_are_refused_or_true(self, name: str, edits: Edits) -> None:
        holds(self.SOURCE, name, lambda body: edited(body, edits, ",", "ascii"))


class TestTic:
    SOURCE = "treasury_tic"

    @of_each_specimen(SOURCE)
    def test_a_mutant_is_refused_or_true(self, name: str, tmp_path: Path) -> None:
        fuzz(self.SOURCE, name, tmp_path)

    @pytest.mark.parametrize("name", ["table 5", "table 3, short", "table 1, short", "major holders, 2000"])
    @seed(SEED)
    @thought_up
    @given(edits=EDITS)
    def test_other_cells_are_refused_or_true(self, name: str, edits: Edits) -> None:
        holds(self.SOURCE, name, lambda body: edited(body, edits, "\t", "ascii"))


def test_every_file_of_every_source_has_mutants_enough() -> None:
    assert sum(sum(counts.values()) for counts in MUTANTS.values()) >= AT_LEAST
    assert MUTANTS.keys() == SPECIMENS.keys()
    for source, counts in MUTANTS.items():
        of_source = specimens(source)
        assert counts.keys() == of_source.keys()
        roles = {specimen.role.partition(AT)[0] for specimen in of_source.values()}
        assert roles == {file.role for specimen in of_source.values() for file in specimen.source.files}
