"""What a release says of the last one: rows that came and went, figures that changed, and nothing that only follows."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jgb_assets.extracts.dictionary import Column, Dataset
from jgb_assets.extracts.diff import Changes, DatasetChanges, compare
from jgb_assets.extracts.store import to_json

Row = dict[str, Any]
FIRST_SEEN = datetime(2026, 7, 3, 0, 35, tzinfo=UTC)
LATER = datetime(2026, 8, 16, 0, 35, tzinfo=UTC)
PREVIOUS, RELEASE = "20260703T003500Z-0a1b2c3d", "20260816T003500Z-4e5f6071"


def column(name: str, data_type: str, source: str = "Toy Office", *, nullable: bool = True) -> Column:
    return Column(name, data_type, f"What {name} is.", "a unit", source, nullable)


YIELDS = Dataset(
    name="toy_yields",
    title="Toy yields",
    description="As the Toy Office says.",
    key=("obs_date", "tenor_years"),
    columns=(
        column("obs_date", "date", nullable=False),
        column("tenor_years", "smallint", nullable=False),
        column("yield_pct", "double"),
        column("note", "varchar"),
        column("maturity_date", "date"),
        column("issue_number", "integer"),
        column("is_reopened", "boolean"),
        column("change_1d_bp", "double", "computed from Toy Office"),
        column("tenor_set", "varchar", "set here"),
        column("published_at", "timestamp with time zone", "publisher's calendar; retrieval"),
        column("first_seen_at", "timestamp with time zone", "retrieval"),
        column("snapshot_sha256", "varchar", "retrieval"),
    ),
    sources=("toy",),
    known_at="published_at",
    is_first_hand=True,
)
CURVE = Dataset(
    name="toy_curve",
    title="Toy curve",
    description="Computed from toy yields.",
    key=("obs_date",),
    columns=(
        column("obs_date", "date", nullable=False),
        column("level_10y_pct", "double"),
        column("slope_bp", "double", "computed from Toy Office"),
    ),
    sources=("toy",),
)
HOLDINGS = Dataset(
    name="toy_holdings",
    title="Toy holdings",
    description="Who holds toys, as it was said at an instant.",
    key=("month_end_date", "rank", "holder", "seen_at"),
    columns=(
        column("month_end_date", "date", nullable=False),
        column("rank", "smallint", nullable=False),
        column("holder", "varchar", nullable=False),
        column("seen_at", "timestamp with time zone", nullable=False),
        column("position_usd_bn", "double"),
        column("statement", "varchar"),
        column("due_date", "date"),
        column("count", "integer"),
        column("is_aggregate", "boolean"),
        column("revised_at", "timestamp with time zone"),
        column("share_pct", "double", "computed from Toy Office"),
    ),
    sources=("custodians",),
    is_first_hand=True,
)


def a_yield(day: int, tenor: int = 10, pct: float | None = 2.33, **others: Any) -> Row:
    unsaid = dict.fromkeys(["note", "maturity_date", "issue_number", "is_reopened", "change_1d_bp", "tenor_set"])
    came = {"published_at": FIRST_SEEN, "first_seen_at": FIRST_SEEN, "snapshot_sha256": "a" * 64}
    return {"obs_date": date(2026, 6, day), "tenor_years": tenor, "yield_pct": pct} | unsaid | came | others


def a_holding(holder: str = "Japan", **others: Any) -> Row:
    key = {"month_end_date": date(2026, 4, 30), "rank": 1, "holder": holder, "seen_at": FIRST_SEEN}
    unsaid = dict.fromkeys(name for name in HOLDINGS.schema.names if name not in key)
    return key | unsaid | others


def table(dataset: Dataset, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=dataset.schema)


def compared(before: list[Row], after: list[Row], dataset: Dataset = YIELDS) -> DatasetChanges:
    return compare(dataset, table(dataset, before), table(dataset, after))


def revisions(of: DatasetChanges) -> list[tuple[dict[str, Any], str, Any, Any]]:
    return [(one.key, one.column, one.old, one.new) for one in of.revised]


def says_nothing(of: DatasetChanges) -> bool:
    rows = of.added.num_rows, of.withdrawn.num_rows, len(of.revised)
    cells = [count for counts in (of.recomputed, of.recorded) for count in counts.values()]
    return not any((*rows, *cells, *of.columns_added))


def changes(**datasets: DatasetChanges) -> Changes:
    return Changes(RELEASE, PREVIOUS, {name: of for name, of in datasets.items() if not of.is_empty})


def as_published(of: Changes) -> dict[str, Any]:
    """``changes.json`` as its readers parse it."""
    return json.loads(to_json(of.to_json()))


def shown_revisions(markdown: str) -> list[dict[str, str]]:
    """Every revision that is shown; what stands left of the column's name is the key. No table may be broken."""
    rows, header = [], None
    for line in re.split(r"\r\n?|\n", markdown):  # what ends a line in Markdown
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if header is None:
            header = [cell.lower() for cell in cells]
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            assert len(cells) == len(header), line
            if "column" in header:  # the other tables hold whole rows
                at = header.index("column")
                rows.append({"key": " ".join(cells[:at])} | dict(zip(header[at:], cells[at:], strict=True)))
    return rows


