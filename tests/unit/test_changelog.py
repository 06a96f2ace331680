"""A change log adds up to the table, at the end and at every instant before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_source import PRICES, PRICES_URL, SCHEMA, WINDOW, WINDOW_URL, day, instant, snapshot, table

from jgb_assets.landing.changelog import ChangeLogs, compare, extend, log_schema, state
from jgb_assets.sources.base import Snapshot, TableSpec

Contents = dict[tuple[int, str], float | None]

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, -2.5]))
KEYS = st.tuples(st.integers(1, 6), st.sampled_from(["ball", "doll"]))
CONTENTS = st.dictionaries(KEYS, VALUES, max_size=10)


def build(contents: Contents, first_line: int = 2) -> pa.Table:
    """A toy table in the order of a file, which is not that of the key."""
    return table(
        [
            (day(number), name, value, line)
            for line, ((number, name), value) in enumerate(contents.items(), start=first_line)
        ]
    )


def files_of(spec: TableSpec, number: int) -> dict[str, Snapshot]:
    return {role: snapshot(role, f"{role} {number}".encode(), instant(number)) for role in spec.roles}


def advance(log: pa.Table, new: pa.Table, spec: TableSpec, number: int) -> pa.Table:
    return extend(log, compare(state(log, spec), new, spec), spec, files_of(spec, number), instant(number))


def log_of(spec: TableSpec, *contents: Contents) -> pa.Table:
    log = log_schema(spec).empty_table()
    for number, content in enumerate(contents, start=1):
        log = advance(log, build(content), spec, number)
    return log


def contents_of(state_table: pa.Table) -> Contents:
    rows = [((row["day"] - day(1)).days + 1, row["name"], row["value"]) for row in state_table.to_pylist()]
    assert len({row[:2] for row in rows}) == len(rows), "a key twice"
    return {(number, name): value for number, name, value in rows}


def changes(spec: TableSpec, before: Contents, after: Contents) -> list[tuple[str, int, str, float | None]]:
    rows = compare(build(before), build(after), spec).to_pylist()
    return [(row["change"], (row["day"] - day(1)).days + 1, row["name"], row["value"]) for row in rows]


# --- the table as known, at the end and at every instant ------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(CONTENTS, max_size=6))
def test_the_log_adds_up_to_the_table_as_of_every_instant(history: list[Contents]) -> None:
    log = log_schema(PRICES).empty_table()
    for number, contents in enumerate(history, start=1):
        log = advance(log, build(contents), PRICES, number)
        assert contents_of(state(log, PRICES)) == contents
    for number, contents in enumerate(history, start=1):
        for moment in (instant(number), instant(number) + timedelta(hours=23)):
            known = log.filter(pc.field("first_seen_at") <= moment)
            assert contents_of(state(known, PRICES)) == contents


@settings(deadline=None, max_examples=50)
@given(st.lists(CONTENTS, max_size=6))
def test_what_a_rolling_file_no_longer_shows_still_stands_but_for_its_newest_day(history: list[Contents]) -> None:
    log = log_schema(WINDOW).empty_table()
    expected: Contents = {}
    known = []
    for number, contents in enumerate(history, start=1):
        newest = max((at for at, _ in contents), default=None)
        expected = {key: value for key, value in expected.items() if key[0] != newest} | contents
        known.append(expected)
        log = advance(log, build(contents), WINDOW, number)
        assert contents_of(state(log, WINDOW)) == expected
    for number, contents in enumerate(known, start=1):
        assert contents_of(state(log.filter(pc.field("first_seen_at") <= instant(number)), WINDOW)) == contents


@settings(deadline=None, max_examples=50)
@given(st.lists(CONTENTS, min_size=1, max_size=5), st.sampled_from([PRICES, WINDOW]))
def test_the_same_table_again_adds_nothing(history: list[Contents], spec: TableSpec) -> None:
    log = log_of(spec, *history)
    assert advance(log, build(history[-1]), spec, 20).equals(log)


@settings(deadline=None, max_examples=50)
@given(CONTENTS, CONTENTS)
def test_every_changed_key_stands_once_with_its_label(before: Contents, after: Contents) -> None:
    expected = [("added", *key, after[key]) for key in after.keys() - before.keys()]
    expected += [("withdrawn", *key, None) for key in before.keys() - after.keys()]
    expected += [("revised", *key, after[key]) for key in before.keys() & after.keys() if before[key] != after[key]]
    assert changes(PRICES, before, after) == sorted(expected, key=lambda change: change[1:3])


@settings(deadline=None, max_examples=50)
@given(CONTENTS, st.randoms())
def test_the_order_of_rows_in_a_file_is_no_change(contents: Contents, random: Random) -> None:
    shuffled = list(contents.items())
    random.shuffle(shuffled)
    assert changes(PRICES, contents, dict(shuffled)) == []


@settings(deadline=None, max_examples=50)
@given(st.lists(CONTENTS, max_size=5))
def test_the_log_holds_only_what_changed(history: list[Contents]) -> None:
    """Storage grows with changes: no key has the same value in two rows that follow each other."""
    last: dict[tuple[object, object], tuple[object, object]] = {}
    for row in log_of(PRICES, *history).to_pylist():
        key, seen = (row["day"], row["name"]), (row["change"] == "withdrawn", row["value"])
        assert last.get(key) != seen
        last[key] = seen


# --- single facts ---------------------------------------------------------------------------------------------------


def test_added_revised_withdrawn() -> None:
    before = {(1, "ball"): 1.0, (2, "ball"): 2.0, (3, "ball"): 3.0}
    after = {(1, "ball"): 1.0, (2, "ball"): 2.5, (4, "ball"): 4.0}
    assert changes(PRICES, before, after) == [
        ("revised", 2, "ball", 2.5),
        ("withdrawn", 3, "ball", None),
        ("added", 4, "ball", 4.0),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, 1.0, [("revised", 1, "ball", 1.0)]),
        (1.0, None, [("revised", 1, "ball", None)]),
        (0.0, None, [("revised", 1, "ball", None)]),  # a zero is a value
        (None, 0.0, [("revised", 1, "ball", 0.0)]),
        (None, None, []),
        (1.0, 1.0, []),
    ],
)
def test_an_empty_cell_is_not_a_value(before: float | None, after: float | None, expected: list[object]) -> None:
    assert changes(PRICES, {(1, "ball"): before}, {(1, "ball"): after}) == expected


def test_a_row_without_a_value_is_not_a_withdrawn_one() -> None:
    log = log_of(PRICES, {(1, "ball"): 1.0}, {(1, "ball"): None})
    assert contents_of(state(log, PRICES)) == {(1, "ball"): None}
    assert contents_of(state(log_of(PRICES, {(1, "ball"): 1.0}, {}), PRICES)) == {}


def test_one_of_several_values_is_enough_for_a_revision() -> None:
    two = replace(PRICES, values=("value", "line"))
    before, after = build({(1, "ball"): 1.0}, first_line=2), build({(1, "ball"): 1.0}, first_line=3)
    assert compare(before, after, two)["change"].to_pylist() == ["revised"]


def test_a_column_that_only_describes_the_row_makes_no_revision() -> None:
    before = build({(1, "ball"): 1.0, (2, "ball"): None}, first_line=2)
    after = build({(1, "ball"): 1.0, (2, "ball"): None}, first_line=99)
    assert compare(before, after, PRICES).num_rows == 0


def test_a_withdrawn_row_keeps_its_description_and_loses_its_value() -> None:
    (row,) = compare(build({(1, "ball"): 1.0}, first_line=7), build({}), PRICES).to_pylist()
    assert row == {"day": day(1), "name": "ball", "value": None, "line": 7, "change": "withdrawn"}


def test_a_withdrawn_key_can_come_back() -> None:
    ball = {(1, "ball"): 1.0}
    log = log_of(PRICES, ball, {}, {}, ball)
    assert list(
        zip(log["first_seen_at"].to_pylist(), log["change"].to_pylist(), log["value"].to_pylist(), strict=True)
    ) == [
        (instant(1), "added", 1.0),
        (instant(2), "withdrawn", None),
        (instant(4), "added", 1.0),
    ]
    as_known = [contents_of(state(log.filter(pc.field("first_seen_at") <= instant(n)), PRICES)) for n in (1, 2, 3, 4)]
    assert as_known == [ball, {}, {}, ball]


def test_a_holder_that_left_a_rolling_file_still_holds() -> None:
    before = {(1, "ball"): 1.0, (2, "ball"): 2.0, (2, "doll"): 1.0}
    assert changes(WINDOW, before, {(2, "ball"): 2.0, (3, "ball"): 3.0}) == [("added", 3, "ball", 3.0)]


@pytest.mark.parametrize("stored", [{}, {(1, "ball"): 1.0}])
def test_a_key_that_stands_twice_is_refused_by_name(stored: Contents) -> None:
    twice = table([(day(1), "ball", 1.0, 2), (day(2), "ball", 1.0, 3), (day(1), "ball", 5.0, 4)])
    with pytest.raises(ValueError, match="toy_prices"):
        compare(build(stored), twice, PRICES)


def test_changes_come_in_the_order_of_the_key() -> None:
    after = {(3, "ball"): 1.0, (1, "doll"): 1.0, (1, "ball"): 1.0, (2, "ball"): 1.0}
    assert [change[1:3] for change in changes(PRICES, {}, after)] == sorted(after)


def test_each_row_names_the_file_that_it_was_seen_in() -> None:
    schema = SCHEMA.append(pa.field("file_kind", pa.string(), nullable=False))
    spec = replace(PRICES, schema=schema, roles=("prices", "window"), role_column="file_kind")

    def rows(*kinds: str) -> pa.Table:
        plain = build({(number, "ball"): 1.0 for number in range(1, len(kinds) + 1)})
        return pa.table([*plain.columns, pa.array(kinds, pa.string())], schema=schema)

    files = {"prices": snapshot("prices", b"p", instant(1)), "window": snapshot("window", b"w", instant(1), WINDOW_URL)}
    log = extend(
        log_schema(spec).empty_table(), compare(spec.empty(), rows("prices", "window"), spec), spec, files, instant(1)
    )
    assert log["source_url"].to_pylist() == [PRICES_URL, WINDOW_URL]
    assert log["sha256"].to_pylist() == [files["prices"].sha256, files["window"].sha256]
    # A row that moves to the other file with the same value is no revision.
    assert compare(state(log, spec), rows("prices", "prices"), spec).num_rows == 0


def test_an_instant_is_kept_to_the_microsecond_in_utc() -> None:
    field = log_schema(PRICES).field("first_seen_at")
    assert field.type == pa.timestamp("us", tz="UTC")


# --- on disk --------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(CONTENTS, max_size=4))
def test_a_log_reads_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, history: list[Contents]) -> None:
    log = log_of(PRICES, *history)
    logs = ChangeLogs(tmp_path_factory.mktemp("log"))
    logs.write("toy_prices", log, "these snapshots")
    read = logs.read("toy_prices", log_schema(PRICES))
    assert read.equals(log)
    assert read.schema.equals(log_schema(PRICES))
    assert logs.applied("toy_prices", log_schema(PRICES)) == "these snapshots"


def test_a_log_that_was_never_written_is_empty(tmp_path: Path) -> None:
    logs = ChangeLogs(tmp_path / "nowhere")
    assert logs.read("toy_prices", log_schema(PRICES)).equals(log_schema(PRICES).empty_table())
    assert logs.applied("toy_prices", log_schema(PRICES)) is None


def test_the_same_log_is_the_same_bytes(tmp_path: Path) -> None:
    log = log_of(PRICES, {(1, "ball"): 1.0}, {(1, "ball"): 2.0, (2, "doll"): None})
    first, second = ChangeLogs(tmp_path / "1"), ChangeLogs(tmp_path / "2")
    first.write("toy_prices", log, "x")
    second.write("toy_prices", pa.concat_tables([log.slice(0, 1), log.slice(1)]).combine_chunks(), "x")
    assert first.path("toy_prices").read_bytes() == second.path("toy_prices").read_bytes()


def test_an_empty_window_withdraws_nothing() -> None:
    full = build({(1, "ball"): 1.0})
    assert compare(full, full.slice(0, 0), WINDOW).num_rows == 0
    assert compare(full, full.slice(0, 0), PRICES)["change"].to_pylist() == ["withdrawn"]
