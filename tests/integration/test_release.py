"""Releases as their readers meet them: whole, described, unchanged when nothing changed."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jgb_assets.definitions import defs
from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import datasets
from jgb_assets.extracts.release import Release, ReleaseRefused, publish
from jgb_assets.extracts.store import MONITOR, store_at
from jgb_assets.monitor.page import page
from jgb_assets.settings import BUNDLE
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, copy_of, environment, releases, run, tree

PROMISED = {
    "jgb_yields": "obs_date tenor_years yield_pct change_1d_bp change_5d_bp highest_since_date largest_rise_since_date "
    "published_at first_seen_at",
    "jgb_yields_wide": "obs_date yield_1y_pct yield_2y_pct yield_10y_pct yield_40y_pct published_at",
    "curve_shape": "obs_date level_10y_pct slope_2s10s_bp slope_5s30s_bp slope_10s30s_bp slope_10s40s_bp slope_20s30s_bp "
    "slope_30s40s_bp fly_2s5s10s_bp fly_5s10s20s_bp fly_10s20s30s_bp forward_5y5y_pct forward_10y10y_pct forward_20y10y_pct "
    "forward_30y10y_pct zero_10y_pct zero_30y_pct dl_level_pct dl_slope_pct dl_curvature_pct dl_rmse_bp nss_beta0_pct "
    "nss_beta1_pct nss_beta2_pct nss_beta3_pct nss_tau1_years nss_tau2_years nss_rmse_bp regime_5d "
    + " ".join(
        f"{name}_pctile {name}_n"
        for name in [
            "slope_2s10s",
            "slope_5s30s",
            "slope_10s30s",
            "slope_10s40s",
            "slope_20s30s",
            "slope_30s40s",
            "fly_2s5s10s",
            "fly_5s10s20s",
            "fly_10s20s30s",
        ]
    ),
    "curve_factors": "window tenor_years component loading explained_pct n_obs first_date last_date",
    "curve_moves": " ".join(
        f"obs_date tenor_years change_{n}d_bp rise_{n}d_rank rise_{n}d_n rise_{n}d_since_date fall_{n}d_rank fall_{n}d_n "
        f"fall_{n}d_since_date"
        for n in (1, 2, 3, 5)
    ),
    "auction_tails": "instrument auction_date issue_number issue_date maturity_date coupon_pct offered_jpy_bn bids_jpy_bn "
    "accepted_jpy_bn bid_to_cover average_price lowest_price average_yield_pct highest_yield_pct tail_price tail_yield_bp "
    "tail_compound_bp clearing_gap_bp method tail_prior12_mean_bp bid_to_cover_prior12_mean tail_rank tail_n "
    "longest_tail_since_date lowest_cover_since_date allotment_at_lowest_pct non_price_1_jpy_bn non_price_2_jpy_bn "
    "source_kind",
    "claims": "claim_id claim claimed_value measured_value unit basis evidence_date verdict note",
    "ust_yields": "obs_date tenor_months yield_pct",
    "securities_flows": "frequency period_end_date direction security_type investor_type net_jpy_bn first_seen_at revised",
    "repatriation": "obs_date ust_10y_pct jgb_10y_pct spread_10y_bp spread_30y_bp hedge_cost_pct hedged_pickup_10y_bp "
    "hedged_pickup_30y_bp policy_rate_pct foreign_bond_net_4w_jpy_bn japan_tic_usd_bn",
    "revisions": "source_table period_end_date series measure first_value latest_value revision first_seen_at revised_at",
    "reconciliations": "reconciliation compared differing beyond_tolerance",
    "tic_holdings": "month_end_date holder position_usd_bn first_print_usd_bn share_pct rank change_usd_bn net_purchases_usd_bn "
    "valuation_usd_bn other_usd_bn long_term_usd_bn short_term_usd_bn is_aggregate series_break first_seen_at source_table",
    "tic_holdings_vintages": "month_end_date holder seen_at position_usd_bn revision_usd_bn source_table",
    "japan_us_securities": "month_end_date security_type position_usd_bn net_purchases_usd_bn valuation_usd_bn other_usd_bn",
    "source_status": "source newest_observation_date next_expected_at last_changed_at snapshots",
}
ALLOWED_TYPES = {
    pa.float64(),
    pa.date32(),
    pa.timestamp("us", tz="UTC"),
    pa.string(),
    pa.bool_(),
    pa.int16(),
    pa.int32(),
}


def package(of: Run) -> dict[str, object]:
    return json.loads((of.current / "datapackage.json").read_text())


@pytest.mark.parametrize("dataset", PROMISED)
def test_promised_columns_are_there(from_bundle: Run, dataset: str) -> None:
    names = pq.read_schema(from_bundle.current / f"{dataset}.parquet").names
    assert [name for name in PROMISED[dataset].split() if name not in names] == []


def test_every_column_says_what_it_is_and_has_a_plain_type(from_bundle: Run) -> None:
    for path in from_bundle.current.glob("*.parquet"):
        schema = pq.read_schema(path)
        assert schema.metadata[b"title"]
        assert schema.metadata[b"schema_version"] == b"1"
        for field in schema:
            assert field.type in ALLOWED_TYPES, (path.stem, field)
            for entry in (b"description", b"unit", b"source"):
                assert field.metadata[entry], (path.stem, field.name, entry)


def test_files_are_sorted_by_a_unique_key_without_nulls(from_bundle: Run) -> None:
    for path in from_bundle.current.glob("*.parquet"):
        key = json.loads(pq.read_schema(path).metadata[b"primary_key"])
        keys = pq.read_table(path, columns=key).to_pandas()
        assert not keys.isna().any(axis=None), path.stem
        assert keys.equals(keys.sort_values(key, ignore_index=True)), path.stem
        assert not keys.duplicated().any(), path.stem


def test_dates_arrive_as_dates_and_instants_as_utc(from_bundle: Run) -> None:
    table = pd.read_parquet(from_bundle.current / "jgb_yields.parquet", dtype_backend="pyarrow")
    assert str(table.dtypes["obs_date"]) == "date32[day][pyarrow]"
    assert str(table.dtypes["published_at"]) == "timestamp[us, tz=UTC][pyarrow]"


def test_the_descriptor_tells_bytes_hashes_rows_schema_and_what_went_in(from_bundle: Run) -> None:
    descriptor = package(from_bundle)
    assert descriptor["id"] == from_bundle.current.resolve().name
    assert {resource["name"] for resource in descriptor["resources"]} == set(PROMISED)
    for resource in descriptor["resources"]:
        body = (from_bundle.current / resource["path"]).read_bytes()
        assert resource["size_bytes"] == len(body)
        assert resource["hash"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
        table = pq.read_table(from_bundle.current / resource["path"])
        assert resource["rows"] == table.num_rows
        assert [field["name"] for field in resource["schema"]["fields"]] == table.schema.names
        assert all(field["unit"] for field in resource["schema"]["fields"])
    assert len(descriptor["snapshots"]) == 52
    for snapshot in descriptor["snapshots"]:
        kept = list((from_bundle.data_dir / "snapshots" / snapshot["source"]).glob(f"{snapshot['snapshot_sha256']}.*"))
        assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in kept] == [snapshot["snapshot_sha256"]]
    assert {source["name"] for source in descriptor["sources"]} == set(SOURCES)
    assert all(source["licence"] and source["title"].startswith("Source: ") for source in descriptor["sources"])
    git_sha = descriptor["git_sha"]
    assert git_sha is None or len(git_sha.removesuffix("-dirty")) == 40


def test_every_value_leads_to_the_bytes_it_was_read_from(from_bundle: Run) -> None:
    yields = pq.read_table(from_bundle.current / "jgb_yields.parquet").to_pandas()
    for row in yields.sample(50, random_state=20260120).itertuples():
        body = (from_bundle.data_dir / "snapshots" / "mof_jgb_yields" / f"{row.snapshot_sha256}.csv").read_bytes()
        day, *cells = body.decode("cp932").splitlines()[row.source_line - 1].split(",")
        assert day == f"{row.obs_date.year}/{row.obs_date.month}/{row.obs_date.day}"
        column = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40].index(row.tenor_years)
        assert float(cells[column]) == row.yield_pct


def test_current_is_a_link_that_latest_json_agrees_with(from_bundle: Run) -> None:
    release_id = package(from_bundle)["id"]
    assert str(from_bundle.current.readlink()) == f"releases/{release_id}"
    latest = json.loads((from_bundle.current.parent / "latest.json").read_text())
    assert latest == {"release_id": release_id, "path": f"releases/{release_id}"}
    assert release_id.startswith("20260815T000500Z-")


def test_status_tells_freshness_by_the_archives_clock(from_bundle: Run) -> None:
    status = json.loads((from_bundle.current.parent / "status.json").read_text())
    assert {source: fields["status"] for source, fields in status.items()} == {
        "mof_jgb_yields": "stale",  # the row of 1 July was to be out six weeks before the clock stopped
        "mof_jgb_auctions": "late",  # a day
        "mof_auction_pages": "never retrieved",
        "mof_securities_flows": "fresh",
        "treasury_par_yields": "stale",
        "treasury_tic": "late",  # 106 days old in New York; 109 was seen, in the federal closure of 2025
    }
    assert status["mof_jgb_yields"]["last_checked_at"] == "2026-08-15T00:05:00Z"
    assert status["treasury_tic"]["age_days"] == 106


def test_a_second_run_changes_no_published_byte_and_says_so(from_bundle: Run, tmp_path: Path) -> None:
    published = copy_of(from_bundle, tmp_path) / "publish"
    before = tree(published), {path: path.lstat().st_mtime_ns for path in published.rglob("*") if path.is_file()}
    snapshots = tree(tmp_path / "data" / "snapshots")
    again = run(tmp_path / "data")
    assert again.code == 0, again.err
    assert again.out.splitlines()[-1].endswith("unchanged: no published byte was written")
    after = tree(published), {path: path.lstat().st_mtime_ns for path in published.rglob("*") if path.is_file()}
    changed = {str(path.name) for path in after[1] if after[1][path] != before[1].get(path)}
    assert after[0] == before[0]
    assert changed <= {".lock"}
    assert tree(tmp_path / "data" / "snapshots") == snapshots


def test_a_damaged_release_is_not_taken_for_whole(from_bundle: Run, tmp_path: Path) -> None:
    data = copy_of(from_bundle, tmp_path)
    root = data / "publish" / "v1"

    def again() -> Release:
        config = {"file_search_path": str(data)}
        with duckdb.connect(data / "warehouse.duckdb", read_only=True, config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            tables = [
                connection.table(name).to_arrow_table() for name in ("stg_landing__sources", "stg_landing__ledger")
            ]
            known = datasets(DBT_PROJECT.manifest_path)
            now, pages = datetime(2026, 8, 15, 0, 5, tzinfo=UTC), {MONITOR: page}
            return publish(connection, known, *tables, now, store_at(data / "publish"), pages=pages)

    assert again().news == "unchanged: no published byte was written"
    file = root / "current" / "curve_shape.parquet"
    body = bytearray(file.read_bytes())
    body[1000] ^= 1
    file.write_bytes(body)
    with pytest.raises(ReleaseRefused, match=r"curve_shape\.parquet is damaged.*run again to publish it anew"):
        again()
    shutil.move(file.resolve().parent, tmp_path / "away")
    assert again().news == "published"
    assert tree(data / "publish").keys() == tree(from_bundle.data_dir / "publish").keys()


def test_nothing_is_published_from_a_build_that_failed_its_tests(from_bundle: Run, tmp_path: Path) -> None:
    """A yield of 14 % passes the source's gate when a person lets it, and then fails the mart's change test."""
    data, archive = copy_of(from_bundle, tmp_path), tmp_path / "archive"
    before = releases(data)
    history = sorted(BUNDLE.glob("*/www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/*.csv"))[-1]
    file = archive / "2026-07-04T003500Z" / history.relative_to(BUNDLE / history.relative_to(BUNDLE).parts[0])
    file.parent.mkdir(parents=True)
    file.write_bytes(history.read_bytes().replace(b"2026/6/30,1.165,", b"2026/6/30,14.2,"))
    accepted = hashlib.sha256(file.read_bytes()).hexdigest()

    failed = run(data, archive_dir=archive, accept_sha256=accepted)

    assert failed.code == 1
    assert releases(data) == before
    check = dg.AssetCheckKey(dg.AssetKey("jgb_yields"), "is_as_described_jgb_yields_")
    with dg.DagsterInstance.from_config(str(data / "dagster")) as instance:
        (record,) = instance.event_log_storage.get_latest_asset_check_execution_by_key([check]).values()
        assert not record.event.dagster_event.asset_check_evaluation_data.passed
        one_mart = defs.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection={dg.AssetKey("japan_us_securities")}
        )
        with environment(data_dir=data, archive_dir=archive):
            assert one_mart.execute_in_process(instance=instance).success
        only_extracts = defs.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection={
                key for key in defs.resolve_asset_graph().get_all_asset_keys() if key.path[0] == "extracts"
            }
        )
        with environment(data_dir=data, archive_dir=archive):
            alone = only_extracts.execute_in_process(instance=instance, raise_on_error=False)
        assert not alone.success
        assert "did not pass its tests" in str(alone.failure_data_for_node("publish").error)
    assert releases(data) == before


def test_one_sources_refresh_publishes_a_whole_release_on_a_fresh_machine(tmp_path: Path) -> None:
    of = run(tmp_path / "data", "refresh_auctions")
    assert of.code == 0, of.err
    rows = {resource["name"]: resource["rows"] for resource in package(of)["resources"]}
    assert {name for name, count in rows.items() if count} == {"auction_tails", "claims", "source_status"}


def test_the_dictionary_has_a_type_for_every_column_of_the_manifest() -> None:
    for dataset in datasets(DBT_PROJECT.manifest_path):
        assert len(dataset.schema) == len(dataset.columns)
        assert set(dataset.key) <= set(dataset.schema.names)
        assert all(not dataset.schema.field(name).nullable for name in dataset.key)