def sections(markdown: str) -> list[str]:
    """The datasets that have a section of their own."""
    return re.findall(r"^##+ .*?(toy_\w+)", markdown, flags=re.MULTILINE)


# --- what compare finds ------------------------------------------------------------------------------------------


def test_identical_tables_give_nothing() -> None:
    rows = [a_yield(1), a_yield(2, pct=None), a_yield(2, tenor=30, note="a|b", maturity_date=date(2056, 6, 20))]
    of = compared(rows, rows)
    assert says_nothing(of)
    assert of.is_empty
    assert (of.rows_before, of.rows_after) == (3, 3)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [a_yield(day, tenor, pct=day / 7 + tenor) for day in range(1, 29) for tenor in (2, 10, 30)]
    shuffled = random.Random(6).sample(rows, len(rows))
    assert says_nothing(compared(rows, shuffled))


def test_a_new_row_is_added_and_a_missing_one_withdrawn_with_what_it_said() -> None:
    of = compared([a_yield(1), a_yield(2, note="went")], [a_yield(1), a_yield(2, tenor=30)])
    assert of.added.to_pylist() == [{"obs_date": date(2026, 6, 2), "tenor_years": 30}]
    (gone,) = of.withdrawn.to_pylist()
    assert gone == {
        "obs_date": date(2026, 6, 2), "tenor_years": 10, "yield_pct": 2.33, "note": "went", "maturity_date": None,
        "issue_number": None, "is_reopened": None,
    }  # fmt: skip
    assert (of.rows_before, of.rows_after, of.revised) == (2, 2, [])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("yield_pct", 2.33, 2.34),
        ("yield_pct", 2.33, None),
        ("yield_pct", None, 2.33),
        ("note", "as printed", "as corrected"),
        ("note", "", None),
        ("maturity_date", date(2036, 6, 20), date(2036, 3, 20)),
        ("maturity_date", None, date(2036, 3, 20)),
        ("issue_number", 382, 383),
        ("issue_number", 382, None),
        ("is_reopened", False, True),
        ("is_reopened", None, False),
    ],
)
def test_what_a_publisher_says_otherwise_is_revised(name: str, old: Any, new: Any) -> None:
    same = [a_yield(1), a_yield(2, tenor=30)]
    of = compared([*same, a_yield(2, **{name: old})], [*same, a_yield(2, **{name: new})])
    assert revisions(of) == [({"obs_date": date(2026, 6, 2), "tenor_years": 10}, name, old, new)]
    assert (of.added.num_rows, of.withdrawn.num_rows) == (0, 0)
    assert not any(of.recomputed.values())
    assert not any(of.recorded.values())


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("month_end_date", date(2026, 3, 31)),
        ("rank", 2),
        ("holder", "Japan "),
        ("seen_at", FIRST_SEEN.replace(microsecond=1)),
    ],
)
def test_every_part_of_a_key_tells_rows_apart(part: str, other: Any) -> None:
    one, another = a_holding(position_usd_bn=1.0), a_holding(position_usd_bn=2.0) | {part: other}
    revised = another | {"position_usd_bn": 3.0}
    of = compared([one, another], [revised, one], HOLDINGS)
    assert revisions(of) == [({name: another[name] for name in HOLDINGS.key}, "position_usd_bn", 2.0, 3.0)]
    moved = compared([one], [another], HOLDINGS)
    assert moved.added.to_pylist() == [{name: another[name] for name in HOLDINGS.key}]
    assert [row[part] for row in moved.withdrawn.to_pylist()] == [one[part]]
    assert moved.revised == []


