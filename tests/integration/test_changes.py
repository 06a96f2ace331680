"""One cell of one raw file changes: what the next release says of it, and what stays as it was."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import Dataset, datasets
from jgb_assets.settings import BUNDLE
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, run

HISTORY = "www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv"
RETRIEVED = "2026-08-16T003500Z"  # the day after the bundle's last retrieval
# The 10-year of a day on which the ministry auctioned the 10-year: the results repeat it, spreads and fits follow it.
CELL = (date(2026, 6, 2), 10)
ROW, REVISED_ROW = (
    b"2026/6/2,1.114,1.38,1.522,1.722,1.889,2.019,2.157,2.31,2.447,%s,3.141,3.493,3.801,3.81,3.742\r\n" % pct
    for pct in (b"2.577", b"2.587")
)


@pytest.fixture(scope="module")
def published() -> list[Dataset]:
    return datasets(DBT_PROJECT.manifest_path)


@pytest.fixture(scope="module")
def revised(from_bundle: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The bundle's data folder after a retrieval in which one cell of the history is another."""
    folder = tmp_path_factory.mktemp("revised")
    data = Path(shutil.copytree(from_bundle.data_dir, folder / "data", symlinks=True))
    archive = Path(shutil.copytree(BUNDLE, folder / "archive"))
    body = max(archive.glob(f"*/{HISTORY}")).read_bytes()
    assert body.count(ROW) == 1
    file = archive / RETRIEVED / HISTORY
    file.parent.mkdir(parents=True)
    file.write_bytes(body.replace(ROW, REVISED_ROW))
    return run(data, archive_dir=archive)


def changes(of: Run) -> dict[str, Any]:
    return json.loads((of.current / "changes.json").read_text())


