"""What changed from one release to the next: rows added, values revised, rows withdrawn, columns added.

Belongs here: comparing two versions of a dataset, and telling it to machines and to people. Not here: whether a change
may be (``gates``).

One figure of a publisher stands in several datasets, and moves many that are computed from it. It is told once: as a
revision in the dataset that holds what the publisher said. What follows from it is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from jgb_assets.extracts.dictionary import Dataset

LISTED = 1000  # rows that ``changes.json`` names one by one; it counts all
TOLD = 50  # rows that ``CHANGES.md`` shows of each kind


@dataclass(frozen=True)
class Revision:
    """A value that a publisher changed. None: there was none, or there is none any more."""

    key: dict[str, Any]
    column: str
    old: Any
    new: Any

    @property
    def difference(self) -> Decimal | None:
        """New less old, without binary noise; None where one is not a number."""
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (self.old, self.new)):
            return None
        return Decimal(repr(self.new)) - Decimal(repr(self.old))


@dataclass(frozen=True)
class DatasetChanges:
    """How one dataset differs from what it was.

    ``added`` holds the keys of new rows, ``withdrawn`` the keys and published values of rows that are gone.
    ``recomputed`` and ``recorded`` count, by column, the cells that changed though no publisher's value stands there.
    """

    dataset: Dataset
    rows_before: int
    rows_after: int
    added: pa.Table
    withdrawn: pa.Table
    revised: list[Revision] = field(default_factory=list)
    recomputed: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, int] = field(default_factory=dict)
    columns_added: list[str] = field(default_factory=list)
    is_new: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        found = (self.added.num_rows, self.withdrawn.num_rows, self.revised, self.recomputed, self.recorded)
        return not any((*found, self.columns_added, self.is_new))

    @property
    def is_news(self) -> bool:
        """A publisher said something new."""
        return self.dataset.is_first_hand and bool(self.added.num_rows or self.withdrawn.num_rows or self.revised)


def compare(dataset: Dataset, before: pa.Table | None, after: pa.Table) -> DatasetChanges:
    """How ``after`` differs from ``before``, rows matched by the dataset's key in whatever order they stand.

    Args:
        dataset: what both hold; each of its columns is in ``after``.
        before: as it was; None where there was none.
        after: as it is.
    """
    names = [column.name for column in dataset.columns]
    old = after.slice(0, 0) if before is None else before
    columns = [column for column in dataset.columns if column.name in old.schema.names]
    values = [column for column in columns if column.name not in dataset.key]
    told = [column.name for column in values if column.is_published]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("old_rows", old.select([column.name for column in columns]))
        connection.register("new_rows", after.select(names))
        same = " and ".join(f"old_rows.{_quoted(name)} = new_rows.{_quoted(name)}" for name in dataset.key)
        key = ", ".join(map(_quoted, dataset.key))

        def rows(sql: str) -> pa.Table:
            return connection.sql(sql).to_arrow_table()

        added = rows(f"select {key} from new_rows anti join old_rows on {same} order by all")
        withdrawn = rows(
            f"select {', '.join(map(_quoted, [*dataset.key, *told]))} from old_rows anti join new_rows on {same} "
            f"order by {key}"
        )
        changed = _changed(rows, [column.name for column in values], same)
        revised = [
            revision
            for name in (told if dataset.is_first_hand else [])
            if name in changed
            for revision in _revisions(rows, dataset.key, name, same)
        ]
    listed = {revision.column for revision in revised}
    return DatasetChanges(
        dataset=dataset,
        rows_before=old.num_rows,
        rows_after=after.num_rows,
        added=added,
        withdrawn=withdrawn,
        revised=revised,
        recomputed={
            column.name: changed[column.name]
            for column in values
            if column.name in changed.keys() - listed and not column.is_recorded
        },
        recorded={
            column.name: changed[column.name] for column in values if column.name in changed and column.is_recorded
        },
        columns_added=[] if before is None else [name for name in names if name not in old.schema.names],
        is_new=before is None,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _changed(rows: Callable[[str], pa.Table], names: list[str], same: str) -> dict[str, int]:
    """By column that changed: in how many rows that were there before."""
    if not names:
        return {}
    counts = ", ".join(
        f"count(*) filter (old_rows.{_quoted(name)} is distinct from new_rows.{_quoted(name)}) as {_quoted(name)}"
        for name in names
    )
    (row,) = rows(f"select {counts} from old_rows join new_rows on {same}").to_pylist()
    return {name: count for name, count in row.items() if count}


def _revisions(rows: Callable[[str], pa.Table], key: tuple[str, ...], name: str, same: str) -> list[Revision]:
    """Every revision of a column: the largest first, then what is not a number, by key."""
    of_key = ", ".join(f"new_rows.{_quoted(column)} as key_{number}" for number, column in enumerate(key))
    cells = rows(
        f"select old_rows.{_quoted(name)} as old, new_rows.{_quoted(name)} as new, {of_key} "
        f"from old_rows join new_rows on {same} where old is distinct from new order by all"
    )
    revisions = [
        Revision(dict(zip(key, key_values, strict=True)), name, old, new)
        for old, new, *key_values in zip(*(column.to_pylist() for column in cells.columns), strict=True)
    ]
    revisions.sort(key=lambda revision: [*revision.key.values()])
    return sorted(revisions, key=lambda revision: abs(revision.difference or Decimal(0)), reverse=True)


@dataclass(frozen=True)
class Changes:
    """How a release differs from the one that readers had. ``datasets`` holds those that changed at all."""

    release_id: str
    previous_id: str | None
    datasets: dict[str, DatasetChanges]

    def to_json(self) -> dict[str, Any]:
        """The content of ``changes.json``: everything, counts whole and lists to ``LISTED``."""
        return {
            "release_id": self.release_id,
            "previous_release_id": self.previous_id,
            "datasets": {name: _told(changes) for name, changes in self.datasets.items()},
        }

    def to_markdown(self) -> str:
        """The text of ``CHANGES.md``: what publishers said anew, and the schema."""
        title = f"# Changes in {self.release_id}\n\n"
        if self.previous_id is None:
            rows = sum(changes.rows_after for changes in self.datasets.values())
            return f"{title}The first release in this place: {len(self.datasets)} datasets, {rows:,} rows.\n"
        sections = [_section(changes) for changes in self.datasets.values()]
        sections += [self._of_methods()]
        found = "\n\n".join(filter(None, sections)) or "No published value changed."
        return f"{title}Since {self.previous_id}.\n\n{found}\n"

    def _of_methods(self) -> str:
        """Rows and values computed here that changed though nothing that they are computed from did."""
        news = {source for changes in self.datasets.values() if changes.is_news for source in changes.dataset.sources}
        lines = [
            f"- `{name}`: {', '.join(found)}"
            for name, changes in self.datasets.items()
            if not (changes.is_new or news & set(changes.dataset.sources)) and (found := _computed(changes))
        ]
        heading = "## Computed otherwise\n\nNo publisher's value changed; the method did, or what it reads besides.\n\n"
        return heading + "\n".join(lines) if lines else ""


def _computed(changes: DatasetChanges) -> list[str]:
    rows = {"added": changes.added.num_rows, "withdrawn": changes.withdrawn.num_rows}
    return [
        *(f"{_counted(count, 'row')} {what}" for what, count in rows.items() if count),
        *(f"`{column}` in {_counted(count, 'row')}" for column, count in changes.recomputed.items()),
    ]


def _told(changes: DatasetChanges) -> dict[str, Any]:
    return {
        "rows_before": changes.rows_before,
        "rows_after": changes.rows_after,
        "rows_added": {
            "count": changes.added.num_rows,
            "keys": [] if changes.is_new else changes.added.slice(0, LISTED).to_pylist(),
        },
        "rows_withdrawn": {
            "count": changes.withdrawn.num_rows,
            "rows": changes.withdrawn.slice(0, LISTED).to_pylist(),
        },
        "values_revised": {
            "count": len(changes.revised),
            "values": [
                {"key": revision.key, "column": revision.column, "old": revision.old, "new": revision.new}
                for revision in changes.revised[:LISTED]
            ],
        },
        "cells_recomputed": changes.recomputed,
        "cells_recorded": changes.recorded,
        "columns_added": changes.columns_added,
    }


def _section(changes: DatasetChanges) -> str:
    """What a person has to know of one dataset; empty if that is nothing."""
    dataset, parts = changes.dataset, []
    if changes.is_new:
        parts.append(f"A new dataset, {changes.rows_after:,} rows.")
    if changes.columns_added:
        parts.append(f"Columns added: {', '.join(f'`{name}`' for name in changes.columns_added)}.")
    if dataset.is_first_hand and not changes.is_new:
        if count := changes.added.num_rows:
            ends = (changes.added.slice(row, 1).to_pylist()[0] for row in sorted({0, count - 1}))
            parts.append(f"{_counted(count, 'row')} added: {' to '.join(map(_named, ends))}.")
        if changes.revised:
            parts.append(
                f"{_counted(len(changes.revised), 'value')} revised{_shown(len(changes.revised))}:\n\n"
                + _table(
                    [*dataset.key, "column", "old", "new", "difference"],
                    [
                        [*revision.key.values(), revision.column, revision.old, revision.new, _signed(revision)]
                        for revision in changes.revised[:TOLD]
                    ],
                )
            )
        if count := changes.withdrawn.num_rows:
            rows = changes.withdrawn.slice(0, TOLD).to_pylist()
            parts.append(
                f"{_counted(count, 'row')} withdrawn{_shown(count)}:\n\n"
                + _table(changes.withdrawn.schema.names, [[*row.values()] for row in rows])
            )
    return f"## {dataset.name}\n\n" + "\n\n".join(parts) if parts else ""


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _shown(count: int) -> str:
    return f", of which {TOLD} are shown" if count > TOLD else ""


def _named(key: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in key.items())


def _signed(revision: Revision) -> str:
    return "" if revision.difference is None else f"{revision.difference:+f}"


def _table(headings: list[str], rows: list[list[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_text(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return " ".join(str(value).splitlines()).replace("\\", "\\\\").replace("|", "\\|")
