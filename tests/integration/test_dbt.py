"""dbt's own unit tests, which a production run leaves out, and what every model's YAML has to say."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from jgb_assets.defs.dbt_project import DBT_PROJECT
from tests.conftest import Run


@pytest.fixture(scope="module")
def manifest() -> dict:
    return json.loads(DBT_PROJECT.manifest_path.read_text())


def test_unit_tests_pass(from_bundle: Run, tmp_path: Path, manifest: dict) -> None:
    shutil.copytree(from_bundle.data_dir, tmp_path / "data", symlinks=True)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("dbt"),
            "test",
            "--select",
            "test_type:unit",
            "--target-path",
            tmp_path / "target",
        ],
        cwd=DBT_PROJECT.project_dir,
        env=os.environ | {"JGB_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"PASS={len(manifest['unit_tests'])} " in done.stdout
    assert len(manifest["unit_tests"]) >= 55


def test_seeds_are_written_anew_into_a_data_folder_of_an_earlier_version(manifest: dict) -> None:
    seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
    assert seeds
    assert all(seed["config"]["full_refresh"] for seed in seeds)


def test_every_column_of_every_model_is_described(from_bundle: Run, manifest: dict) -> None:
    config = {"file_search_path": str(from_bundle.data_dir)}
    with duckdb.connect(from_bundle.data_dir / "warehouse.duckdb", read_only=True, config=config) as connection:
        for node in manifest["nodes"].values():
            if node["resource_type"] != "model":
                continue
            described = {name for name, column in node["columns"].items() if column["description"]}
            assert described == set(connection.table(node["name"]).columns), node["name"]
            assert node["description"], node["name"]


def test_marts_have_enforced_contracts_a_key_test_and_units(manifest: dict) -> None:
    marts = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node["test_metadata"]["name"] == "is_as_described"
    }
    assert len(marts) == 16
    for mart in marts:
        assert mart["config"]["contract"]["enforced"], mart["name"]
        assert mart["unique_id"] in tested, mart["name"]
        for column in mart["columns"].values():
            assert column["config"]["meta"]["unit"], (mart["name"], column["name"])
            assert column["config"]["meta"]["source"], (mart["name"], column["name"])
