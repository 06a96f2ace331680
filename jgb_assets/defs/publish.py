"""Extracts, monitor and release: every mart's file, the page made of them, and the whole set that readers switch to.

Belongs here: running ``extracts.release.publish`` as assets with metadata and a check. Not here: publishing itself,
what the page shows.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from jgb_assets.defs.landing import inputs_of
from jgb_assets.defs.preview import picture, preview, table_metadata
from jgb_assets.defs.warehouse import DATASETS, WRITER_POOL
from jgb_assets.defs.world import OWNERS, World
from jgb_assets.extracts.dictionary import Dataset
from jgb_assets.extracts.release import publish
from jgb_assets.extracts.store import MONITOR, RELEASES, ReleaseRefused, store_at
from jgb_assets.files import write_atomically

RELEASE = dg.AssetKey(["extracts", "release"])
PAGE = dg.AssetKey(["extracts", "monitor"])
IS_FIT = "is_fit_to_publish"
ON_RELEASE = ["jgb_yields", "curve_shape", "auction_tails", "repatriation", "tic_holdings"]  # whose scalars it repeats


def _extract_key(dataset: Dataset) -> dg.AssetKey:
    return dg.AssetKey(["extracts", dataset.name])


@dg.multi_asset(
    name="publish",
    description="Write every dataset as Parquet, validate the set, and switch readers to it in one step.",
    specs=[
        *(
            dg.AssetSpec(
                _extract_key(dataset),
                deps=[dg.AssetKey(dataset.name)],
                description=dataset.description,
                group_name="extracts",
                kinds={"parquet"},
                owners=OWNERS,
                metadata={
                    "dagster/column_schema": dg.TableSchema(
                        [
                            dg.TableColumn(column.name, column.data_type, f"{column.description} Unit: {column.unit}.")
                            for column in dataset.columns
                        ]
                    )
                },
            )
            for dataset in DATASETS
        ),
        dg.AssetSpec(
            PAGE,
            deps=[_extract_key(dataset) for dataset in DATASETS],
            description="The JGB monitor: one HTML page that opens offline, with the charts and words of this release. "
            "Every figure on it names the cell that it comes from.",
            group_name="extracts",
            kinds={"html"},
            owners=OWNERS,
        ),
        dg.AssetSpec(
            RELEASE,
            deps=[*(_extract_key(dataset) for dataset in DATASETS), PAGE],
            description="A complete, validated set of extracts with its descriptor. Readers see this one or the last.",
            group_name="extracts",
            kinds={"parquet", "json"},
            owners=OWNERS,
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            IS_FIT,
            asset=RELEASE,
            description="Read back, every file is as its contract says; against the last release no promise is broken, "
            "coverage has not shrunk, and values have kept their magnitude.",
        )
    ],
    pool=WRITER_POOL,
)
def publish_release(
    context: dg.AssetExecutionContext, world: World
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """All files or none: an extract never changes without the release it belongs to."""
    from jgb_assets.monitor import page, pictures, words  # noqa: PLC0415  # slow to import, and only runs need them
    from jgb_assets.monitor.cells import Datasets  # noqa: PLC0415

    now = world.transport().now()
    settings = world.settings
    store = store_at(settings.publish_location)
    passed = settings.warehouse_passed_path
    if not passed.is_file() or passed.read_text() != str(world.clock()):
        raise ReleaseRefused(
            "the last dbt build did not pass its tests. Mend what they name and materialize the marts."
        )
    with world.warehouse() as connection:
        sources = connection.table("stg_landing__sources").to_arrow_table()
        ledger = connection.table("stg_landing__ledger").to_arrow_table()
        try:
            release = publish(
                connection,
                DATASETS,
                sources,
                ledger,
                now,
                store,
                accepted=settings.accept_sha256,
                pages={MONITOR: page.page},
            )
        except ReleaseRefused as refused:
            yield dg.AssetCheckResult(
                passed=False, asset_key=RELEASE, check_name=IS_FIT, metadata={"found": str(refused)}
            )
            raise
    write_atomically(settings.published_inputs_path, inputs_of(settings).encode())
    yield dg.AssetCheckResult(passed=True, asset_key=RELEASE, check_name=IS_FIT, metadata={"news": release.news})
    context.log.info(f"release {release.release_id}: {release.news}")
    folder = f"{RELEASES}/{release.release_id}"
    tables = {
        extract.dataset.name: store.read_table(f"{folder}/{extract.dataset.name}.parquet")
        for extract in release.extracts
    }
    for extract in release.extracts:
        yield dg.MaterializeResult(
            asset_key=_extract_key(extract.dataset),
            data_version=dg.DataVersion(extract.sha256),
            metadata={
                **table_metadata(
                    tables[extract.dataset.name],
                    extract.dataset.time_column,
                    extract.path,
                ),
                "bytes": extract.bytes,
                "sha256": extract.sha256,
            },
        )
    datasets = Datasets(tables)
    drawn = picture(pictures.overview(datasets), f"overview of release {release.release_id}")
    told = words.unusual(datasets)
    has_page = MONITOR in store.files(release.release_id)  # a release of before there were pages stands without
    body = store.read(f"{folder}/{MONITOR}") if has_page else b""
    yield dg.MaterializeResult(
        asset_key=PAGE,
        data_version=dg.DataVersion(hashlib.sha256(body).hexdigest()),
        metadata={
            **({"file": dg.MetadataValue.path(store.path(f"{folder}/{MONITOR}"))} if has_page else {}),
            "bytes": len(body),
            "unusual": dg.MetadataValue.md(
                "\n".join(f"- {sentence.striptags()}" for sentence in told) or "nothing, by rule"
            ),
            "unusual_findings": len(told),
            "picture": drawn,
        },
    )
    scalars = {key: value for dataset in ON_RELEASE for key, value in pictures.scalars(datasets, dataset).items()}
    yield dg.MaterializeResult(
        asset_key=RELEASE,
        data_version=dg.DataVersion(release.release_id),
        metadata={
            **scalars,
            "picture": drawn,
            "release_id": release.release_id,
            "is_new": release.is_new,
            "news": release.news,
            "changes": dg.MetadataValue.md(release.changes),
            "folder": dg.MetadataValue.path(release.location),
            "current": dg.MetadataValue.path(store.path(store.pointer)),
            "dagster/row_count": sum(extract.rows for extract in release.extracts),
            "preview": preview(
                [
                    {
                        "dataset": extract.dataset.name,
                        "rows": extract.rows,
                        "newest": extract.newest,
                        "bytes": extract.bytes,
                    }
                    for extract in release.extracts
                ],
                ["dataset", "rows", "newest", "bytes"],
            ),
        },
    )