def test_the_largest_revision_comes_first() -> None:
    before = dict.fromkeys(range(1, 7), 2.0)
    after = {1: 2.01, 2: 1.5, 3: 2.0, 4: 2.25, 5: 2.002, 6: 1.97}
    of = compared([a_yield(day, pct=pct) for day, pct in before.items()], [a_yield(d, pct=p) for d, p in after.items()])
    assert [one.key["obs_date"].day for one in of.revised] == [2, 4, 6, 1, 5]
    shown = shown_revisions(changes(toy_yields=of).to_markdown())
    assert [row["new"] for row in shown] == ["1.5", "2.25", "1.97", "2.01", "2.002"]


def test_where_a_value_came_from_is_recorded_and_revises_nothing() -> None:
    came_again = {"published_at": LATER, "first_seen_at": LATER, "snapshot_sha256": "b" * 64}
    of = compared([a_yield(1), a_yield(2)], [a_yield(1), a_yield(2, **came_again)])
    assert of.revised == []
    assert not any(of.recomputed.values())
    assert {name: count for name, count in of.recorded.items() if count} == dict.fromkeys(came_again, 1)
    assert shown_revisions(changes(toy_yields=of).to_markdown()) == []


def test_what_we_compute_is_recomputed_and_revises_nothing() -> None:
    before = [a_yield(day, change_1d_bp=1.0, tenor_set="short") for day in (1, 2, 3)]
    after = [a_yield(1, change_1d_bp=1.0, tenor_set="long"), *(a_yield(day, change_1d_bp=None) for day in (2, 3))]
    of = compared(before, after)
    assert of.revised == []
    assert {name: count for name, count in of.recomputed.items() if count} == {"change_1d_bp": 2, "tenor_set": 3}
    assert not any(of.recorded.values())


def test_a_copy_of_a_publishers_figure_is_no_second_revision() -> None:
    before, after = ({"obs_date": date(2026, 6, 1), "level_10y_pct": pct, "slope_bp": 1.0} for pct in (2.33, 2.34))
    assert CURVE.columns[1].is_published
    of = compared([before], [after], CURVE)
    assert of.revised == []
    assert {name: count for name, count in of.recomputed.items() if count} == {"level_10y_pct": 1}


def test_a_column_that_is_new_is_named_and_its_cells_are_no_revisions() -> None:
    narrow = replace(YIELDS, columns=tuple(one for one in YIELDS.columns if one.name not in ("note", "change_1d_bp")))
    rows = [a_yield(1, note="new", change_1d_bp=3.0), a_yield(2, note="new")]
    before = table(YIELDS, rows).select(narrow.schema.names).cast(narrow.schema)
    of = compare(YIELDS, before, table(YIELDS, [*rows, a_yield(3)]))
    assert sorted(of.columns_added) == ["change_1d_bp", "note"]
    assert of.revised == []
    assert not any(of.recomputed.values())
    assert of.added.num_rows == 1
    markdown = changes(toy_yields=of).to_markdown()
    assert "note" in markdown
    assert "change_1d_bp" in markdown


def test_a_column_added_to_what_we_compute_is_told_too() -> None:
    row = {"obs_date": date(2026, 6, 1), "level_10y_pct": 2.33, "slope_bp": 1.0}
    of = compare(CURVE, table(CURVE, [row]).drop_columns(["slope_bp"]), table(CURVE, [row]))
    assert of.columns_added == ["slope_bp"]
    assert changes(toy_curve=of).to_json()["datasets"]["toy_curve"]["columns_added"] == ["slope_bp"]
    markdown = changes(toy_curve=of).to_markdown()
    assert "toy_curve" in markdown
    assert "slope_bp" in markdown


def test_before_the_first_release_there_was_nothing() -> None:
    of = compare(YIELDS, None, table(YIELDS, [a_yield(1), a_yield(2)]))
    assert (of.rows_before, of.rows_after) == (0, 2)
    assert of.added.to_pylist() == [{"obs_date": date(2026, 6, day), "tenor_years": 10} for day in (1, 2)]
    assert (of.withdrawn.num_rows, of.revised) == (0, [])
    assert not any(of.recomputed.values())
    first = Changes(RELEASE, None, {"toy_yields": of})
    assert first.to_json()["previous_release_id"] is None
    assert first.to_json()["datasets"]["toy_yields"]["rows_added"]["count"] == 2
    assert shown_revisions(first.to_markdown()) == []


