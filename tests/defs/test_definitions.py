"""What the UI shows before anything has run: assets, lineage, jobs, checks."""

import json
import logging
import os
import subprocess
import sys
import tomllib
from functools import cached_property
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._daemon.monitoring import run_monitoring
from dagster_dbt import DbtCliResource

from jgb_assets.definitions import defs
from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.settings import REPOSITORY
from jgb_assets.sources.registry import SOURCES

MARTS = {
    "auction_tails",
    "claims",
    "curve_factors",
    "curve_moves",
    "curve_shape",
    "japan_us_securities",
    "jgb_yields",
    "jgb_yields_wide",
    "reconciliations",
    "repatriation",
    "revisions",
    "securities_flows",
    "source_status",
    "tic_holdings",
    "tic_holdings_vintages",
    "ust_yields",
}


CURVE_MARTS = ("curve_shape", "curve_moves", "curve_factors")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions):
    return definitions.resolve_asset_graph()


def ancestors(graph, key: dg.AssetKey) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    queue = [key]
    while queue:
        parents = graph.get(queue.pop()).parent_keys - found
        found |= parents
        queue += parents
    return found


def test_every_asset_has_group_kinds_owner_and_description(graph) -> None:
    keys = graph.get_all_asset_keys()
    assert len(keys) > 40
    for key in keys:
        node = graph.get(key)
        assert node.group_name not in (None, "default"), key
        assert node.kinds, key
        assert node.owners == ["team:jgb-pipeline"], key
        assert node.description, key


def test_lineage_runs_from_each_publishers_file_to_the_release(graph) -> None:
    release = ancestors(graph, dg.AssetKey(["extracts", "release"]))
    for source in SOURCES.values():
        for file in source.files:
            assert dg.AssetKey(["files", source.name, file.role]) in release
    assert {dg.AssetKey(["extracts", mart]) for mart in MARTS} <= release


@pytest.mark.parametrize(
    ("extract", "files"),
    [
        ("jgb_yields", {("mof_jgb_yields", "history"), ("mof_jgb_yields", "current")}),
        *((mart, {("mof_jgb_yields", "history"), ("mof_jgb_yields", "current")}) for mart in CURVE_MARTS),
        (
            "auction_tails",
            {("mof_jgb_auctions", "workbook"), ("mof_jgb_yields", "history"), ("mof_jgb_yields", "current")}
            | {("mof_auction_pages", role) for role in ("results", "bill_results", "non_price_2", "calendar")},
        ),
        ("japan_us_securities", {("treasury_tic", "table1")}),
        ("tic_holdings", {("treasury_tic", role) for role in ("table3", "table5", "mfhhis01")}),
        ("ust_yields", {("treasury_par_yields", "year")}),
        ("securities_flows", {("mof_securities_flows", role) for role in ("week", "montha1", "monthb3")}),
        (
            "repatriation",
            {("mof_jgb_yields", "history"), ("mof_jgb_yields", "current"), ("treasury_par_yields", "year")}
            | {("mof_securities_flows", role) for role in ("week", "montha1", "monthb3")}
            | {("treasury_tic", role) for role in ("table3", "table5", "mfhhis01")},
        ),
        ("claims", {(name, file.role) for name, of in SOURCES.items() for file in of.files if file.role != "table1"}),
    ],
)
def test_an_extracts_lineage_begins_at_its_own_files(graph, extract: str, files: set[tuple[str, str]]) -> None:
    above = ancestors(graph, dg.AssetKey(["extracts", extract]))
    found = {(key.path[1], key.path[2]) for key in above if key.path[0] == "files"}
    assert found == files


def test_no_asset_stands_outside_the_pipeline(graph) -> None:
    release = dg.AssetKey(["extracts", "release"])
    # What must not be: its check is the point, nothing reads it.
    guards = {dg.AssetKey("int_auction_page_differences")}
    listed = dg.AssetKey("auction_yield_exceptions")  # read by a test only
    status = dg.AssetKey(["extracts", "status"])  # stands beside the release
    above = set().union(*(ancestors(graph, end) for end in (release, *guards)))
    assert graph.get_all_asset_keys() - above - {release, listed, status} - guards == set()
    assert guards <= {check.asset_key for check in graph.asset_check_keys if check.name.startswith("has_no_rows")}
    assert graph.external_asset_keys == set()


