"""What may become a release: as its contract says, as the last one promised, and plausible beside it."""

import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jgb_assets.extracts.dictionary import Column, Dataset
from jgb_assets.extracts.release import Release, ReleaseRefused, publish
from jgb_assets.extracts.store import store_at
from tests.conftest import tree

Row = dict[str, Any]
Rows = dict[str, list[Row]]
INSTANT = pa.timestamp("us", tz="UTC")


class Everything(frozenset[str]):
    """A person who accepts whatever it is."""

    def __contains__(self, _: object) -> bool:
        return True


def column(name: str, data_type: str, unit: str, source: str = "Toy Office", *, nullable: bool = True) -> Column:
    return Column(name, data_type, f"What {name} is.", unit, source, nullable)


YIELDS = Dataset(
    name="toy_yields",
    title="Toy yields",
    description="As the Toy Office says.",
    key=("obs_date", "tenor_years"),
    columns=(
        column("obs_date", "date", "date", nullable=False),
        column("tenor_years", "smallint", "years", nullable=False),
        column("yield_pct", "double", "percent a year"),
        column("note", "varchar", "text"),
        column("change_1d_bp", "double", "bp", "computed from Toy Office"),
        column(
            "published_at", "timestamp with time zone", "utc instant", "publisher's calendar; retrieval", nullable=False
        ),
    ),
    sources=("toy_office",),
    known_at="published_at",
    is_first_hand=True,
)
HOLDINGS = Dataset(
    name="toy_holdings",
    title="Toy holdings",
    description="Who holds toys, as custodians say.",
    key=("month_end_date", "holder"),
    columns=(
        column("month_end_date", "date", "date", nullable=False),
        column("holder", "varchar", "label", nullable=False),
        column("position_usd_bn", "double", "usd bn"),
        column("rank", "smallint", "rank", "computed"),
        column("line", "integer", "line", "retrieval"),
        column("is_aggregate", "boolean", "flag"),
        column("revised_at", "timestamp with time zone", "utc instant", "retrieval"),
    ),
    sources=("custodians",),
    is_first_hand=True,
)
DATASETS = [HOLDINGS, YIELDS]
START = date(2024, 1, 1)
TENORS = (2, 10)
SESSIONS = 502
LAST = START + timedelta(days=SESSIONS - 1)
HOLDERS = ("Belgium", "Japan", "United Kingdom")
MONTHS = 30
FIRST_AT = datetime(2026, 6, 1, 0, 35, tzinfo=UTC)
SECOND_AT = datetime(2026, 7, 1, 0, 35, tzinfo=UTC)
REMEDY = re.compile(r"run again|mend|major version", re.IGNORECASE)


def yields() -> list[Row]:
    return [
        {
            "obs_date": START + timedelta(days=session),
            "tenor_years": tenor,
            "yield_pct": round(1 + tenor / 10 + math.sin(session / 50) / 2, 3),
            "note": "corrected" if session % 7 == 0 else None,
            "change_1d_bp": None if session == 0 else round(math.cos(session / 50), 1),
            "published_at": datetime(2024, 1, 2, 0, 30, tzinfo=UTC) + timedelta(days=session),
        }
        for session in range(SESSIONS)
        for tenor in TENORS
    ]


def holdings() -> list[Row]:
    return [
        {
            "month_end_date": date(2024, 1, 1) + timedelta(days=31 * month),
            "holder": holder,
            "position_usd_bn": 100.0 * number + month,
            "rank": None if number == 0 else number,
            "line": None if month == 0 else month,
            "is_aggregate": None if month % 5 == 0 else False,
            "revised_at": None if month % 3 else FIRST_AT,
        }
        for month in range(MONTHS)
        for number, holder in enumerate(HOLDERS)
    ]