@pytest.mark.parametrize("emptied", [False, True])
def test_an_empty_table_is_compared_like_any_other(emptied: bool) -> None:
    rows = [a_yield(1), a_yield(2)]
    of = compared(rows, []) if emptied else compared([], rows)
    assert (of.added.num_rows, of.withdrawn.num_rows) == ((0, 2) if emptied else (2, 0))
    assert says_nothing(compared([], []))


# --- properties --------------------------------------------------------------------------------------------------

FEW_KEYS = st.tuples(
    st.sampled_from([date(2026, 3, 31), date(2026, 4, 30)]),
    st.sampled_from([1, 2, -3]),
    st.sampled_from(["Japan", "", "Côte d'Ivoire", "a|b\nc"]),
    st.sampled_from([FIRST_SEEN, LATER]),
)
FEW_NUMBERS = st.sampled_from([0.0, 2.33, 2.34, -1209.9])
SAID = {
    "position_usd_bn": st.one_of(st.none(), FEW_NUMBERS, st.floats(allow_nan=False, allow_infinity=False)),
    "statement": st.one_of(st.none(), st.sampled_from(["", "a|b", "a\nb", "a\r\nb", "\\|", "`"]), st.text(max_size=4)),
    "due_date": st.one_of(st.none(), st.dates(date(1974, 9, 24), date(2099, 12, 31))),
    "count": st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
    "is_aggregate": st.one_of(st.none(), st.booleans()),
    "revised_at": st.sampled_from([None, FIRST_SEEN, LATER]),
}
TABLES = st.dictionaries(FEW_KEYS, st.fixed_dictionaries(SAID), max_size=12)
Figures = dict[tuple[Any, ...], Row]


def holdings(figures: Figures) -> list[Row]:
    return [dict(zip(HOLDINGS.key, key, strict=True)) | {"share_pct": None} | said for key, said in figures.items()]


def key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in HOLDINGS.key)


@settings(deadline=None, max_examples=150)
@given(TABLES, TABLES)
@example({}, {})
def test_the_last_release_with_its_changes_applied_is_this_release(before: Figures, after: Figures) -> None:
    of = compared(holdings(before), holdings(after), HOLDINGS)

    rebuilt = {key: dict(said) for key, said in before.items()}
    for row in of.withdrawn.to_pylist():
        assert {name: row[name] for name in SAID} == rebuilt.pop(key_of(row))
    for key, name, old, new in revisions(of):
        assert rebuilt[key_of(key)][name] == old
        assert old != new
        rebuilt[key_of(key)][name] = new
    for row in of.added.to_pylist():  # the file has what they say
        assert key_of(row) not in before
        rebuilt[key_of(row)] = after[key_of(row)]

    assert rebuilt == after
    assert (of.rows_before, of.rows_after) == (len(before), len(after))


@settings(deadline=None, max_examples=50)
@given(TABLES, TABLES)
def test_the_way_back_is_the_way_there_turned_round(before: Figures, after: Figures) -> None:
    there, back = (
        compared(holdings(one), holdings(other), HOLDINGS) for one, other in ((before, after), (after, before))
    )
    assert {key_of(row) for row in there.added.to_pylist()} == {key_of(row) for row in back.withdrawn.to_pylist()}
    assert {key_of(row) for row in there.withdrawn.to_pylist()} == {key_of(row) for row in back.added.to_pylist()}
    turned = [(key_of(key), name, new, old) for key, name, old, new in revisions(back)]
    assert sorted(map(repr, turned)) == sorted(repr((key_of(k), n, old, new)) for k, n, old, new in revisions(there))


@settings(deadline=None, max_examples=50)
@given(TABLES, TABLES)
def test_whatever_changed_can_be_written_down(before: Figures, after: Figures) -> None:
    of = compared(holdings(before), holdings(after), HOLDINGS)
    told = changes(toy_holdings=of)
    assert len(shown_revisions(told.to_markdown())) >= min(len(of.revised), 20)  # of many, the largest
    found = as_published(told)["datasets"].get("toy_holdings")
    assert (found is None) == of.is_empty == says_nothing(of)
    if found:
        assert found["values_revised"]["count"] == len(of.revised)


# --- CHANGES.md --------------------------------------------------------------------------------------------------