def test_jobs_run_raw_dbt_and_extracts_together(definitions: dg.Definitions) -> None:
    jobs = {job.name: job for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}
    steps = {name: {node.name for node in job.nodes} for name, job in jobs.items()}
    common = {"landing", "curves", "dbt", "publish", "status"}
    assert steps == {
        "refresh_all": common | {f"ingest_{source}" for source in SOURCES},
        "refresh_jgb_yields": common | {"ingest_mof_jgb_yields"},
        "refresh_auctions": common | {"ingest_mof_jgb_auctions", "ingest_mof_auction_pages"},
        "refresh_tic": common | {"ingest_treasury_tic"},
        "refresh_ust_yields": common | {"ingest_treasury_par_yields"},
        "refresh_flows": common | {"ingest_mof_securities_flows"},
    }


def test_dbt_tests_are_asset_checks(graph) -> None:
    names = {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys}
    for mart in MARTS:
        assert (mart, f"is_as_described_{mart}_") in names
    assert {asset for asset, name in names if name == "as_usual"} == {
        *("yields", "auctions", "results", "table5", "week")
    }


def test_each_reconciliation_is_a_check_that_stops_a_release_but_that_against_mfhhis01(graph) -> None:
    names = {key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey("int_reconciliations")}
    stopping = {
        "table5_against_table3", "table5_ranks_against_table3", "table1_against_table3", "holders_against_total",
        "flows_net_against_gross", "flows_investors_against_all", "flows_weeks_contiguous", "flows_weeks_against_months",
    }  # fmt: skip
    assert names == stopping | {"table3_against_mfhhis01", "official_table3_against_mfhhis01"}
    nodes = json.loads(DBT_PROJECT.manifest_path.read_text())["nodes"].values()
    assert {
        node["name"] for node in nodes if node["name"] in names and node["config"]["severity"] == "ERROR"
    } == stopping


def test_writers_of_the_warehouse_and_of_releases_share_one_pool(definitions: dg.Definitions) -> None:
    pools = {asset.op.name: asset.op.pool for asset in definitions.assets if isinstance(asset, dg.AssetsDefinition)}
    assert pools["dbt"] == pools["publish"] == "duckdb_writer"
    instance = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    assert instance["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}
    assert instance["telemetry"] == {"enabled": False}


def test_a_run_whose_process_was_killed_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tells Dagster. Without a limit it would stand for ever, and with it every schedule of its job."""
    (tmp_path / "dagster.yaml").write_bytes((REPOSITORY / "dagster.yaml").read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = instance.create_run_for_job(defs.resolve_job_def("refresh_flows"))
        for event in (dg.DagsterEventType.RUN_STARTING, dg.DagsterEventType.RUN_START):
            instance.report_dagster_event(dg.DagsterEvent(event.value, run.job_name), run_id=run.run_id)
        record = instance.get_run_record_by_id(run.run_id)
        assert record.dagster_run.status == dg.DagsterRunStatus.STARTED
        limit = float(instance.run_monitoring_max_runtime_seconds)
        for seconds, status in ((limit - 60, dg.DagsterRunStatus.STARTED), (limit + 60, dg.DagsterRunStatus.FAILURE)):
            monkeypatch.setattr(run_monitoring, "get_current_timestamp", lambda at=record.start_time + seconds: at)
            run_monitoring.check_run_timeout(instance, record, logging.getLogger(), limit)
            assert instance.get_run_by_id(run.run_id).status == status


def test_dg_and_the_workspace_load_the_same_location() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (entry,) = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())["load_from"]
    assert entry["python_module"] == {
        "module_name": f"{project['root_module']}.definitions",
        "location_name": project["code_location_name"],
    }


def test_the_workspace_loads_without_this_environment_on_the_path(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "--workspace", "workspace.yaml"]
    environment = os.environ | {"PATH": "/usr/bin:/bin", "JGB_DATA_DIR": str(tmp_path), "DAGSTER_IS_DEV_CLI": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_dagster_dbt_still_has_the_preparations_that_we_leave_out() -> None:
    assert isinstance(DbtCliResource.__dict__["_cli_version"], cached_property)
    assert callable(DbtCliResource.__dict__["_initialize_dbt_core_adapter"])
