"""The dbt project as assets, and its tests as asset checks: one dbt call a run.

Belongs here: group, owner and metadata of dbt's assets. Not here: SQL.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.defs.preview import PREVIEW_ROWS, preview, table_metadata
from jgb_assets.defs.world import OWNERS, World

WRITER_POOL = "duckdb_writer"


class Translator(DagsterDbtTranslator):
    """Adds the layer as group, and the owner."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """A model's group is its folder under ``models``; seeds have their own."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        group = node["fqn"][1] if node["resource_type"] == "model" else f"{node['resource_type']}s"
        return spec.replace_attributes(group_name=group, owners=OWNERS)


@dbt_assets(
    manifest=DBT_PROJECT.manifest_path,
    project=DBT_PROJECT,
    dagster_dbt_translator=Translator(),
    exclude="resource_type:unit_test",
    name="dbt",
    pool=WRITER_POOL,
)
def warehouse(context: dg.AssetExecutionContext, dbt: DbtCliResource, world: World) -> Iterator[Any]:
    """Build seeds, models and tests, then tell what each table holds.

    Nothing is published from a build that did not pass: until it has, the mark that ``publish`` looks for is gone.
    """
    passed = world.settings.warehouse_passed_path
    had_passed = passed.exists()
    passed.unlink(missing_ok=True)
    clock = str(world.clock())
    build = dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context, raise_on_error=False)
    events = list(build.stream())
    failures: list[str] = []
    with world.warehouse() as connection:
        for event in events:
            if isinstance(event, dg.Output):
                key = context.asset_key_for_output(event.output_name)
                yield event.with_metadata(
                    {**event.metadata, **_contents(connection, key.path[-1], world.settings.warehouse_path)}
                )
            elif (
                isinstance(event, dg.AssetCheckResult)
                and _told(event) in ("fail", "warn")
                and (table := _kept_failures(event.check_name))
            ):
                rows = connection.table(table).to_arrow_table()
                named = [", ".join(f"{name} {value}" for name, value in row.items()) for row in rows.to_pylist()]
                for row in named:
                    context.log.warning(f"{event.check_name}: {row}")
                if event.severity == dg.AssetCheckSeverity.ERROR:
                    failures += [f"{event.check_name}: {row}" for row in named]
                shown = preview(rows.slice(0, PREVIEW_ROWS).to_pylist(), rows.schema.names)
                yield event._replace(metadata={**event.metadata, "failing_rows": shown})
            else:
                yield event
    if error := build.get_error():
        if failures:
            raise dg.Failure("\n".join(["a dbt test failed:", *failures]), allow_retries=False) from error
        raise error
    if had_passed or not context.is_subset:  # a part that passes does not speak for a rest that failed
        passed.write_text(clock)


def _told(result: dg.AssetCheckResult) -> object:
    """What dbt says of a test; one that ended in an error has kept no rows."""
    return result.metadata["status"].value if result.metadata else None


def _kept_failures(check_name: str | None) -> str | None:
    """The table in which a test keeps the rows that fail, if it does."""
    nodes = json.loads(DBT_PROJECT.manifest_path.read_text())["nodes"].values()
    return next(
        (
            node["relation_name"]
            for node in nodes
            if node["name"] == check_name and node["config"].get("store_failures")
        ),
        None,
    )


def _contents(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> dict[str, Any]:
    """Rows, newest observation and preview of one table or view."""
    relation = connection.table(name)
    time_column = next(
        (column for column, kind in zip(relation.columns, relation.types, strict=True) if kind == "DATE"), None
    )
    newest = relation.order(f"{time_column} desc nulls last") if time_column else relation
    rows = newest.limit(PREVIEW_ROWS).to_arrow_table()
    return {**table_metadata(rows, time_column, path), "dagster/row_count": len(relation)}