def plain(cell: str) -> str:
    return cell.strip("`").replace("−", "-")


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [(2.33, 2.34, "+0.01"), (1209.9, 1185.5, "-24.4"), (0.3, 0.1, "-0.2"), (-0.005, 0.001, "+0.006"), (1.0, 2.0, "+1")],
)
def test_a_revision_shows_key_column_old_new_and_difference_without_noise(
    old: float, new: float, difference: str
) -> None:
    of = compared([a_yield(1), a_yield(2, pct=old)], [a_yield(1), a_yield(2, pct=new)])
    markdown = changes(toy_yields=of).to_markdown()
    (row,) = shown_revisions(markdown)
    assert "2026-06-02" in row["key"]
    assert re.search(r"\b10\b", row["key"])
    assert plain(row["column"]) == "yield_pct"
    assert [float(plain(row[side])) for side in ("old", "new")] == [old, new]
    shown = plain(row["difference"])
    assert shown.startswith(difference[0])
    assert len(shown) <= len(difference) + 2  # +1.0 says no more than +1
    assert float(shown) == float(difference)
    assert sections(markdown) == ["toy_yields"]


def test_a_value_that_comes_or_goes_has_no_difference() -> None:
    of = compared([a_yield(1, pct=None), a_yield(2)], [a_yield(1), a_yield(2, pct=None)])
    rows = {row["key"].count("2026-06-01"): row for row in shown_revisions(changes(toy_yields=of).to_markdown())}
    assert plain(rows[1]["new"]) == plain(rows[0]["old"]) == "2.33"
    assert not any(re.search(r"\d", rows[at][side]) for at, side in ((1, "old"), (0, "new")))
    assert not any(re.search(r"\d", row["difference"]) for row in rows.values())


def test_text_that_means_something_in_markdown_breaks_no_table() -> None:
    nasty = "a|b\nc | d\r\n| e |\n\n## toy_other"
    of = compared([a_holding("A|B\nC", statement="plain")], [a_holding("A|B\nC", statement=nasty)], HOLDINGS)
    markdown = changes(toy_holdings=of).to_markdown()
    (row,) = shown_revisions(markdown)
    assert plain(row["old"]) == "plain"
    for part in ("a", "b", "c", "d", "e"):
        assert re.search(rf"\b{part}\b", row["new"])
    assert sections(markdown) == ["toy_holdings"]


def test_rows_that_came_are_counted_with_their_first_and_last_key() -> None:
    before = [a_yield(1)]
    of = compared(before, before + [a_yield(day, tenor) for day in range(2, 25) for tenor in (10, 30)])
    markdown = changes(toy_yields=of).to_markdown()
    assert sections(markdown) == ["toy_yields"]
    assert re.search(r"\b46\b", markdown)
    first, last = markdown.index("2026-06-02"), markdown.index("2026-06-24")
    assert first < last
    assert "2026-06-15" not in markdown
    assert shown_revisions(markdown) == []


def test_a_row_that_went_is_named_with_what_it_said() -> None:
    of = compared([a_yield(1), a_yield(2, pct=2.419)], [a_yield(1)])
    markdown = changes(toy_yields=of).to_markdown()
    assert sections(markdown) == ["toy_yields"]
    assert "2026-06-02" in markdown
    assert "2.419" in markdown
    assert "2026-06-01" not in markdown


def curve(*slopes: float) -> list[Row]:
    return [{"obs_date": date(2026, 6, day), "level_10y_pct": 2.0, "slope_bp": bp} for day, bp in enumerate(slopes, 1)]


def test_what_only_follows_from_a_revision_is_not_listed() -> None:
    yields = compared([a_yield(1), a_yield(2)], [a_yield(1), a_yield(2, pct=2.34, change_1d_bp=1.0)])
    follows = compared(curve(1.0, 2.0), curve(1.0, 3.0), CURVE)
    told = changes(toy_yields=yields, toy_curve=follows)
    markdown = told.to_markdown()
    assert sections(markdown) == ["toy_yields"]
    assert len(shown_revisions(markdown)) == 1
    for unsaid in ("slope_bp", "change_1d_bp", "toy_curve"):
        assert unsaid not in markdown
    cells = {name: one["cells_recomputed"] for name, one in told.to_json()["datasets"].items()}
    assert cells == {"toy_yields": {"change_1d_bp": 1}, "toy_curve": {"slope_bp": 1}}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_method_that_changed_is_told_with_how_many_values(elsewhere: bool) -> None:
    """No first-hand figure of the same sources changed, so nothing but the method can have."""
    follows = compared(curve(*[1.0] * 17, 2.0), curve(*[3.0] * 17, 2.0), CURVE)
    others = {"toy_holdings": compared([a_holding(count=1)], [a_holding(count=2)], HOLDINGS)} if elsewhere else {}
    markdown = changes(toy_curve=follows, **others).to_markdown()
    line = next(line for line in markdown.splitlines() if "slope_bp" in line)
    assert re.search(r"\b17\b", line)
    assert "toy_curve" in markdown
    assert "level_10y_pct" not in markdown
    assert ("toy_holdings" in markdown) == elsewhere