def rows() -> Rows:
    return {"toy_yields": yields(), "toy_holdings": holdings()}


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def ledger_of(*arrivals: tuple[str, str, datetime]) -> pa.Table:
    """A row for each file: its source, its role, when it was retrieved."""
    return pa.Table.from_pylist(
        [
            {
                "source": source,
                "role": role,
                "url": f"https://{source}.example/{role}.csv",
                "retrieved_at": at,
                "snapshot_sha256": sha256(f"{source} {role} {at}".encode()),
            }
            for source, role, at in arrivals
        ],
        schema=pa.schema(
            [(name, INSTANT if name == "retrieved_at" else pa.string()) for name in
             ("source", "role", "url", "retrieved_at", "snapshot_sha256")]
        ),
    )  # fmt: skip


SOURCES = pa.Table.from_pylist(
    [
        {
            "source": name,
            "title": title,
            "homepage": f"https://{name}.example/",
            "licence": f"{title} Licence 1.0",
            "citation": f"Source: {title}, processed.",
        }
        for name, title in (("custodians", "Custodians"), ("toy_office", "Toy Office"))
    ]
)
FIRST = (("toy_office", "history", FIRST_AT), ("custodians", "table", FIRST_AT - timedelta(days=9)))


@dataclass(frozen=True)
class Place:
    """Where releases go, and what has come out of it."""

    folder: Path
    datasets: list[Dataset] = field(default_factory=lambda: list(DATASETS))

    @property
    def current(self) -> Path:
        return self.folder / "v1" / "current"

    def publish(
        self,
        of: Rows,
        at: datetime = SECOND_AT,
        datasets: Iterable[Dataset] | None = None,
        accepted: Iterable[str] = frozenset(),
        arrivals: Iterable[tuple[str, str, datetime]] | None = None,
    ) -> Release:
        """Publish rows; by default of the first files and a current month retrieved ``at``."""
        offered = self.datasets if datasets is None else list(datasets)
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            for dataset in offered:
                names = {one.name: one.arrow_type for one in dataset.columns}
                table = pa.Table.from_pylist(of[dataset.name], schema=pa.schema(names.items()))
                duckdb.from_arrow(table, connection=connection).create(dataset.name)
            ledger = ledger_of(*(arrivals or (*FIRST, ("toy_office", "current", at))))
            store = store_at(self.folder)
            kept = accepted if isinstance(accepted, Everything) else frozenset(accepted)
            return publish(connection, offered, SOURCES, ledger, at, store, accepted=kept)

    def refusal(self, *arguments: Any, **options: Any) -> str:
        """Publish what is refused: the reason given, after making sure that nothing else happened."""
        before = tree(self.folder)
        with pytest.raises(ReleaseRefused) as refused:
            self.publish(*arguments, **options)
        assert tree(self.folder) == before
        return str(refused.value)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """With a first release in it. Read only."""
    made = Place(tmp_path_factory.mktemp("first") / "publish")
    assert made.publish(rows(), arrivals=FIRST, at=FIRST_AT).is_switched
    return made


@pytest.fixture
def place(first: Place, tmp_path: Path) -> Place:
    """With a first release in it."""
    return Place(Path(shutil.copytree(first.folder, tmp_path / "publish", symlinks=True)))


