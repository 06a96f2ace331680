"""Publishers' files and raw tables: one multi-asset a source, made from the registry.

Belongs here: running ``landing.land`` as assets with metadata and a check. Not here: landing itself.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from jgb_assets.defs.preview import table_metadata
from jgb_assets.defs.progress import WAS_READ
from jgb_assets.defs.world import OWNERS, World
from jgb_assets.extracts.store import store_at
from jgb_assets.landing.changelog import state
from jgb_assets.landing.land import Landed, as_stored, land
from jgb_assets.landing.transport import FetchFailed
from jgb_assets.sources.base import PublishedFile, ReleaseIncomplete, Source, SourceRejected, TableSpec, kind
from jgb_assets.sources.registry import SOURCES

AS_USUAL = "as_usual"
IS_FRESH = "is_fresh"


def file_key(source: Source, role: str) -> dg.AssetKey:
    """The asset of a publisher's file."""
    return dg.AssetKey(["files", source.name, role])


def table_key(source: Source, table: str) -> dg.AssetKey:
    """The asset of a raw table; dbt derives the same key from its sources."""
    return dg.AssetKey([source.name, table])


def step_of(source: str) -> str:
    """The step that lands a source."""
    return f"ingest_{source}"


def ingest_assets(source: Source) -> dg.AssetsDefinition:
    """The files and raw tables of a source, landed together because they are judged together."""

    @dg.multi_asset(
        name=step_of(source.name),
        description=f"Fetch, gate, keep, parse and compare: {source.title}.",
        specs=[
            *(_file_spec(source, file) for file in source.files),
            *(_table_spec(source, spec) for spec in source.tables),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                AS_USUAL,
                asset=table_key(source, source.tables[0].name),
                description="Nothing about the newest files is unusual: no rewritten past, outsize move or odd title.",
            ),
            dg.AssetCheckSpec(
                WAS_READ,
                asset=table_key(source, source.tables[0].name),
                description="Each file could be had and was accepted. If not, what was accepted before still stands.",
            ),
            dg.AssetCheckSpec(
                IS_FRESH,
                asset=table_key(source, source.tables[0].name),
                description="The newest observation is not older than the publisher's calendar allows: files that are "
                "no longer updated answer all the same.",
            ),
        ],
    )
    def ingest(
        context: dg.AssetExecutionContext, world: World
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        landed, was_read = _visit(source, world, context.run.run_id)
        for warning in landed.warnings:
            context.log.warning(warning)
        for file in source.files:
            yield _file_result(source, file, landed, world)
        for spec in source.tables:
            yield _table_result(source, spec, landed, world)
        yield dg.AssetCheckResult(
            check_name=AS_USUAL,
            asset_key=table_key(source, source.tables[0].name),
            passed=not landed.warnings,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={f"warning_{number}": text for number, text in enumerate(landed.warnings, start=1)},
        )
        yield was_read
        yield _freshness(source, landed, world)

    return ingest


def _visit(source: Source, world: World, run_id: str) -> tuple[Landed, dg.AssetCheckResult]:
    """Land a source. Where that fails, what was stored before still stands and the others go on.

    Also where its own files here are damaged; where the disk is full, that cannot be noted, and the run ends.

    Raises:
        dg.Failure: it failed, nothing of it was ever stored, and nothing is published: a first release is whole.
    """
    transport, store, logs, visits = world.transport(), world.store(), world.change_logs(source.name), world.visits()
    last = visits.last(source.name)
    key = table_key(source, source.tables[0].name)
    try:
        landed = land(source, transport, store, logs, world.settings.accept_sha256, last.looked if last else None)
    except (SourceRejected, FetchFailed, OSError) as failure:
        is_waiting = isinstance(failure, ReleaseIncomplete) and world.settings.transport == "live"
        said = str(failure) if isinstance(failure, SourceRejected) else f"{source.name}: {failure}"
        why = f"{type(failure).__name__}: {said}"
        visits.failed(source.name, transport.now(), run_id, why, is_waiting=is_waiting)
        metadata: dict[str, Any] = {}
        if not isinstance(failure, OSError):
            metadata |= {name: getattr(failure, name) for name in ("expected", "found", "remedy")}
            metadata["url"] = dg.MetadataValue.url(failure.url)
        if isinstance(failure, SourceRejected):
            metadata["place"] = failure.place
            metadata["quarantine"] = dg.MetadataValue.path(world.settings.quarantine_dir / source.name)
        if not store.records(source.name) and store_at(world.settings.publish_location).current() is None:
            raise dg.Failure(why, metadata=metadata, allow_retries=False) from failure
        severity = dg.AssetCheckSeverity.WARN if is_waiting else dg.AssetCheckSeverity.ERROR
        check = dg.AssetCheckResult(
            check_name=WAS_READ, asset_key=key, passed=False, severity=severity, description=why, metadata=metadata
        )
        return as_stored(source, transport.now(), store, logs), check
    visits.went_well(source.name, transport.now(), run_id, landed.looked)
    return landed, dg.AssetCheckResult(check_name=WAS_READ, asset_key=key, passed=True)


def _freshness(source: Source, landed: Landed, world: World) -> dg.AssetCheckResult:
    """Against the publisher's calendar, by the run's clock. An archive is as old as it is: that is no error."""
    newest = source.newest(world.tables(source, landed.logs))
    standing = source.standing(newest, world.transport().now())
    is_error = standing == "stale" and world.settings.transport == "live"
    return dg.AssetCheckResult(
        check_name=IS_FRESH,
        asset_key=table_key(source, source.tables[0].name),
        passed=standing not in ("late", "stale"),
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={"status": standing, **{f"newest_{table}": str(day) for table, day in newest.items() if day}},
    )


def _file_spec(source: Source, file: PublishedFile) -> dg.AssetSpec:
    return dg.AssetSpec(
        file_key(source, file.role),
        description=f"{file.description}\n\n{source.citation}",
        group_name=source.name,
        kinds={"file", file.suffix.lstrip(".")},
        owners=OWNERS,
        metadata={
            "url": dg.MetadataValue.url(file.urls[0]),
            "producer": source.producer,
            "licence": source.licence,
            "cadence": source.cadence,
            "publication": source.publication,
        },
    )


def _table_spec(source: Source, spec: TableSpec) -> dg.AssetSpec:
    return dg.AssetSpec(
        table_key(source, spec.name),
        deps=[file_key(source, role) for role in spec.roles],
        description=f"{spec.description} Kept as a change log: every version of every row since it was first seen.",
        group_name=source.name,
        kinds={"python", "parquet"},
        owners=OWNERS,
        # Of the visits; how old what they bring is, the check tells.
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=2 * source.longest_pause, warn_window=source.longest_pause
        ),
    )


