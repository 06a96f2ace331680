"""The dbt project as assets, and its tests as asset checks: one dbt call a run.

Belongs here: group, owner and metadata of dbt's assets. Not here: SQL.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.defs.preview import PREVIEW_ROWS, picture, preview, table_metadata
from jgb_assets.defs.world import OWNERS, World
from jgb_assets.extracts.dictionary import Dataset, datasets

WRITER_POOL = "duckdb_writer"
SHOWN_DIFFERENCES = 100
PICTURES = "jgb_assets.monitor.pictures"
DATASETS = datasets(DBT_PROJECT.manifest_path)
MARTS = {dataset.name: dataset for dataset in DATASETS}


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
    import_module(PICTURES)  # while dbt works: it takes a second and more, which nothing else waits for
    events = list(build.stream())
    failures: list[str] = []
    tests = _tests()
    with world.warehouse() as connection:
        for event in events:
            if isinstance(event, dg.Output):
                key = context.asset_key_for_output(event.output_name)
                name = key.path[-1]
                looks = _looks(connection, MARTS[name]) if name in MARTS else {}
                yield event.with_metadata(
                    {**event.metadata, **_contents(connection, name, world.settings.warehouse_path), **looks}
                )
                continue
            if not isinstance(event, dg.AssetCheckResult):
                yield event
                continue
            test = tests.get(event.check_name or "", {})
            metadata = dict(event.metadata)
            if _told(event) in ("pass", "fail", "warn") and test.get("reconciliation"):
                metadata |= _differences(connection, test["reconciliation"])
            if _told(event) in ("fail", "warn") and test.get("failures"):
                rows = connection.table(test["failures"]).to_arrow_table()
                named = [", ".join(f"{name} {value}" for name, value in row.items()) for row in rows.to_pylist()]
                for row in named:
                    context.log.warning(f"{event.check_name}: {row}")
                if event.severity == dg.AssetCheckSeverity.ERROR:
                    failures += [f"{event.check_name}: {row}" for row in named]
                metadata["failing_rows"] = preview(rows.slice(0, PREVIEW_ROWS).to_pylist(), rows.schema.names)
            yield event._replace(metadata=metadata)
    if error := build.get_error():
        if failures:
            raise dg.Failure("\n".join(["a dbt test failed:", *failures]), allow_retries=False) from error
        raise error
    if had_passed or not context.is_subset:  # a part that passes does not speak for a rest that failed
        passed.write_text(clock)


def _told(result: dg.AssetCheckResult) -> object:
    """What dbt says of a test; one that ended in an error has kept no rows."""
    return result.metadata["status"].value if result.metadata else None


def _tests() -> dict[str, dict[str, str]]:
    """By test: the table in which it keeps the rows that fail, and which reconciliation it is of, if it is of one."""
    nodes = json.loads(DBT_PROJECT.manifest_path.read_text())["nodes"].values()
    return {
        node["name"]: {
            "failures": node["relation_name"] if node["config"].get("store_failures") else "",
            "reconciliation": node["test_metadata"]["kwargs"].get("reconciliation", ""),
        }
        for node in nodes
        if node["resource_type"] == "test"
    }


def _differences(connection: duckdb.DuckDBPyConnection, reconciliation: str) -> dict[str, Any]:
    """How many pairs of figures were compared, how many differ, and the largest differences."""
    pairs = connection.table("int_reconciliations").filter(
        duckdb.ColumnExpression("reconciliation") == duckdb.ConstantExpression(reconciliation)
    )
    differing = pairs.filter("difference <> 0 or difference is null")
    rows = differing.order("agrees, abs(difference) desc, period_end_date, series").limit(SHOWN_DIFFERENCES)
    return {
        "compared": len(pairs),
        "differing": len(differing),
        "differences": preview(rows.to_arrow_table().to_pylist(), rows.columns),
    }


def _looks(connection: duckdb.DuckDBPyConnection, mart: Dataset) -> dict[str, Any]:
    """A mart's picture, and the numbers that Dagster draws over time."""
    from jgb_assets.monitor import pictures  # noqa: PLC0415  # slow, so not with the definitions
    from jgb_assets.monitor.cells import Datasets  # noqa: PLC0415

    table = connection.table(mart.name).to_arrow_table()
    datasets = Datasets({mart.name: table.replace_schema_metadata(mart.schema.metadata)})
    drawn = pictures.picture(datasets, mart.name)
    return {**pictures.scalars(datasets, mart.name), **({"picture": picture(drawn, mart.name)} if drawn else {})}


def _contents(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> dict[str, Any]:
    """Rows, newest observation and preview of one table or view."""
    relation = connection.table(name)
    dates = [column for column, kind in zip(relation.columns, relation.types, strict=True) if kind == "DATE"]
    time_column = MARTS[name].time_column if name in MARTS else next(iter(dates), None)
    newest = relation.order(f"{time_column} desc nulls last") if time_column else relation
    rows = newest.limit(PREVIEW_ROWS).to_arrow_table()
    return {**table_metadata(rows, time_column, path), "dagster/row_count": len(relation)}
