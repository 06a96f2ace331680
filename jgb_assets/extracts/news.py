"""What an analyst wants to hear of a new release: records, a new month of TIC, a rewritten past.

Belongs here: picking these out of a release and its changes, in words. Not here: whom they are told to.
"""

import json
from collections.abc import Iterator
from typing import Any

from jgb_assets.extracts.store import CHANGES_JSON, RELEASES, Store

Row = dict[str, Any]

ENOUGH_TAILS, ENOUGH_MOVES = 24, 250  # before them, a record says nothing: two years of auctions, one of sessions
SHOWN = 3


def news_of(store: Store, release_id: str) -> dict[str, str]:
    """The news of a release against the one before it, text by key; none of the first, in which all is new."""
    told = json.loads(store.read(f"{RELEASES}/{release_id}/{CHANGES_JSON}"))
    if told["previous_release_id"] is None:
        return {}
    changed = told["datasets"]

    def added(name: str) -> Iterator[Row]:
        """The new rows of a dataset, whole. A past that comes for the first time is no news."""
        if name not in changed or not changed[name]["rows_before"] or not changed[name]["rows_added"]["keys"]:
            return
        count, keys = changed[name]["rows_added"]["count"], changed[name]["rows_added"]["keys"]
        columns = list(keys[0])
        table = store.read_table(f"{RELEASES}/{release_id}/{name}.parquet")
        if count > len(keys):  # more than the changes list: after a long pause, and then they are the newest
            day = next(column for column in columns if column.endswith("_date"))
            yield from table.sort_by([(day, "descending")]).slice(0, count).to_pylist()
            return
        wanted = {tuple(map(str, key.values())) for key in keys}
        yield from (row for row in table.to_pylist() if tuple(str(row[column]) for column in columns) in wanted)

    return dict(
        [
            *_tails(added("auction_tails")),
            *_moves(added("curve_moves")),
            *_months(added("tic_holdings")),
            *_rewritten(release_id, changed),
        ]
    )


def _tails(rows: Iterator[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row["tail_rank"] == 1 and row["tail_n"] >= ENOUGH_TAILS:
            yield (
                f"record_tail/{row['instrument']}/{row['auction_date']}",
                f"Record tail: the {row['instrument']} auction of {row['auction_date']} tailed "
                f"{row['tail_price']:g} yen, the longest of {row['tail_n']}.",
            )


def _moves(rows: Iterator[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for direction, sign in (("rise", 1), ("fall", -1)):
            rank, n, move = row[f"{direction}_1d_rank"], row[f"{direction}_1d_n"], row["change_1d_bp"]
            if rank == 1 and n >= ENOUGH_MOVES and move * sign > 0:
                yield (
                    f"record_move/{row['tenor_years']}/{row['obs_date']}",
                    f"Record daily {direction}: the {row['tenor_years']}-year moved {move:+g} bp on "
                    f"{row['obs_date']}, the largest of {n}.",
                )


def _months(rows: Iterator[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row["holder"] == "Japan":
            change = row["change_usd_bn"]
            told = "" if change is None else f" ({change:+.1f})"
            yield (
                f"tic_month/{row['month_end_date']}",
                f"New TIC month {row['month_end_date']:%Y-%m}: Japan holds {row['position_usd_bn']:,.1f} billion "
                f"dollars of US Treasuries{told}, rank {row['rank']}.",
            )


def _rewritten(release_id: str, changed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, changes in changed.items():
        revised = changes["values_revised"]
        if revised["count"]:
            first = revised["values"][:SHOWN]
            shown = "; ".join(
                f"{', '.join(map(str, cell['key'].values()))} {cell['column']} {cell['old']} -> {cell['new']}"
                for cell in first
            )
            yield (
                f"rewritten/{release_id}/{name}",
                f"Changed past: {name} has {revised['count']:,} figures that its publisher rewrote: {shown}"
                + (" ..." if revised["count"] > len(first) else ""),
            )