def _file_result(source: Source, file: PublishedFile, landed: Landed, world: World) -> dg.MaterializeResult[Any]:
    records = [record for record in landed.records if kind(record.role) == file.role]
    newest = records[-1] if records else None
    metadata: dict[str, Any] = {
        "snapshots": len(records),
        "new_snapshots": sum(kind(record.role) == file.role for record in landed.arrived),
    }
    if newest:
        metadata |= {
            "bytes": newest.bytes,
            "sha256": newest.sha256,
            "read_from": dg.MetadataValue.url(newest.url),
            "retrieved_at": dg.MetadataValue.timestamp(newest.retrieved_at),
            "file": dg.MetadataValue.path(world.settings.snapshots_dir / source.name / newest.file),
        }
    return dg.MaterializeResult(
        asset_key=file_key(source, file.role),
        data_version=dg.DataVersion(_version([record.sha256 for record in (records if file.dated else records[-1:])])),
        metadata=metadata,
    )


def _table_result(source: Source, spec: TableSpec, landed: Landed, world: World) -> dg.MaterializeResult[Any]:
    log = landed.logs[spec.name]
    by_change = {row["values"]: row["counts"] for row in pc.value_counts(log["change"]).to_pylist()}
    versions = [record.sha256 for record in landed.records if kind(record.role) in spec.roles]
    return dg.MaterializeResult(
        asset_key=table_key(source, spec.name),
        data_version=dg.DataVersion(_version(versions)),
        metadata={
            **table_metadata(state(log, spec), spec.observation_date, world.change_logs(source.name).path(spec.name)),
            "added": by_change.get("added", 0),
            "revised": by_change.get("revised", 0),
            "withdrawn": by_change.get("withdrawn", 0),
        },
    )


def _version(hashes: list[str]) -> str:
    """The bytes that something is made of: one file's hash, or one of several."""
    if not hashes:
        return "never retrieved"
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@dg.definitions
def ingest() -> dg.Definitions:
    """One multi-asset for each source of the registry."""
    return dg.Definitions(assets=[ingest_assets(source) for source in SOURCES.values()])