def test_a_method_change_within_a_first_hand_dataset_is_told_too() -> None:
    of = compared(
        [a_yield(day, change_1d_bp=1.0) for day in (1, 2)], [a_yield(day, change_1d_bp=2.0) for day in (1, 2)]
    )
    markdown = changes(toy_yields=of).to_markdown()
    line = next(line for line in markdown.splitlines() if "change_1d_bp" in line)
    assert re.search(r"\b2\b", line)


# --- changes.json ------------------------------------------------------------------------------------------------


def test_the_json_says_all_of_it_in_plain_types() -> None:
    seen_again = a_holding("Peru", position_usd_bn=7.0)
    of = compared(
        [
            a_holding(position_usd_bn=1209.9, due_date=date(2026, 5, 1), share_pct=1.0, revised_at=FIRST_SEEN),
            a_holding("Chad", position_usd_bn=0.1, is_aggregate=False),
        ],
        [
            a_holding(position_usd_bn=1185.5, due_date=None, share_pct=2.0, revised_at=LATER),
            seen_again,
        ],
        HOLDINGS,
    )
    told = as_published(changes(toy_holdings=of))
    assert (told["release_id"], told["previous_release_id"]) == (RELEASE, PREVIOUS)
    assert list(told["datasets"]) == ["toy_holdings"]
    found = told["datasets"]["toy_holdings"]

    def key(holder: str) -> Row:
        return {"month_end_date": "2026-04-30", "rank": 1, "holder": holder, "seen_at": "2026-07-03T00:35:00Z"}

    assert (found["rows_before"], found["rows_after"]) == (2, 2)
    assert found["rows_added"] == {"count": 1, "keys": [key("Peru")]}
    assert found["rows_withdrawn"]["count"] == 1
    (gone,) = found["rows_withdrawn"]["rows"]
    assert {name: gone[name] for name in (*HOLDINGS.key, "position_usd_bn", "is_aggregate")} == key("Chad") | {
        "position_usd_bn": 0.1,
        "is_aggregate": False,
    }
    assert found["values_revised"]["count"] == 3
    by_column = {one["column"]: (one["key"], one["old"], one["new"]) for one in found["values_revised"]["values"]}
    assert by_column == {
        "position_usd_bn": (key("Japan"), 1209.9, 1185.5),
        "due_date": (key("Japan"), "2026-05-01", None),
        "revised_at": (key("Japan"), "2026-07-03T00:35:00Z", "2026-08-16T00:35:00Z"),
    }
    assert found["cells_recomputed"] == {"share_pct": 1}
    assert found["cells_recorded"] == {}
    assert found["columns_added"] == []


def test_long_lists_are_cut_and_their_counts_are_not() -> None:
    def many(numbers: range, pct: float) -> list[Row]:
        return [a_holding(f"holder {number:04}", position_usd_bn=pct * number) for number in numbers]

    of = compared(many(range(1, 2_801), 1.0), many(range(1_301, 3_901), 2.0), HOLDINGS)
    found = changes(toy_holdings=of).to_json()["datasets"]["toy_holdings"]
    assert (found["rows_before"], found["rows_after"]) == (2_800, 2_600)
    assert (found["rows_withdrawn"]["count"], len(found["rows_withdrawn"]["rows"])) == (1_300, 1_000)
    assert (found["rows_added"]["count"], len(found["rows_added"]["keys"])) == (1_100, 1_000)
    assert (found["values_revised"]["count"], len(found["values_revised"]["values"])) == (1_500, 1_000)
    listed = [one["key"]["holder"] for one in found["values_revised"]["values"]]
    assert listed == [f"holder {number:04}" for number in range(2_800, 1_800, -1)]
    assert len(of.revised) == 1_500
    assert "1,500" in (markdown := changes(toy_holdings=of).to_markdown()) or "1500" in markdown