def tables(markdown: str) -> list[list[list[str]]]:
    """Each table: its header and its rows, as cells."""
    found: list[list[list[str]]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [[header, *rows] for header, _, *rows in filter(None, found)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- one cell --------------------------------------------------------------------------------------------------------


def test_the_run_publishes_a_release_after_the_last(revised: Run, from_bundle: Run) -> None:
    assert revised.code == 0, revised.err
    assert revised.current.resolve().name.startswith("20260816T003500Z-")
    told = changes(revised)
    assert told["release_id"] == revised.current.resolve().name
    assert told["previous_release_id"] == from_bundle.current.resolve().name


def test_changes_name_the_cells_key_its_old_and_its_new_value_and_nothing_else(revised: Run) -> None:
    text = (revised.current / "CHANGES.md").read_text(encoding="utf-8")
    ((header, *rows),) = tables(text)
    assert header == ["obs_date", "tenor_years", "column", "old", "new", "difference"]
    ((*cell, difference),) = rows
    assert cell == ["2026-06-02", "10", "yield_pct", "2.577", "2.587"]
    assert Decimal(difference) == Decimal("0.01")
    assert re.findall(r"^##+ (.*)$", text, flags=re.MULTILINE) == ["jgb_yields"]
    mentioned = {dataset.name for dataset in datasets(DBT_PROJECT.manifest_path) if dataset.name in text}
    assert mentioned == {"jgb_yields"}


def test_the_json_agrees(revised: Run) -> None:
    told = changes(revised)["datasets"]
    assert told["jgb_yields"]["values_revised"] == {
        "count": 1,
        "values": [
            {"key": {"obs_date": "2026-06-02", "tenor_years": 10}, "column": "yield_pct", "old": 2.577, "new": 2.587}
        ],
    }
    assert {name: one["values_revised"]["count"] for name, one in told.items() if one["values_revised"]["count"]} == {
        "jgb_yields": 1
    }
    assert told["jgb_yields"]["rows_before"] == told["jgb_yields"]["rows_after"] == 162_937
    assert told["jgb_yields"]["cells_recorded"].keys() >= {"first_seen_at", "snapshot_sha256"}
    assert set(told["jgb_yields"]["cells_recorded"].values()) == {1}
    # The session itself, the next, and five on.
    assert told["jgb_yields"]["cells_recomputed"]["change_1d_bp"] == 2
    assert told["jgb_yields"]["cells_recomputed"]["change_5d_bp"] == 2
    for name, one in told.items():
        assert one["rows_withdrawn"]["count"] == 0, name
        assert one["columns_added"] == [], name
    assert told["revisions"]["rows_added"]["count"] == 1
    assert told["auction_tails"]["cells_recomputed"]["curve_yield_pct"] == 1


def test_the_files_differ_in_what_was_told_and_in_nothing_else(revised: Run, from_bundle: Run) -> None:
    key = ["obs_date", "tenor_years"]
    before, after = (
        pd.read_parquet(of.current / "jgb_yields.parquet", dtype_backend="pyarrow").set_index(key).sort_index()
        for of in (from_bundle, revised)
    )
    pd.testing.assert_index_equal(before.index, after.index)
    differs = before["yield_pct"] != after["yield_pct"]
    assert differs[differs].index.tolist() == [CELL]
    assert (before.loc[CELL, "yield_pct"], after.loc[CELL, "yield_pct"]) == (2.577, 2.587)


def test_a_dataset_that_does_not_read_the_source_keeps_its_bytes(
    revised: Run, from_bundle: Run, published: list[Dataset]
) -> None:
    elsewhere = {dataset.name for dataset in published if "mof_jgb_yields" not in dataset.sources}
    assert {"ust_yields", "securities_flows", "tic_holdings", "japan_us_securities"} <= elsewhere
    same = {
        path.stem
        for path in from_bundle.current.glob("*.parquet")
        if sha256(path) == sha256(revised.current / path.name)
    }
    assert same == elsewhere
    assert not elsewhere & changes(revised)["datasets"].keys()


def test_the_release_asset_shows_the_changes(revised: Run) -> None:
    with dg.DagsterInstance.from_config(str(revised.data_dir / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["extracts", "release"]))
    assert event is not None
    shown = event.asset_materialization.metadata["changes"]
    assert isinstance(shown, dg.MarkdownMetadataValue)
    assert shown.value.strip() == (revised.current / "CHANGES.md").read_text(encoding="utf-8").strip()


def test_the_first_release_says_that_it_is_the_first(from_bundle: Run, published: list[Dataset]) -> None:
    told = changes(from_bundle)
    assert told["previous_release_id"] is None
    for dataset in published:
        rows = pq.read_metadata(from_bundle.current / f"{dataset.name}.parquet").num_rows
        assert told["datasets"][dataset.name]["rows_added"]["count"] == rows
    assert tables((from_bundle.current / "CHANGES.md").read_text()) == []


# --- what files say of themselves ------------------------------------------------------------------------------------


def test_every_file_says_what_it_holds_and_what_it_was_built_from(from_bundle: Run, published: list[Dataset]) -> None:
    ledger = json.loads((from_bundle.current / "datapackage.json").read_text())["snapshots"]
    paths = sorted(from_bundle.current.glob("*.parquet"))
    assert [path.stem for path in paths] == [dataset.name for dataset in published]
    for path, dataset in zip(paths, published, strict=True):
        schema = pq.read_schema(path)
        for one in schema:
            for entry in (b"description", b"unit", b"source"):
                assert one.metadata[entry], (path.stem, one.name, entry)
        told = {name.decode(): value.decode() for name, value in schema.metadata.items()}
        assert told["title"]
        assert told["schema_version"] == "1"
        assert {source["source"] for source in json.loads(told["sources"])} == set(dataset.sources) != set()
        for name in dataset.sources:
            assert SOURCES[name].licence in told["licence"]
        newest = json.loads(told["newest_snapshot"])
        of_sources = [entry for entry in ledger if entry["source"] in dataset.sources]
        assert newest["retrieved_at"] == max(entry["retrieved_at"] for entry in of_sources)
        assert {name: newest[name] for name in ("source", "role", "url", "retrieved_at")} | {
            "snapshot_sha256": newest["sha256"]
        } in of_sources
        assert told.get("known_at") == dataset.known_at
        assert dataset.known_at is None or dataset.known_at in schema.names


def test_the_newest_snapshot_is_of_the_file_that_changed(revised: Run) -> None:
    body = (revised.data_dir.parent / "archive" / RETRIEVED / HISTORY).read_bytes()
    told = json.loads(pq.read_schema(revised.current / "curve_shape.parquet").metadata[b"newest_snapshot"])
    assert told == {
        "source": "mof_jgb_yields",
        "role": "history",
        "url": f"https://{HISTORY}",
        "retrieved_at": "2026-08-16T00:35:00Z",
        "sha256": hashlib.sha256(body).hexdigest(),
    }


# --- a row a session -------------------------------------------------------------------------------------------------


def test_the_wide_yields_are_the_yields_a_column_a_tenor(from_bundle: Run) -> None:
    tenors = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40]
    long = pq.read_table(from_bundle.current / "jgb_yields.parquet").to_pandas()
    wide = pq.read_table(from_bundle.current / "jgb_yields_wide.parquet").to_pandas()
    names = [f"yield_{tenor}y_pct" for tenor in tenors]
    assert [name for name in wide.columns if name.startswith("yield_")] == names
    assert len(wide) == wide["obs_date"].nunique() == 13_248
    pivot = long.pivot(index="obs_date", columns="tenor_years", values="yield_pct")[tenors].set_axis(names, axis=1)
    pd.testing.assert_frame_equal(
        wide.set_index("obs_date")[names], pivot, check_exact=True, check_names=False, check_like=False
    )
    known = long.groupby("obs_date")["published_at"].max()
    pd.testing.assert_series_equal(wide.set_index("obs_date")["published_at"], known, check_names=False)


def test_the_wide_yields_of_the_20th_of_january_2026(from_bundle: Run) -> None:
    wide = pq.read_table(from_bundle.current / "jgb_yields_wide.parquet").to_pandas().set_index("obs_date")
    day = wide.loc[date(2026, 1, 20)]
    assert day[["yield_10y_pct", "yield_30y_pct", "yield_40y_pct"]].tolist() == [2.33, 3.765, 3.901]
    assert wide["yield_40y_pct"].first_valid_index() == date(2007, 11, 6)


# --- as others read the descriptor -----------------------------------------------------------------------------------

SAMPLED = 200


def sample(table: pa.Table) -> pa.Table:
    """The first row, the last, and some between; of each column a null and a value, where it has them."""
    rows = set(np.linspace(0, table.num_rows - 1, min(SAMPLED, table.num_rows)).astype(int).tolist())
    for one in table.columns:
        rows |= {at for at in (pc.index(one.is_null(), sought).as_py() for sought in (True, False)) if at >= 0}
    return table.take(sorted(rows))


def test_frictionless_finds_the_release_valid(from_bundle: Run, tmp_path: Path) -> None:
    """Rows spread over every file: all types, and nulls in every column that has them. All rows take minutes."""
    folder = tmp_path / "release"
    folder.mkdir()
    descriptor = json.loads((from_bundle.current / "datapackage.json").read_text())
    for resource in descriptor["resources"]:
        path = folder / resource["path"]
        some = sample(pq.read_table(from_bundle.current / resource["path"]))
        pq.write_table(some, path, compression="zstd")
        resource |= {"rows": some.num_rows, "hash": f"sha256:{sha256(path)}"}
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    command = [sys.executable, "-m", "frictionless", "validate", "datapackage.json"]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr
    assert "INVALID" not in found.stdout
    assert set(re.findall(r"\w+\.parquet", found.stdout)) == {one["path"] for one in descriptor["resources"]}
