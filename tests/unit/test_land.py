"""Instants land in order, once, whole or not at all, whatever happened between two runs."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_source import (
    OLD_PRICES_URL,
    PRICES,
    PRICES_URL,
    SCHEMA,
    WINDOW_URL,
    Row,
    ToySource,
    World,
    csv,
    day,
    instant,
    sha256,
)

from jgb_assets.landing.changelog import state
from jgb_assets.landing.land import LEDGER, Landed, stored_logs
from jgb_assets.landing.transport import INSTANT
from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected

ONE: Row = (1, "ball", 1.0)
TWO: Row = (2, "ball", 2.0)
THREE: Row = (3, "ball", 3.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def grown(world: World) -> World:
    """Three retrievals: a first day, a second one with the first revised, a third."""
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(2), PRICES_URL, csv((1, "ball", 1.5), TWO))
    world.publish(instant(2), WINDOW_URL, csv((1, "kite", 7.0), (2, "kite", 8.0)))
    world.publish(instant(3), PRICES_URL, csv((1, "ball", 1.5), TWO, THREE))
    world.publish(instant(3), WINDOW_URL, csv((2, "kite", 8.0), (3, "kite", 9.0)))
    return world


GROWN_PRICES = [
    (1, "added", 1, "ball", 1.0),
    (2, "revised", 1, "ball", 1.5),
    (2, "added", 2, "ball", 2.0),
    (3, "added", 3, "ball", 3.0),
]
GROWN_WINDOW = [(2, "added", 1, "kite", 7.0), (2, "added", 2, "kite", 8.0), (3, "added", 3, "kite", 9.0)]


def same_logs(one: Landed, other: Landed) -> None:
    assert one.logs.keys() == other.logs.keys()
    for name, log in one.logs.items():
        assert log.equals(other.logs[name]), name


def anew(world: World, folder: Path) -> World:
    """The same archive, landed from nothing."""
    shutil.copytree(world.archive, folder / "archive")
    return World(folder, world.source)


# --- replay ---------------------------------------------------------------------------------------------------------


def test_instants_are_replayed_in_order_so_that_revisions_show(grown: World) -> None:
    landed = grown.land()
    assert grown.rows(landed) == GROWN_PRICES
    assert grown.rows(landed, "toy_window") == GROWN_WINDOW
    assert landed.warnings == []
    assert [record.retrieved_at for record in landed.arrived] == [instant(n) for n in (1, 2, 2, 3, 3)]
    assert landed.arrived == landed.records == grown.store.records("toy")


def test_a_row_names_the_url_and_the_bytes_that_it_was_first_seen_in(grown: World) -> None:
    log = grown.land().logs["toy_prices"]
    assert set(log["source_url"].to_pylist()) == {PRICES_URL}
    assert log["sha256"].to_pylist()[0] == sha256(csv(ONE))
    assert log["sha256"].to_pylist()[-1] == sha256(csv((1, "ball", 1.5), TWO, THREE))


def test_the_ledger_says_what_arrived_and_what_comes_next(grown: World) -> None:
    rows = grown.land().logs[LEDGER].to_pylist()
    assert [(row["retrieved_at"], row["role"]) for row in rows] == [
        (instant(1), "prices"),
        (instant(2), "prices"),
        (instant(2), "window"),
        (instant(3), "prices"),
        (instant(3), "window"),
    ]
    assert rows[0] == {
        "retrieved_at": instant(1),
        "role": "prices",
        "url": PRICES_URL,
        "sha256": sha256(csv(ONE)),
        "bytes": len(csv(ONE)),
        "newest_observation_date": day(1),
        "next_expected_at": instant(2),
    }
    assert [row["newest_observation_date"] for row in rows] == [day(n) for n in (1, 2, 2, 3, 3)]


def test_the_logs_on_disk_are_those_returned(grown: World) -> None:
    landed = grown.land()
    kept = stored_logs(grown.source, grown.store, grown.change_logs)
    for name, log in landed.logs.items():
        assert kept[name].equals(log)
        assert grown.change_logs.read(name, log.schema).equals(log)


def test_what_the_publisher_says_of_its_modification_is_kept(world: World) -> None:
    stamp = "Mon, 01 Jun 2026 00:31:07 GMT"
    world.publish(instant(1), PRICES_URL, csv(ONE), stamp)
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    assert [record.last_modified for record in world.land().records] == [stamp, None]


def test_the_gate_may_wonder_and_let_in(world: World) -> None:
    world.publish(instant(1), PRICES_URL, csv((1, "ball", 500.0)))
    landed = world.land()
    assert landed.warnings == ["ball is dear"]
    assert world.rows(landed) == [(1, "added", 1, "ball", 500.0)]
    assert world.land().warnings == []


def test_a_source_that_the_archive_lacks_is_empty(world: World) -> None:
    world.publish(instant(1), "https://others.example/file.csv", csv(ONE))
    landed = world.land()
    assert (landed.records, landed.arrived) == ([], [])
    assert {name: log.num_rows for name, log in landed.logs.items()} == {"toy_prices": 0, "toy_window": 0, LEDGER: 0}
    assert world.change_logs.read("toy_prices", landed.logs["toy_prices"].schema).num_rows == 0


def test_a_second_run_lands_nothing_and_writes_nothing(grown: World) -> None:
    first = grown.land()
    before = grown.kept()
    second = grown.land()
    assert second.arrived == []
    assert second.records == first.records
    same_logs(second, first)
    assert grown.kept() == before


def test_an_instant_with_the_same_bytes_writes_nothing(grown: World) -> None:
    grown.land()
    before = grown.kept()
    grown.publish(instant(4), PRICES_URL, csv((1, "ball", 1.5), TWO, THREE))
    grown.publish(instant(4), WINDOW_URL, csv((2, "kite", 8.0), (3, "kite", 9.0)))
    assert grown.land().arrived == []
    assert grown.kept() == before


def test_other_bytes_with_the_same_figures_arrive_and_change_nothing(grown: World) -> None:
    grown.land()
    grown.publish(instant(4), PRICES_URL, csv(THREE, TWO, (1, "ball", 1.5)))
    landed = grown.land()
    assert len(landed.arrived) == 1
    assert grown.rows(landed) == GROWN_PRICES
    assert landed.logs[LEDGER].num_rows == 6


# --- as of ----------------------------------------------------------------------------------------------------------


def test_as_of_an_instant_the_later_ones_do_not_exist(grown: World) -> None:
    landed = grown.land(as_of=instant(3) - timedelta(seconds=1))
    assert grown.rows(landed) == GROWN_PRICES[:3]
    assert [record.retrieved_at for record in landed.records] == [instant(1), instant(2), instant(2)]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_run_as_of_then_a_full_run_is_a_full_run(grown: World, tmp_path: Path, number: int) -> None:
    grown.land(as_of=instant(number))
    other = anew(grown, tmp_path / "other")
    same_logs(grown.land(), other.land())
    assert grown.log_bytes() == other.log_bytes()
    assert grown.kept("snapshots").keys() == other.kept("snapshots").keys()


def test_a_run_as_of_the_past_does_not_forget_the_present(grown: World) -> None:
    grown.land()
    before = grown.kept()
    assert grown.land(as_of=instant(1)).arrived == []
    assert grown.kept() == before


# --- rebuilding and healing -----------------------------------------------------------------------------------------


def test_the_logs_can_be_built_again_from_the_snapshots_alone(grown: World) -> None:
    for number in (1, 2, 3):
        grown.land(as_of=instant(number))
    before = grown.log_bytes()
    shutil.rmtree(grown.data / "changelog")
    shutil.rmtree(grown.archive)
    grown.publish(instant(1), "https://others.example/file.csv", b"")
    assert grown.land().arrived == []
    assert grown.log_bytes() == before


@pytest.mark.parametrize("name", ["toy_prices", "toy_window", LEDGER])
@pytest.mark.parametrize("stale", [True, False])
def test_a_crash_between_snapshot_and_log_heals(grown: World, name: str, stale: bool) -> None:
    """The sidecar was written; the log is still that of the run before, or not there at all."""
    grown.land(as_of=instant(2))
    path = grown.change_logs.path(name)
    old = path.read_bytes()
    grown.land()
    whole = grown.log_bytes()
    if stale:
        path.write_bytes(old)
    else:
        path.unlink()
    landed = grown.land()
    assert landed.arrived == []
    assert grown.rows(landed) == GROWN_PRICES
    assert grown.rows(landed, "toy_window") == GROWN_WINDOW
    assert grown.log_bytes() == whole


@pytest.mark.parametrize("survivors", [0, 1])
def test_a_crash_between_the_sidecars_of_one_instant_heals(grown: World, tmp_path: Path, survivors: int) -> None:
    """Of the two files of the last instant none or one had its sidecar; the logs are those of the run before."""
    grown.land(as_of=instant(2))
    logs = {name: (grown.change_logs.path(name), body) for name, body in grown.log_bytes().items()}
    for record in grown.land().arrived[survivors:]:
        (grown.data / "snapshots" / "toy" / record.name).unlink()
    for path, body in logs.values():
        path.write_bytes(body)
    landed = grown.land()
    assert len(landed.arrived) == 2 - survivors
    same_logs(landed, anew(grown, tmp_path / "other").land())


def test_a_damaged_snapshot_stops_a_rebuild(grown: World) -> None:
    record = grown.land().records[0]
    shutil.rmtree(grown.data / "changelog")
    (grown.data / "snapshots" / "toy" / record.file).write_bytes(b"day,name,value\n")
    with pytest.raises(OSError, match=record.file):
        grown.land()


# --- an archive that changes behind us ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_file_changed_in_place_replaces_that_instants_values(grown: World, tmp_path: Path, number: int) -> None:
    grown.land()
    rows = {1: [(1, "ball", 1.25)], 2: [(1, "ball", 1.75), TWO], 3: [(1, "ball", 1.5), TWO, (3, "ball", 3.25)]}[number]
    grown.publish(instant(number), PRICES_URL, csv(*rows))
    landed = grown.land()
    assert [(record.retrieved_at, record.sha256) for record in landed.arrived] == [
        (instant(number), sha256(csv(*rows)))
    ]
    same_logs(landed, anew(grown, tmp_path / "other").land())
    log = landed.logs["toy_prices"].filter(pc.field("first_seen_at") == instant(number))
    assert rows[-1][2] in log["value"].to_pylist()
    before = grown.kept()
    assert grown.land().arrived == []
    assert grown.kept() == before


def test_a_file_changed_in_place_twice_and_back_again(grown: World, tmp_path: Path) -> None:
    grown.land()
    for rows in ([(1, "ball", 1.5), (2, "ball", 2.5)], [(1, "ball", 1.5), TWO]):
        grown.publish(instant(2), PRICES_URL, csv(*rows))
        landed = grown.land()
    assert grown.rows(landed) == GROWN_PRICES
    same_logs(landed, anew(grown, tmp_path / "other").land())


@pytest.mark.parametrize("missing", [1, 2])
def test_an_instant_inserted_between_old_ones_takes_its_place(grown: World, tmp_path: Path, missing: int) -> None:
    whole = anew(grown, tmp_path / "other").land()
    aside = shutil.move(grown.archive / instant(missing).strftime(INSTANT), tmp_path / "aside")
    without = grown.land()
    assert not without.logs["toy_prices"].equals(whole.logs["toy_prices"])
    shutil.move(aside, grown.archive / instant(missing).strftime(INSTANT))
    landed = grown.land()
    assert {record.retrieved_at for record in landed.arrived} == {instant(missing)}
    same_logs(landed, whole)
    before = grown.kept()
    assert grown.land().arrived == []
    assert grown.kept() == before


@settings(max_examples=25, deadline=None)
@given(
    figures=st.lists(
        st.dictionaries(st.integers(1, 4), st.sampled_from([None, 1.0, 2.0]), max_size=2), min_size=4, max_size=4
    ),
    order=st.permutations([1, 2, 3, 4]),
)
def test_the_order_in_which_instants_turn_up_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, figures: list[dict[int, float | None]], order: list[int]
) -> None:
    """Tables of at most two rows cannot rewrite more than this publisher may.

    When a file was looked at before depends on the order, and must: who comes by later had not looked.
    """
    world, straight = World(tmp_path_factory.mktemp("order")), World(tmp_path_factory.mktemp("straight"))
    for number in order:
        body = csv(*((at, "ball", value) for at, value in figures[number - 1].items()))
        world.publish(instant(number), PRICES_URL, body)
        straight.publish(instant(number), PRICES_URL, body)
        landed = world.land()
    log, other = (of.logs["toy_prices"].drop_columns(["previous_retrieved_at"]) for of in (landed, straight.land()))
    assert log.equals(other)
    last = state(landed.logs["toy_prices"], world.source.tables[0])
    assert {(row["day"] - day(1)).days + 1: row["value"] for row in last.to_pylist()} == figures[3]


def test_a_value_tells_when_its_file_was_looked_at_in_vain(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(2), PRICES_URL, csv(ONE))  # the same bytes: no snapshot, but a look
    world.publish(instant(3), PRICES_URL, csv(ONE, TWO))
    landed = world.land()
    looks = {row["day"]: row["previous_retrieved_at"] for row in landed.logs["toy_prices"].to_pylist()}
    assert looks == {day(1): None, day(2): instant(2)}
    assert [record.retrieved_at for record in landed.records] == [instant(1), instant(3)]
    again = anew(world, tmp_path / "other").land()
    assert again.logs["toy_prices"].equals(landed.logs["toy_prices"])


# --- refusals -------------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[bytes, str]] = {
    "parse: a web page": (b"<!DOCTYPE html><html>Sorry</html>", "first bytes"),
    "parse: nothing": (b"", "the whole file"),
    "parse: another header": (b"date,name,value\n2026-06-01,ball,1\n", "line 1"),
    "parse: a bad cell": (csv(ONE) + b"2026-06-02,ball,two\n", "line 3"),
    "gate: implausible": (csv((1, "ball", 1.5), TWO, THREE, (4, "ball", 4000.0)), "line 5"),
    "gate: rewritten": (csv((1, "ball", 9.0), (2, "ball", 9.0), (3, "ball", 9.0)), "table toy_prices"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_refused_goes_to_quarantine_and_what_was_stored_stands(grown: World, kind: str) -> None:
    body, place = BAD[kind]
    landed = grown.land()
    before = grown.kept()
    grown.publish(instant(4), PRICES_URL, body)
    with pytest.raises(SourceRejected) as error:
        grown.land()
    assert (error.value.source, error.value.role, error.value.url) == ("toy", "prices", PRICES_URL)
    assert error.value.place.startswith(place)
    assert grown.kept("snapshots", "changelog") == before
    (held,) = (grown.data / "quarantine").rglob("*.bytes")
    assert held.read_bytes() == body
    reason = json.loads(held.with_suffix(".json").read_text())
    assert reason["sha256"] == sha256(body)
    assert [reason[part] for part in ("place", "expected", "found", "remedy")] == [
        error.value.place,
        error.value.expected,
        error.value.found,
        error.value.remedy,
    ]
    # Once the publisher has put it right, at the same address, it lands as if nothing had been.
    grown.publish(instant(4), PRICES_URL, csv((1, "ball", 1.5), TWO, THREE, (4, "ball", 4.0)))
    assert grown.rows(grown.land()) == [*grown.rows(landed), (4, "added", 4, "ball", 4.0)]


@pytest.mark.parametrize("kind", BAD)
def test_good_instants_before_the_refused_one_are_kept(grown: World, kind: str) -> None:
    grown.publish(instant(4), PRICES_URL, BAD[kind][0])
    with pytest.raises(SourceRejected):
        grown.land()
    landed = grown.land(as_of=instant(3))
    assert landed.arrived == []
    assert grown.rows(landed) == GROWN_PRICES
    assert len(landed.records) == 5


def test_a_refusal_twice_is_one_in_quarantine(grown: World) -> None:
    grown.publish(instant(4), PRICES_URL, b"<html>")
    for _ in range(2):
        with pytest.raises(SourceRejected):
            grown.land()
    assert len(list((grown.data / "quarantine").rglob("*.bytes"))) == 1


def test_one_refused_file_keeps_the_others_of_its_instant_out(grown: World) -> None:
    """An instant lands whole or not at all; only the refused file is held."""
    landed = grown.land()
    grown.publish(instant(4), PRICES_URL, csv((1, "ball", 1.5), TWO, THREE, (4, "ball", 4.0)))
    grown.publish(instant(4), WINDOW_URL, b"<html>")
    with pytest.raises(SourceRejected, match="days=3"):
        grown.land()
    assert [path.read_bytes() for path in (grown.data / "quarantine").rglob("*.bytes")] == [b"<html>"]
    same_logs(grown.land(as_of=instant(3)), landed)


class Unfit(ToySource):
    """Refuses two files that do not speak of the same newest day."""

    def gate(self, arrival: Arrival) -> list[str]:
        newest = {max(table["day"].to_pylist()) for table in arrival.tables.values() if table.num_rows}
        if len(newest) > 1:
            raise SourceRejected(
                source=self.name,
                role=None,
                url=self.homepage,
                place="newest days",
                expected="one",
                found="2",
                remedy="wait",
            )
        return []


def test_files_that_do_not_fit_each_other_are_all_held(tmp_path: Path) -> None:
    world = World(tmp_path, Unfit())
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(1), WINDOW_URL, csv(TWO))
    with pytest.raises(SourceRejected):
        world.land()
    held = {path.read_bytes() for path in (world.data / "quarantine").rglob("*.bytes")}
    assert held == {csv(ONE), csv(TWO)}
    assert world.store.records("toy") == []


def test_too_many_rewritten_rows_are_refused_with_their_count_and_the_first(world: World) -> None:
    world.publish(instant(1), PRICES_URL, csv(*((number, "ball", 1.0) for number in range(1, 9))))
    rewritten = [(2, "ball", 9.0), (4, "ball", 9.0), (5, "ball", None)]  # and the third day is gone
    rest = [(number, "ball", 1.0) for number in (1, 6, 7, 8)]
    world.publish(instant(2), PRICES_URL, csv(*rest, *rewritten))
    with pytest.raises(SourceRejected) as error:
        world.land()
    assert error.value.found.startswith("4 ")
    assert "2026-06-02" in error.value.place
    assert "ball" in error.value.place
    assert "at most 2" in error.value.expected
    assert "JGB_ACCEPT_SHA256" in error.value.remedy


def test_as_many_rewritten_rows_as_ever_are_let_in_with_any_number_added(world: World) -> None:
    world.publish(instant(1), PRICES_URL, csv(ONE, TWO, THREE))
    added = [(number, "ball", 1.0) for number in range(4, 40)]
    world.publish(instant(2), PRICES_URL, csv((1, "ball", 9.0), THREE, *added))
    changes = [row[1] for row in world.rows(world.land())[3:]]
    assert changes == ["revised", "withdrawn", *["added"] * 36]


def test_a_table_whose_habit_are_revisions_may_rewrite_all(world: World) -> None:
    for number, value in ((1, 1.0), (2, 2.0)):
        world.publish(instant(number), WINDOW_URL, csv(*((at, "kite", value) for at in range(1, 30))))
    assert world.land().logs["toy_window"].num_rows == 58


# --- accepted by a person -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind.startswith("gate")])
def test_a_person_can_let_a_file_past_the_gate(grown: World, kind: str) -> None:
    body = BAD[kind][0]
    grown.publish(instant(4), PRICES_URL, body)
    with pytest.raises(SourceRejected):
        grown.land(accepted=frozenset({sha256(b"another file")}))
    landed = grown.land(accepted=frozenset({sha256(body)}))
    assert [record.sha256 for record in landed.arrived] == [sha256(body)]
    assert any(PRICES_URL in warning for warning in landed.warnings)
    assert (4, "ball", 4000.0) in {row[2:] for row in grown.rows(landed)} or (3, "ball", 9.0) in {
        row[2:] for row in grown.rows(landed)
    }
    assert grown.land().arrived == []  # it stands without being accepted again


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind.startswith("parse")])
def test_nobody_can_let_a_file_past_the_parser(grown: World, kind: str) -> None:
    body = BAD[kind][0]
    grown.land()
    before = grown.kept()
    grown.publish(instant(4), PRICES_URL, body)
    with pytest.raises(SourceRejected):
        grown.land(accepted=frozenset({sha256(body)}))
    assert grown.kept("snapshots", "changelog") == before


def test_accepting_one_file_lets_no_other_past_the_gate(world: World) -> None:
    dear, dearer = csv((1, "ball", 2000.0)), csv((1, "ball", 3000.0))
    world.publish(instant(1), PRICES_URL, dear)
    world.publish(instant(2), PRICES_URL, dearer)
    with pytest.raises(SourceRejected, match="3000"):
        world.land(accepted=frozenset({sha256(dear)}))
    assert [record.sha256 for record in world.store.records("toy")] == [sha256(dear)]


def test_accepting_one_file_lets_no_other_of_its_instant_past_the_gate(world: World) -> None:
    fine = csv((1, "kite", 7.0))
    world.publish(instant(1), PRICES_URL, csv((1, "ball", 2000.0)))
    world.publish(instant(1), WINDOW_URL, fine)
    with pytest.raises(SourceRejected, match="2000"):
        world.land(accepted=frozenset({sha256(fine)}))
    assert world.store.records("toy") == []


# --- which URL, which role ------------------------------------------------------------------------------------------


def test_the_second_url_is_read_only_where_the_first_is_absent(world: World) -> None:
    world.publish(instant(1), OLD_PRICES_URL, csv(ONE))
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    world.publish(instant(2), OLD_PRICES_URL, csv(ONE, (2, "ball", 99.0)))
    landed = world.land()
    assert [record.url for record in landed.records] == [OLD_PRICES_URL, PRICES_URL]
    assert world.rows(landed) == [(1, "added", 1, "ball", 1.0), (2, "added", 2, "ball", 2.0)]
    assert landed.logs["toy_prices"]["source_url"].to_pylist() == [OLD_PRICES_URL, PRICES_URL]


def test_a_first_url_that_answers_badly_is_refused_not_passed_over(world: World) -> None:
    world.publish(instant(1), PRICES_URL, b"<html>")
    world.publish(instant(1), OLD_PRICES_URL, csv(ONE))
    with pytest.raises(SourceRejected, match=PRICES_URL):
        world.land()


def test_a_role_that_an_instant_lacks_keeps_its_last_bytes(world: World) -> None:
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(1), WINDOW_URL, csv((1, "kite", 7.0)))
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    world.publish(instant(3), WINDOW_URL, csv((1, "kite", 7.5)))
    landed = world.land()
    assert world.rows(landed) == [(1, "added", 1, "ball", 1.0), (2, "added", 2, "ball", 2.0)]
    assert world.rows(landed, "toy_window") == [(1, "added", 1, "kite", 7.0), (3, "revised", 1, "kite", 7.5)]
    assert [(row.retrieved_at, row.role) for row in landed.records] == [
        (instant(1), "prices"),
        (instant(1), "window"),
        (instant(2), "prices"),
        (instant(3), "window"),
    ]


class Watchful(ToySource):
    """Keeps what its gate was shown."""

    def __init__(self) -> None:
        self.seen: list[Arrival] = []

    def gate(self, arrival: Arrival) -> list[str]:
        self.seen.append(arrival)
        return []


def test_the_gate_sees_what_was_fetched_what_is_stored_and_what_differs(tmp_path: Path) -> None:
    source = Watchful()
    world = World(tmp_path, source)
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(1), WINDOW_URL, csv((1, "kite", 7.0)))
    world.publish(instant(2), PRICES_URL, csv(ONE))  # fetched again, unchanged
    world.publish(instant(2), WINDOW_URL, csv((1, "kite", 7.5)))
    world.publish(instant(3), PRICES_URL, csv(ONE, TWO))
    world.land()
    first, second, third = source.seen
    assert [arrival.retrieved for arrival in source.seen] == [{"prices", "window"}, {"prices", "window"}, {"prices"}]
    assert first.stored["toy_prices"].num_rows == 0
    assert second.files["prices"].retrieved_at == instant(1)
    assert second.stored["toy_window"]["value"].to_pylist() == [7.0]
    assert second.tables["toy_window"]["value"].to_pylist() == [7.5]
    assert second.changes["toy_window"]["change"].to_pylist() == ["revised"]
    assert second.changes["toy_prices"].num_rows == 0
    assert third.files["window"].body == csv((1, "kite", 7.5))
    assert third.changes["toy_prices"]["value"].to_pylist() == [2.0]


def test_the_gate_of_an_older_instant_sees_only_what_was_known_then(tmp_path: Path) -> None:
    source = Watchful()
    world = World(tmp_path, source)
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(3), PRICES_URL, csv(ONE, TWO, THREE))
    world.land()
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    world.land()
    inserted = source.seen[-1]
    assert inserted.stored["toy_prices"]["value"].to_pylist() == [1.0]
    assert inserted.changes["toy_prices"]["change"].to_pylist() == ["added"]


def test_two_sources_do_not_meet(tmp_path: Path) -> None:
    class OtherToys(ToySource):
        name = "other_toys"

    one, other = World(tmp_path), World(tmp_path, OtherToys())
    one.publish(instant(1), PRICES_URL, csv(ONE))
    one.land()
    before = one.kept()
    assert other.store.records("other_toys") == []
    other.land()
    assert len(other.store.records("other_toys")) == len(one.store.records("toy")) == 1
    assert before.items() <= one.kept().items()


def test_a_parser_that_gives_a_key_twice_lands_nothing(grown: World) -> None:
    grown.land()
    before = grown.kept()
    grown.publish(instant(4), PRICES_URL, csv((1, "ball", 1.5), TWO, THREE, THREE))
    with pytest.raises(ValueError, match="toy_prices"):
        grown.land()
    assert grown.kept() == before


def test_an_instant_inserted_with_bytes_that_came_later_takes_their_place_in_the_ledger(
    world: World, tmp_path: Path
) -> None:
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(3), PRICES_URL, csv(ONE, TWO))
    world.land()
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    same_logs(world.land(), anew(world, tmp_path / "other").land())


def test_a_file_changed_in_place_to_the_bytes_before_it_leaves_no_row_in_the_ledger(
    world: World, tmp_path: Path
) -> None:
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(2), PRICES_URL, csv(ONE, TWO))
    world.land()
    world.publish(instant(2), PRICES_URL, csv(ONE))
    same_logs(world.land(), anew(world, tmp_path / "other").land())


def test_what_quarantine_holds_is_what_has_to_be_accepted(world: World) -> None:
    world.publish(instant(1), PRICES_URL, csv((1, "ball", 4000.0)))
    world.publish(instant(1), WINDOW_URL, csv((1, "kite", 1.0)))
    with pytest.raises(SourceRejected):
        world.land()
    held = {sha256(path.read_bytes()) for path in (world.data / "quarantine").rglob("*.bytes")}
    assert len(held) == 2  # the retrieval was judged as a whole: each of its files has to be looked at
    with pytest.raises(SourceRejected):
        world.land(accepted=frozenset([*held][:1]))
    assert any("by hand" in warning for warning in world.land(accepted=frozenset(held)).warnings)


def test_a_parsers_defect_stores_nothing_even_for_accepted_bytes(world: World) -> None:
    doubled = csv(ONE, TWO, TWO)
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.land()
    before = world.kept()
    world.publish(instant(2), PRICES_URL, doubled)
    with pytest.raises(ValueError, match="twice"):
        world.land(accepted=frozenset({sha256(doubled)}))
    assert world.kept() == before


class OneTableOfTwoFiles(ToySource):
    """Like the yields: each row names the role of its file."""

    tables = (
        replace(
            PRICES,
            schema=SCHEMA.append(pa.field("kind", pa.string(), nullable=False)),
            roles=("prices", "window"),
            role_column="kind",
        ),
    )

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        schema = self.tables[0].schema
        parts = [(role, self._read(file)) for role, file in files.items()]
        tables = [pa.table([*part.columns, pa.array([role] * len(part))], schema=schema) for role, part in parts]
        return {PRICES.name: pa.concat_tables(tables)}


def test_the_file_that_rewrote_the_past_is_the_one_that_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, OneTableOfTwoFiles())
    world.publish(instant(1), PRICES_URL, csv(ONE))
    world.publish(instant(1), WINDOW_URL, csv(*((n, "ball", 1.0) for n in range(2, 8))))
    world.land()
    rewritten = csv(*((n, "ball", 9.0) for n in range(2, 8)))
    world.publish(instant(2), PRICES_URL, csv(ONE, (20, "ball", 1.0)))
    world.publish(instant(2), WINDOW_URL, rewritten)
    with pytest.raises(SourceRejected) as refusal:
        world.land()
    assert refusal.value.role == "window"
    assert rewritten in [path.read_bytes() for path in (world.data / "quarantine").rglob("*.bytes")]


def test_a_look_back_shows_nothing_that_came_later(grown: World) -> None:
    grown.land()
    back = grown.land(as_of=instant(1))
    assert [record.retrieved_at for record in back.records] == [instant(1)]
    assert grown.rows(back) == GROWN_PRICES[:1]


def test_a_damaged_change_log_is_built_again(grown: World) -> None:
    whole = grown.land()
    grown.change_logs.path("toy_prices").write_bytes(b"")
    same_logs(grown.land(), whole)