def named(message: str, *words: str) -> bool:
    return all(re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", message) for word in words)


def content_hash(message: str) -> str:
    (found,) = set(re.findall(r"\b[0-9a-f]{64}\b", message))
    return found


def changed(of: list[Row], which: Callable[[int, Row], bool], **values: Any) -> list[Row]:
    """Rows with other values where ``which`` (position, row) says so; a function makes the new value of the old one."""
    return [
        {**row, **{name: value(row[name]) if callable(value) else value for name, value in values.items()}}
        if which(at, row)
        else row
        for at, row in enumerate(of)
    ]


def without(of: list[Row], which: Callable[[int, Row], bool]) -> list[Row]:
    return [row for at, row in enumerate(of) if not which(at, row)]


def in_the_midst(count: int) -> Callable[[int, Row], bool]:
    """``count`` rows that are neither the first nor the last, of both tenors."""
    return lambda at, row: 100 <= at < 100 + count


def with_yields(of: list[Row]) -> Rows:
    return rows() | {"toy_yields": of}


def next_session(number: int = 0, **values: Any) -> list[Row]:
    last = yields()[-2:]
    return [row | {"obs_date": row["obs_date"] + timedelta(days=1 + number)} | values for row in last]


# --- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepted", [frozenset(), Everything()], ids=["", "accepted"])
@pytest.mark.parametrize("part", ["obs_date", "tenor_years", "published_at"])
def test_nothing_where_something_was_promised_is_refused(place: Place, part: str, accepted: frozenset[str]) -> None:
    message = place.refusal(with_yields(changed(yields(), lambda at, _: at == 5, **{part: None})), accepted=accepted)
    assert named(message, "toy_yields", part)
    assert REMEDY.search(message)


@pytest.mark.parametrize("accepted", [frozenset(), Everything()], ids=["", "accepted"])
def test_a_key_that_stands_twice_is_refused(place: Place, accepted: frozenset[str]) -> None:
    message = place.refusal(with_yields([*yields(), yields()[7] | {"yield_pct": 9.0}]), accepted=accepted)
    assert named(message, "toy_yields", "obs_date", "tenor_years")
    assert REMEDY.search(message)


def test_a_first_release_with_a_bad_key_leaves_nothing_for_readers(tmp_path: Path) -> None:
    empty = Place(tmp_path / "publish")
    with pytest.raises(ReleaseRefused, match="toy_holdings"):
        empty.publish(rows() | {"toy_holdings": [*holdings(), holdings()[0]]})
    store = store_at(empty.folder)
    assert (store.releases(), store.current()) == ([], None)
    assert not [path for path in empty.folder.rglob("*") if path.suffix in (".parquet", ".json")]


# --- the promise ---------------------------------------------------------------------------------------------------


def offering(which: str | None = None, /, key: tuple[str, ...] = YIELDS.key, **values: Any) -> list[Dataset]:
    columns = tuple(replace(one, **values) if one.name == which else one for one in YIELDS.columns)
    return [HOLDINGS, replace(YIELDS, columns=columns, key=key)]


BREACHES: dict[str, tuple[list[Dataset], tuple[str, ...]]] = {
    "column removed": (
        [HOLDINGS, replace(YIELDS, columns=tuple(one for one in YIELDS.columns if one.name != "note"))],
        ("toy_yields", "note"),
    ),
    "column renamed": (offering("note", name="remark"), ("toy_yields", "note")),
    "column retyped": (offering("tenor_years", data_type="integer"), ("toy_yields", "tenor_years", "int16", "int32")),
    "computed column retyped": (offering("change_1d_bp", data_type="varchar"), ("toy_yields", "change_1d_bp")),
    "other unit": (offering("yield_pct", unit="bp"), ("toy_yields", "yield_pct", "bp", "percent a year")),
    "other key": (offering(key=("tenor_years", "obs_date")), ("toy_yields", "obs_date", "tenor_years")),
    "longer key": (offering(key=("obs_date", "tenor_years", "published_at")), ("toy_yields", "published_at")),
    "dataset gone": ([YIELDS], ("toy_holdings",)),
}


@pytest.mark.parametrize("accepted", [frozenset(), Everything()], ids=["", "accepted"])
@pytest.mark.parametrize("breach", BREACHES)
def test_a_broken_promise_is_refused_whoever_accepts_it(place: Place, breach: str, accepted: frozenset[str]) -> None:
    datasets, words = BREACHES[breach]
    of = with_yields([row | {"remark": row["note"]} for row in yields()])
    if breach == "computed column retyped":
        of = with_yields([row | {"change_1d_bp": str(row["change_1d_bp"])} for row in yields()])
    message = place.refusal(of, datasets=datasets, accepted=accepted)
    assert named(message, *words)
    assert REMEDY.search(message)


def test_a_promise_holds_when_going_back_in_time_too(place: Place) -> None:
    datasets, words = BREACHES["other unit"]
    message = place.refusal(rows(), datasets=datasets, at=FIRST_AT - timedelta(days=5), arrivals=FIRST[1:])
    assert named(message, *words)


def test_an_accepted_content_still_breaks_no_promise(tmp_path: Path, place: Place) -> None:
    """The very hash that lets the same content pass where nothing but its size is wrong."""
    datasets, words = BREACHES["column removed"]
    shrunk = with_yields(without(yields(), in_the_midst(300)))
    elsewhere = Place(tmp_path / "elsewhere", datasets)
    elsewhere.publish(rows(), arrivals=FIRST, at=FIRST_AT)
    accepted = {content_hash(elsewhere.refusal(shrunk))}
    assert elsewhere.publish(shrunk, accepted=accepted).is_new
    assert named(place.refusal(shrunk, datasets=datasets, accepted=accepted), *words)


def test_what_is_new_is_welcome(place: Place) -> None:
    more = Column("cover", "double", "Cover.", "ratio", "Toy Office", nullable=True)
    datasets = [
        replace(HOLDINGS, description="Said better."),
        replace(YIELDS, name="toy_curve", columns=YIELDS.columns[:3]),
        replace(YIELDS, columns=(more, *YIELDS.columns)),
    ]
    of = with_yields([row | {"cover": 2.5} for row in yields()]) | {"toy_curve": yields()}
    assert place.publish(of, datasets=datasets).is_new
    told = json.loads((place.current / "changes.json").read_text())["datasets"]
    assert told["toy_yields"]["columns_added"] == ["cover"]
    assert told["toy_curve"]["rows_added"]["count"] == len(yields())
    text = (place.current / "CHANGES.md").read_text()
    assert named(text, "cover")
    assert named(text, "toy_curve")


# --- coverage and magnitude ------------------------------------------------------------------------------------------


def added(**values: Any) -> list[Row]:
    return [*yields(), *next_session(**values)]


LARGEST = max(row["yield_pct"] for row in yields())
MANY = in_the_midst(31)  # 3 % of 1,004 rows is 30
IMPLAUSIBLE: dict[str, tuple[Callable[[], list[Row]], tuple[str, ...]]] = {
    "rows gone": (lambda: without(yields(), MANY), ("31",)),
    "rows gone while others came": (
        lambda: [*without(yields(), MANY), *(row for day in range(10) for row in next_session(day))],
        ("31",),
    ),
    "all rows gone": (lambda: [], ("1,004",)),
    "values of a column gone": (lambda: changed(yields(), MANY, yield_pct=None), ("yield_pct", "31")),
    "values gone while others came": (
        lambda: changed([*yields(), *(row for day in range(10) for row in next_session(day))], MANY, yield_pct=None),
        ("yield_pct", "31"),
    ),
    "computed values gone": (lambda: changed(yields(), MANY, change_1d_bp=None), ("change_1d_bp", "31")),
    "the newest session gone": (lambda: yields()[:-2], ("obs_date", str(LAST), str(LAST - timedelta(days=1)))),
    "the oldest session gone": (lambda: yields()[2:], ("obs_date", "2024-01-01", "2024-01-02")),
    "a column in another unit": (
        lambda: changed(yields(), lambda *_: True, yield_pct=lambda pct: pct * 100),
        ("yield_pct",),
    ),
    "a column in another unit, the other way": (
        lambda: changed(yields(), lambda *_: True, yield_pct=lambda pct: pct / 100),
        ("yield_pct",),
    ),
    "a computed column in another unit": (
        lambda: changed(yields(), lambda *_: True, change_1d_bp=lambda bp: bp and bp / 100),
        ("change_1d_bp",),
    ),
    "values half as large again, and a little": (
        lambda: changed(yields(), lambda *_: True, yield_pct=lambda pct: pct * 1.51),
        ("yield_pct",),
    ),
    "a new value that is ten times the largest": (lambda: added(yield_pct=10 * LARGEST), ("yield_pct",)),
    "a new value that is ten times the largest, below": (lambda: added(yield_pct=-10 * LARGEST), ("yield_pct",)),
}  # fmt: skip


@pytest.mark.parametrize("change", IMPLAUSIBLE)
def test_what_is_implausible_waits_for_a_person(place: Place, change: str) -> None:
    make, words = IMPLAUSIBLE[change]
    of = with_yields(make())
    message = place.refusal(of)
    assert named(message, "toy_yields", *words)
    assert "JGB_ACCEPT_SHA256" in message
    assert place.refusal(of, accepted={sha256(b"something else")}) == message
    release = place.publish(of, accepted={content_hash(message)})
    assert (release.is_new, release.is_switched) == (True, True)
    assert release.release_id.endswith(f"-{content_hash(message)[:8]}")
    assert pq.read_table(place.current / "toy_yields.parquet").num_rows == len(of["toy_yields"])


def test_a_tenor_or_a_holder_that_ends_waits_for_a_person(tmp_path: Path) -> None:
    rare = [row | {"tenor_years": 40, "yield_pct": 3.5} for row in yields()[100:106:2]]
    told = with_yields([*yields(), *rare]) | {"toy_holdings": [*holdings(), holdings()[0] | {"holder": "Andorra"}]}
    place = Place(tmp_path / "publish")
    place.publish(told, arrivals=FIRST, at=FIRST_AT)
    message = place.refusal(told | {"toy_yields": yields()})
    assert named(message, "toy_yields", "tenor_years", "40")
    assert "toy_holdings" not in message
    message = place.refusal(told | {"toy_holdings": holdings()})
    assert named(message, "toy_holdings", "holder", "Andorra")
    assert place.publish(told | {"toy_holdings": holdings()}, accepted={content_hash(message)}).is_new


def test_every_dataset_and_column_that_is_implausible_is_named(place: Place) -> None:
    of = {
        "toy_yields": changed(yields(), lambda *_: True, yield_pct=lambda pct: pct * 100),
        "toy_holdings": without(holdings(), lambda at, _: 10 <= at < 20),
    }
    message = place.refusal(of)
    assert named(message, "toy_yields", "yield_pct", "toy_holdings")
    assert place.publish(of, accepted={content_hash(message)}).is_new


PLAUSIBLE: dict[str, Callable[[], list[Row]]] = {
    "a session more": added,
    "a few rows withdrawn": lambda: without(yields(), in_the_midst(8)),
    "a few values withdrawn": lambda: changed(yields(), in_the_midst(8), yield_pct=None, change_1d_bp=None),
    "values revised a little": lambda: changed(yields(), lambda *_: True, yield_pct=lambda pct: pct + 0.01),
    "values nearly half as large again": lambda: changed(
        yields(), lambda *_: True, yield_pct=lambda pct: pct * 1.49, change_1d_bp=lambda bp: bp and bp / 1.49
    ),
    "a few values beyond all belief": lambda: changed(yields(), in_the_midst(2), yield_pct=lambda pct: pct * 100),
    "a record": lambda: added(yield_pct=2.9 * LARGEST),
    "an older session more": lambda: [*yields(), *next_session(-SESSIONS - 1)],
    "another tenor": lambda: [*yields(), yields()[-1] | {"tenor_years": 40}],
    "a value where there was none": lambda: changed(yields(), lambda *_: True, note="corrected", change_1d_bp=0.7),
    "all text said otherwise": lambda: changed(yields(), lambda *_: True, note=lambda note: note and note * 100),
}


@pytest.mark.parametrize("change", PLAUSIBLE)
def test_what_publishers_do_passes(place: Place, change: str) -> None:
    release = place.publish(with_yields(PLAUSIBLE[change]()))
    assert (release.is_new, release.is_switched) == (True, True)
    assert place.current.resolve().name == release.release_id


def small() -> list[Row]:
    """Forty rows, of which 29 have a yield."""
    return changed(yields()[:40], lambda at, _: at >= 29, yield_pct=None)


FEW: dict[str, Callable[[], list[Row]]] = {
    "five rows gone": lambda: without(small(), lambda at, _: 20 <= at < 25),
    "five values gone": lambda: changed(small(), lambda at, _: 20 <= at < 25, yield_pct=None),
    "a hundred times as large": lambda: changed(small(), lambda at, _: at < 29, yield_pct=lambda pct: pct * 100),
    "a new value that is ten times the largest": lambda: [
        *small(),
        small()[-1] | {"tenor_years": 40, "yield_pct": 10 * LARGEST},
    ],
}


@pytest.mark.parametrize("change", FEW)
def test_of_a_small_dataset_not_enough_is_known_to_object(tmp_path: Path, change: str) -> None:
    place = Place(tmp_path / "publish")
    place.publish(with_yields(small()), arrivals=FIRST, at=FIRST_AT)
    assert place.publish(with_yields(FEW[change]())).is_new


def test_six_rows_of_a_small_dataset_are_too_many(tmp_path: Path) -> None:
    place = Place(tmp_path / "publish")
    place.publish(with_yields(small()), arrivals=FIRST, at=FIRST_AT)
    message = place.refusal(with_yields(without(small(), lambda at, _: 20 <= at < 26)))
    assert named(message, "toy_yields", "6")


def test_a_column_of_zeros_keeps_its_size(tmp_path: Path) -> None:
    place = Place(tmp_path / "publish")
    flat = changed(yields(), lambda *_: True, change_1d_bp=0.0)
    place.publish(with_yields(flat), arrivals=FIRST, at=FIRST_AT)
    assert place.publish(with_yields(changed(flat, lambda at, _: at == 3, yield_pct=1.2))).is_new


def test_a_dataset_without_rows_may_stay_so_and_may_grow(tmp_path: Path) -> None:
    place = Place(tmp_path / "publish")
    place.publish(with_yields([]), arrivals=FIRST, at=FIRST_AT)
    assert pq.read_table(place.current / "toy_yields.parquet").num_rows == 0
    assert place.publish(with_yields([]) | {"toy_holdings": holdings()[:-1]}).is_new
    assert place.publish(rows(), at=SECOND_AT + timedelta(days=1)).is_new


def test_a_look_back_in_time_is_not_held_to_what_came_later(place: Place) -> None:
    past = with_yields(changed(yields()[: SESSIONS // 2], lambda *_: True, yield_pct=lambda pct: pct * 100))
    before = FIRST_AT - timedelta(seconds=1)
    back = place.publish(past, at=before, arrivals=(("toy_office", "history", before),))
    assert (back.is_new, back.is_switched) == (True, True)
    assert place.current.resolve().name == back.release_id


def test_less_is_refused_however_old_it_looks(place: Place) -> None:
    """A publisher whose folder has seen only the first files must not take away what another has published."""
    before = FIRST_AT - timedelta(seconds=1)
    half = with_yields(yields()[: SESSIONS // 2])
    message = place.refusal(half, at=SECOND_AT, arrivals=(("toy_office", "history", before),))
    assert named(message, "toy_yields")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_release_holds_what_is_no_number(place: Place, value: float) -> None:
    of = with_yields(changed(yields(), lambda at, _: at == 3, yield_pct=value))
    assert named(place.refusal(of, accepted=Everything()), "toy_yields", "yield_pct")


def test_what_was_published_before_is_judged_again(place: Place) -> None:
    """Code that is taken back takes its columns with it: readers of the newer release relied on them."""
    more = column("more_pct", "double", "percent")
    of = with_yields([row | {"more_pct": 1.0} for row in yields()])
    place.publish(of, datasets=[HOLDINGS, replace(YIELDS, columns=(*YIELDS.columns, more))])
    message = place.refusal(rows(), arrivals=FIRST)
    assert named(message, "toy_yields", "more_pct")


def test_at_the_same_instant_coverage_is_held(place: Place) -> None:
    message = place.refusal(with_yields(yields()[: SESSIONS // 2]), at=FIRST_AT, arrivals=FIRST)
    assert named(message, "toy_yields")


# --- the same again --------------------------------------------------------------------------------------------------


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"}


def test_the_same_content_is_no_new_release_and_writes_nothing(place: Place) -> None:
    first = place.publish(rows())
    before, modified = tree(place.folder), stamps(place.folder / "v1" / "releases" / first.release_id)
    pointers = {name: (place.folder / "v1" / name).lstat().st_mtime_ns for name in ("current", "latest.json")}
    again = place.publish({name: list(reversed(of)) for name, of in rows().items()})
    assert (again.release_id, again.is_new, again.is_switched) == (first.release_id, False, False)
    assert again.news.startswith("unchanged")
    assert tree(place.folder) == before
    assert stamps(place.folder / "v1" / "releases" / first.release_id) == modified
    assert {name: (place.folder / "v1" / name).lstat().st_mtime_ns for name in pointers} == pointers


def test_what_did_not_change_keeps_its_bytes_while_another_changes(place: Place) -> None:
    previous = place.current.resolve().name
    before = {path.name: path.read_bytes() for path in place.current.iterdir()}
    release = place.publish(with_yields(added()))
    after = {path.name: path.read_bytes() for path in place.current.iterdir()}
    assert release.is_new
    assert after["toy_holdings.parquet"] == before["toy_holdings.parquet"]
    assert after["toy_yields.parquet"] != before["toy_yields.parquet"]
    resources = json.loads(after["datapackage.json"])["resources"]
    assert {one["name"]: one["newest_snapshot"]["retrieved_at"] for one in resources} == {
        "toy_holdings": "2026-05-23T00:35:00Z",
        "toy_yields": "2026-07-01T00:35:00Z",
    }
    told = json.loads(after["changes.json"])
    assert list(told["datasets"]) == ["toy_yields"]
    assert (told["previous_release_id"], told["release_id"]) == (previous, release.release_id)


def test_a_release_is_named_for_its_newest_retrieval_and_its_content(place: Place, tmp_path: Path) -> None:
    here, there = place.publish(rows()), Place(tmp_path / "other").publish(rows())
    assert re.fullmatch(r"20260701T003500Z-[0-9a-f]{8}", here.release_id)
    assert there.release_id == here.release_id
    for dataset in DATASETS:
        ours, theirs = (
            (root / "v1" / "current" / f"{dataset.name}.parquet").read_bytes()
            for root in (place.folder, tmp_path / "other")
        )
        assert ours == theirs


# --- what a release says of itself -----------------------------------------------------------------------------------


def test_a_file_says_what_it_holds_whose_it_is_and_what_it_was_built_from(place: Place) -> None:
    at = datetime(2026, 7, 1, 0, 35, tzinfo=UTC)
    place.publish(rows(), arrivals=(*FIRST, ("toy_office", "current", at)))
    for dataset, newest in ((YIELDS, ("toy_office", "current", at)), (HOLDINGS, FIRST[1])):
        schema = pq.read_schema(place.current / f"{dataset.name}.parquet")
        told = {name.decode(): value.decode() for name, value in schema.metadata.items()}
        assert (told["title"], told["description"]) == (dataset.title, dataset.description)
        assert json.loads(told["primary_key"]) == list(dataset.key)
        assert told["schema_version"] == "1"
        (source,) = json.loads(told["sources"])
        title = {"toy_office": "Toy Office", "custodians": "Custodians"}[newest[0]]
        assert source == {
            "source": newest[0],
            "title": title,
            "licence": f"{title} Licence 1.0",
            "citation": f"Source: {title}, processed.",
        }
        assert f"{title} Licence 1.0" in told["licence"]
        assert json.loads(told["newest_snapshot"]) == {
            "source": newest[0],
            "role": newest[1],
            "url": f"https://{newest[0]}.example/{newest[1]}.csv",
            "retrieved_at": newest[2].isoformat().replace("+00:00", "Z"),
            "sha256": sha256(f"{newest[0]} {newest[1]} {newest[2]}".encode()),
        }
        assert told.get("known_at") == dataset.known_at
        for one in dataset.columns:
            metadata = {name.decode(): value.decode() for name, value in schema.field(one.name).metadata.items()}
            said = {name: metadata[name] for name in ("description", "unit", "source")}
            assert said == {"description": one.description, "unit": one.unit, "source": one.source}


def test_every_file_is_summed(place: Place) -> None:
    lines = (place.current / "SHA256SUMS").read_text().splitlines(keepends=True)
    bodies = {path.name: path.read_bytes() for path in place.current.iterdir() if path.name != "SHA256SUMS"}
    assert set(bodies) == {
        "CHANGES.md", "changes.json", "datapackage.json", "toy_holdings.parquet", "toy_yields.parquet",
    }  # fmt: skip
    assert lines == [f"{sha256(body)}  {name}\n" for name, body in sorted(bodies.items())]


def test_the_descriptor_tells_hash_rows_and_types(place: Place) -> None:
    package = json.loads((place.current / "datapackage.json").read_text())
    assert package["id"] == place.current.resolve().name
    assert [one["name"] for one in package["resources"]] == ["toy_holdings", "toy_yields"]
    for resource, dataset in zip(package["resources"], DATASETS, strict=True):
        body = (place.current / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{sha256(body)}"
        assert resource["rows"] == len(rows()[dataset.name])
        assert "bytes" not in resource  # Frictionless cannot count those of Parquet, and calls them wrong
        assert resource["schema"]["primaryKey"] == list(dataset.key)
        assert [one["unit"] for one in resource["schema"]["fields"]] == [one.unit for one in dataset.columns]
    types = {
        f"{resource['name']}.{one['name']}": (one["type"], one["arrow_type"])
        for resource in package["resources"]
        for one in resource["schema"]["fields"]
    }
    assert types["toy_yields.tenor_years"] == ("integer", "int16")
    assert types["toy_yields.obs_date"] == ("date", "date32[day]")
    assert types["toy_yields.yield_pct"] == ("number", "double")
    # Frictionless reads Parquet through pandas, which makes floats of integers with nulls.
    assert types["toy_holdings.rank"] == ("number", "int16")
    assert types["toy_holdings.line"] == ("number", "int32")


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A release with every type, and nulls in each but the key; and a dataset of which nothing has come."""
    every = Dataset(
        name="toy_types",
        title="Every type",
        description="A row full and a row empty.",
        key=("day",),
        columns=(
            column("day", "date", "date", nullable=False),
            column("count", "integer", "count", nullable=False),
            *(
                column(f"a {data_type}", data_type, "any")
                for data_type in (
                    "boolean", "date", "double", "integer", "smallint", "timestamp with time zone", "varchar",
                )
            ),
        ),
        sources=("toy_office",),
    )  # fmt: skip
    full = {
        "a boolean": True,
        "a date": date(1974, 9, 24),
        "a double": -0.005,
        "a integer": 2**31 - 1,
        "a smallint": -7,
        "a timestamp with time zone": datetime(2026, 1, 21, 0, 30, tzinfo=UTC),
        "a varchar": 'Of Which: "Foreign", Official | 国債\n',
    }
    days = [{"day": START + timedelta(days=number), "count": number} for number in range(4)]
    none = dict.fromkeys(full)
    of = [days[0] | full, days[1] | none, days[2] | full | {"a boolean": False, "a double": 1e-12}, days[3] | none]
    place = Place(tmp_path_factory.mktemp("valid") / "publish")
    datasets = [*DATASETS, every, replace(every, name="toy_nothing")]
    place.publish(rows() | {"toy_types": of, "toy_nothing": []}, datasets=datasets)
    return place


def frictionless(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "frictionless", "validate", "datapackage.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_frictionless_finds_a_release_valid(valid: Place) -> None:
    found = frictionless(valid.current)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "INVALID" not in found.stdout


def test_frictionless_would_find_a_wrong_one(valid: Place, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    for path in valid.current.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    table = pq.read_table(folder / "toy_holdings.parquet")
    twice = pa.concat_tables([table, table.slice(0, 1)])
    pq.write_table(twice, folder / "toy_holdings.parquet")
    found = frictionless(folder)
    assert found.returncode != 0
    assert "toy_holdings" in found.stdout
