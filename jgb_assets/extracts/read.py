"""``jgb_assets.read``: a published dataset as a table, from whatever place it was published to.

Belongs here: choosing a release and the rows known at an instant. Not here: any dataset by name.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.extracts.store import RELEASES, Store, store_at
from jgb_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class NotPublished(LookupError):
    """There is no such dataset or release in this place."""


@overload
def read(
    dataset: str,
    as_of: datetime | str | None = ...,
    release: str = ...,
    uri: str | Path | None = ...,
    *,
    arrow: Literal[False] = ...,
) -> "pd.DataFrame": ...
@overload
def read(
    dataset: str,
    as_of: datetime | str | None = ...,
    release: str = ...,
    uri: str | Path | None = ...,
    *,
    arrow: Literal[True],
) -> pa.Table: ...
def read(
    dataset: str,
    as_of: datetime | str | None = None,
    release: str = "current",
    uri: str | Path | None = None,
    *,
    arrow: bool = False,
) -> "pd.DataFrame | pa.Table":
    """Read a published dataset.

    Args:
        dataset: its name, such as ``jgb_yields``.
        as_of: an instant with its offset from UTC: only rows whose value could be known then. Where a dataset holds
            versions (``tic_holdings_vintages``), of each row the last one seen by then. A value that was revised later
            is absent, as this release holds the later one: an older release, or the versions, have it.
        release: its id, or ``current``.
        uri: the place of the releases, a folder or ``s3://bucket/prefix``; None for the one that the settings name.
        arrow: give an Arrow table.

    Returns:
        A data frame whose dates are ``date32[day][pyarrow]``, rates ``float64``, instants ``datetime64[us, UTC]``,
        whole numbers ``Int16`` or ``Int32`` and flags ``boolean``; or the Arrow table.

    Raises:
        NotPublished: there is no such dataset or release.
        ValueError: ``as_of`` has no offset, or the dataset does not say from when its rows could be known.
    """
    known_by = None if as_of is None else _instant(as_of)
    table = _table(store_at(uri or Settings.from_environment().publish_location), dataset, release)
    if known_by is not None:
        table = _as_of(table, dataset, known_by)
    return table if arrow else _to_pandas(table)


def _to_pandas(table: pa.Table) -> "pd.DataFrame":
    """A date is a date and not a midnight; a whole number or a flag stays one where others are missing."""
    import pandas as pd  # noqa: PLC0415  # 0.3 s that the pipeline, which imports this package, need not pay

    types = {
        pa.date32(): pd.ArrowDtype(pa.date32()),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame


def _instant(as_of: datetime | str) -> datetime:
    instant = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise ValueError(f"as_of={as_of!r}: an instant needs its offset from UTC, such as 2026-05-10T00:00:00Z")
    return instant.astimezone(UTC)


def _table(store: Store, dataset: str, release: str) -> pa.Table:
    release_id = store.current() if release == "current" else release
    if release_id is None:
        raise NotPublished(f"nothing is published in {store.location}")
    if "/" in dataset + release_id:
        raise NotPublished(f"{dataset!r} of {release_id!r}: names of datasets and releases have no slash")
    try:
        return store.read_table(f"{RELEASES}/{release_id}/{dataset}.parquet")
    except FileNotFoundError:
        known = store.releases()
        if release_id not in known:
            raise NotPublished(f"no release {release_id} in {store.location}; there are {', '.join(known)}") from None
        files = [name.removesuffix(".parquet") for name in store.files(release_id) if name.endswith(".parquet")]
        raise NotPublished(f"no dataset {dataset} in {release_id}; there are {', '.join(files)}") from None


def _as_of(table: pa.Table, dataset: str, instant: datetime) -> pa.Table:
    known_at = table.schema.metadata.get(b"known_at", b"").decode()
    if not known_at:
        raise ValueError(f"{dataset} does not say from when its rows could be known: choose an older release= instead")
    known = table.filter(pc.less_equal(table[known_at], pa.scalar(instant, pa.timestamp("us", "UTC"))))
    key = json.loads(table.schema.metadata[b"primary_key"])
    if known_at not in key:
        return known
    # versions: the last of each, rows being in the order of the key
    of_row = [name for name in key if name != known_at]
    numbered = known.select(of_row).append_column("row", pa.array(range(len(known)), pa.int64()))
    last = numbered.group_by(of_row).aggregate([("row", "max")])["row_max"]
    return known.take(last.combine_chunks().sort())
