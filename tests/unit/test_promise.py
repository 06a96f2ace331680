"""The contract with readers: what version 1 promised stays, and what may come without asking."""

import json
from collections.abc import Callable
from dataclasses import replace

import build_docs
import pytest

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import PROMISE, Column, Dataset, broken_promises, datasets, promise_of


@pytest.fixture(scope="module")
def published() -> list[Dataset]:
    return datasets(DBT_PROJECT.manifest_path)


def test_version_1_is_kept(published: list[Dataset]) -> None:
    assert broken_promises(json.loads(PROMISE.read_text()), published) == []


def test_all_that_is_published_is_promised(published: list[Dataset]) -> None:
    assert json.loads(PROMISE.read_text()) == promise_of(published)


def test_what_version_1_promises_of_a_yield() -> None:
    promise = json.loads(PROMISE.read_text())["jgb_yields"]
    assert promise["key"] == ["obs_date", "tenor_years"]
    assert promise["columns"]["obs_date"] == {"type": "date32[day]", "unit": "date"}
    assert promise["columns"]["yield_pct"] == {"type": "double", "unit": "percent a year (semi-annual compound)"}
    assert promise["columns"]["published_at"] == {"type": "timestamp[us, tz=UTC]", "unit": "utc instant"}


# --- what breaks a promise ---------------------------------------------------------------------------------------

TAILS = Dataset(
    name="toy_tails",
    title="Toy tails",
    description="Tails of toys.",
    key=("obs_date", "tenor_years"),
    columns=(
        Column("obs_date", "date", "Session.", "date", "Toy Office", nullable=False),
        Column("tenor_years", "smallint", "Tenor.", "years", "Toy Office", nullable=False),
        Column("tail_bp", "double", "Tail.", "bp", "computed", nullable=True),
    ),
    sources=("toy",),
)
STATUS = replace(TAILS, name="toy_status")


def with_column(which: str, /, **changed: object) -> list[Dataset]:
    columns = tuple(replace(one, **changed) if one.name == which else one for one in TAILS.columns)
    return [replace(TAILS, columns=columns), STATUS]


BREACHES: dict[str, tuple[list[Dataset], list[str]]] = {
    "a column is gone": ([replace(TAILS, columns=TAILS.columns[:-1]), STATUS], ["toy_tails", "tail_bp"]),
    "a column has another name": (with_column("tail_bp", name="tail_yield_bp"), ["toy_tails", "tail_bp"]),
    "a column has another type": (
        with_column("tail_bp", data_type="varchar"),
        ["toy_tails", "tail_bp", "double", "string"],
    ),
    "a smaller integer is another type": (
        with_column("tenor_years", data_type="integer"),
        ["toy_tails", "tenor_years", "int16", "int32"],
    ),
    "an instant is no date": (with_column("obs_date", data_type="timestamp with time zone"), ["toy_tails", "obs_date"]),
    "a column has another unit": (with_column("tail_bp", unit="percent"), ["toy_tails", "tail_bp", "bp", "percent"]),
    "a dataset is gone": ([TAILS], ["toy_status"]),
    "a dataset has another name": ([TAILS, replace(STATUS, name="toy_state")], ["toy_status"]),
    "a key is shorter": ([replace(TAILS, key=("obs_date",)), STATUS], ["toy_tails", "tenor_years"]),
    "a key is longer": (
        [replace(TAILS, key=("obs_date", "tenor_years", "tail_bp")), STATUS],
        ["toy_tails", "tail_bp"],
    ),
    "a key is in another order": (
        [replace(TAILS, key=("tenor_years", "obs_date")), STATUS],
        ["toy_tails", "obs_date", "tenor_years"],
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_told_once_with_dataset_and_column(breach: str) -> None:
    offered, named = BREACHES[breach]
    (told,) = broken_promises(promise_of([TAILS, STATUS]), offered)
    assert [word for word in named if word not in told] == []


def test_every_breach_is_told_not_the_first() -> None:
    offered = [replace(TAILS, columns=TAILS.columns[:-1], key=("tenor_years", "obs_date"))]
    told = broken_promises(promise_of([TAILS, STATUS]), offered)
    assert len(told) == 3


WELCOME: dict[str, Callable[[], list[Dataset]]] = {
    "nothing changes": lambda: [TAILS, STATUS],
    "a column more": lambda: [
        replace(TAILS, columns=(*TAILS.columns, Column("cover", "double", "Cover.", "ratio", "Toy Office", True))),
        STATUS,
    ],
    "a column more, in the midst": lambda: [
        replace(
            TAILS, columns=(Column("cover", "double", "Cover.", "ratio", "Toy Office", True), *reversed(TAILS.columns))
        ),
        STATUS,
    ],
    "a dataset more": lambda: [TAILS, STATUS, replace(TAILS, name="toy_curve")],
    "datasets in another order": lambda: [STATUS, TAILS],
    "better words for a column": lambda: with_column("tail_bp", description="Tail, said better."),
    "better words for a dataset": lambda: [replace(TAILS, title="Tails", description="Said better."), STATUS],
    "its source named otherwise": lambda: with_column("tail_bp", source="computed from Toy Office"),
    "built from one source more": lambda: [replace(TAILS, sources=("other", "toy")), STATUS],
}


@pytest.mark.parametrize("change", WELCOME)
def test_growing_breaks_nothing(change: str) -> None:
    assert broken_promises(promise_of([TAILS, STATUS]), WELCOME[change]()) == []


def test_a_promise_is_kept_as_json() -> None:
    promise = promise_of([TAILS, STATUS])
    assert json.loads(json.dumps(promise)) == promise
    assert promise["toy_tails"] == {
        "key": ["obs_date", "tenor_years"],
        "columns": {
            "obs_date": {"type": "date32[day]", "unit": "date"},
            "tenor_years": {"type": "int16", "unit": "years"},
            "tail_bp": {"type": "double", "unit": "bp"},
        },
    }


# --- the dictionary that readers read ------------------------------------------------------------------------------


def test_the_data_dictionary_is_up_to_date() -> None:
    assert build_docs.DATA_DICTIONARY.read_text(encoding="utf-8") == build_docs.data_dictionary()


def test_the_data_dictionary_names_every_column_with_its_unit(published: list[Dataset]) -> None:
    text = build_docs.data_dictionary()
    parts = {part.splitlines()[0]: part for part in text.split("\n## ")[1:]}
    for dataset in published:
        (part,) = (part for heading, part in parts.items() if f"`{dataset.name}`" in heading or heading == dataset.name)
        assert dataset.title in part
        rows = {line.split("|")[1].strip("*` "): line for line in part.splitlines() if line.startswith("|")}
        for column in dataset.columns:
            cells = [cell.strip("` ") for cell in rows[column.name].split("|")]
            assert column.unit in cells, (dataset.name, column.name)
        assert [name for name in dataset.key if name not in part] == []
