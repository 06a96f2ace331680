"""The readers' guide as other teams use it: each snippet of the page, run on a release; and ``jgb_assets.read``."""

import inspect
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import jgb_assets
from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import Dataset, datasets
from jgb_assets.extracts.read import NotPublished
from jgb_assets.settings import REPOSITORY, SettingsError
from tests.conftest import Run, environment

GUIDE = REPOSITORY / "docs" / "readers_guide.md"
SHOWN = "2026-05-10T00:00:00Z"  # the instant of the guide's views
DATASETS = {dataset.name: dataset for dataset in datasets(DBT_PROJECT.manifest_path)}
# Published on 20 January 2026; the page's own headline figures.
SELL_OFF = {10: 2.330, 30: 3.765, 40: 3.901}

DATE, RATE, INSTANT = pa.date32(), pa.float64(), pa.timestamp("us", tz="UTC")
# What each tool calls a column of each Arrow type.
POLARS = {
    DATE: pl.Date,
    RATE: pl.Float64,
    INSTANT: pl.Datetime("us", "UTC"),
    pa.int16(): pl.Int16,
    pa.int32(): pl.Int32,
    pa.bool_(): pl.Boolean,
    pa.string(): pl.String,
}
DUCKDB = {
    DATE: "DATE",
    RATE: "DOUBLE",
    INSTANT: "TIMESTAMP WITH TIME ZONE",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
}
READ = {
    DATE: "date32[day][pyarrow]",
    RATE: "float64",
    INSTANT: "datetime64[us, UTC]",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.bool_(): "boolean",
    pa.string(): "str",
}


def snippets(language: str = "python") -> dict[str, str]:
    """The guide's code by the heading it stands under."""
    sections = re.split(r"^#{2,3} (.+)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for heading, text in zip(sections[::2], sections[1::2], strict=True):
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
        assert len(blocks) <= 1, heading
        if blocks:
            found[heading] = blocks[0]
    return found


def views(code: str, dataset: str = "jgb_yields", instant: str = SHOWN) -> tuple[Any, Any]:
    """What a snippet leaves as ``current`` and ``as_of``, for another dataset or instant if asked."""
    assert SHOWN in code
    left: dict[str, Any] = {}
    exec(code.replace("jgb_yields", dataset).replace(SHOWN, instant), left)  # noqa: S102
    return left["current"], left["as_of"]


def known_by(table: pa.Table, instant: datetime, dataset: Dataset) -> pa.Table:
    """The rows that were known by an instant; where a figure has versions, its last."""
    places = pd.DataFrame({name: table.column(name).to_pandas() for name in (*dataset.key, dataset.known_at)})
    places = places[places[dataset.known_at] <= instant].sort_values(dataset.known_at, kind="stable")
    figure = [name for name in dataset.key if name != dataset.known_at]
    return table.take(pa.array(sorted(places.drop_duplicates(figure, keep="last").index), pa.int64()))


def plain(table: pa.Table) -> pa.Table:
    """Values and types, without metadata."""
    return table.cast(pa.schema([pa.field(field.name, field.type) for field in table.schema]))


def in_order(table: pa.Table, dataset: str) -> pa.Table:
    """The same by key."""
    return plain(table).sort_by([(name, "ascending") for name in DATASETS[dataset].key])


def published(of: Run, dataset: str) -> pa.Table:
    return pq.read_table(of.current / f"{dataset}.parquet")


# Each tool: the types of its columns in its own words, those words, and its rows as Arrow.
def _pandas(frame: pd.DataFrame) -> tuple[dict[str, Any], pa.Table]:
    schema = pa.schema([pa.field(name, kind.pyarrow_dtype) for name, kind in frame.dtypes.items()])
    return {name: kind.pyarrow_dtype for name, kind in frame.dtypes.items()}, pa.Table.from_pandas(
        frame, schema, preserve_index=False
    )


def _polars(frame: pl.DataFrame) -> tuple[dict[str, Any], pa.Table]:
    words = {word: kind for kind, word in POLARS.items()}
    types = {name: words[kind] for name, kind in frame.schema.items()}
    return types, frame.to_arrow().cast(pa.schema(list(types.items())))  # its text is large_string


def _duckdb(relation: duckdb.DuckDBPyRelation) -> tuple[dict[str, Any], pa.Table]:
    words = {word: kind for kind, word in DUCKDB.items()}
    types = dict(zip(relation.columns, [words[str(kind)] for kind in relation.types], strict=True))
    return types, relation.to_arrow_table()


def _pyarrow(table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
    return dict(zip(table.schema.names, table.schema.types, strict=True)), table


def _read(frame: pd.DataFrame) -> tuple[dict[str, Any], pa.Table]:
    words = {word: kind for kind, word in READ.items()}
    types = {name: words[str(kind)] for name, kind in frame.dtypes.items()}
    return types, pa.Table.from_pandas(frame, pa.schema(list(types.items())), preserve_index=False)


TOOLS: dict[str, Callable[[Any], tuple[dict[str, Any], pa.Table]]] = {
    "pandas": _pandas,
    "polars": _polars,
    "DuckDB": _duckdb,
    "jgb.duckdb": _duckdb,
    "PyArrow": _pyarrow,
    "jgb_assets.read": _read,
}


@pytest.fixture
def folder(from_bundle: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A reader's folder: ``data/publish`` is there, and nothing else; the machine is in Tokyo."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "publish").symlink_to(from_bundle.data_dir / "publish")
    monkeypatch.chdir(tmp_path)
    with environment():
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        yield tmp_path
    time.tzset()


def test_every_snippet_of_the_guide_is_tested() -> None:
    elsewhere = {"Spark", "DuckDB: vintages of holdings", "Object stores"}
    assert set(snippets()) == set(TOOLS) | elsewhere
    assert set(snippets("sh")) == {"Verify"}


@pytest.mark.parametrize("dataset", ["jgb_yields", "tic_holdings", "securities_flows"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_gets_the_same_rows_types_and_nulls(from_bundle: Run, folder: Path, tool: str, dataset: str) -> None:
    expected = published(from_bundle, dataset)
    then = known_by(expected, datetime.fromisoformat(SHOWN), DATASETS[dataset])
    assert 0 < then.num_rows < expected.num_rows
    for view, rows in zip(views(snippets()[tool], dataset), (expected, then), strict=True):
        types, table = TOOLS[tool](view)
        assert types == dict(zip(expected.schema.names, expected.schema.types, strict=True))
        assert {DATE, RATE, INSTANT} <= set(types.values())
        assert table.schema.types == expected.schema.types
        assert table.num_rows == rows.num_rows
        assert plain(table).equals(plain(rows))  # in this order, too
        assert sum(column.null_count for column in table.columns) > 0


def _cells(tool: str, view: Any, **where: object) -> dict[str, Any]:
    """The one row whose columns hold these values, as the tool's own objects."""
    if tool == "polars":
        (row,) = view.filter(**where).iter_rows(named=True)
        return row
    if tool in {"DuckDB", "jgb.duckdb"}:
        found = view.filter(" and ".join(f"{name} = '{value}'" for name, value in where.items()))
        (values,) = found.fetchall()
        return dict(zip(view.columns, values, strict=True))
    if tool == "PyArrow":
        for name, value in where.items():
            view = view.filter(pc.field(name) == pa.scalar(value, view.schema.field(name).type))
        (row,) = view.to_pylist()
        return row
    for name, value in where.items():
        view = view[view[name] == value]
    assert len(view) == 1
    return {name: view[name].iloc[0] for name in view.columns}


@pytest.mark.parametrize("tool", TOOLS)
def test_cells_are_dates_floats_and_utc_instants_in_every_tool(folder: Path, tool: str) -> None:
    for view in views(snippets()[tool]):
        for tenor, percent in SELL_OFF.items():
            row = _cells(tool, view, obs_date=date(2026, 1, 20), tenor_years=tenor)
            assert type(row["obs_date"]) is date
            assert isinstance(row["yield_pct"], float)
            assert row["yield_pct"] == percent
            instant = row["published_at"]
            assert isinstance(instant, datetime)
            assert instant == datetime(2026, 1, 21, 0, 30, tzinfo=UTC)  # 09:30 in Tokyo, next session
            assert instant.utcoffset() == timedelta(0)
    _, as_of = views(snippets()[tool])
    newest = max(TOOLS[tool](as_of)[1].column("published_at").to_pylist())
    assert newest <= datetime.fromisoformat(SHOWN)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_holding_that_the_publisher_suppresses_is_null_in_every_tool(folder: Path, tool: str) -> None:
    for view in views(snippets()[tool], "tic_holdings"):
        row = _cells(tool, view, month_end_date=date(2026, 1, 31), holder="Anguilla")
        assert pd.isna(row["position_usd_bn"])
        assert row["is_aggregate"] == False  # noqa: E712  numpy's is no bool
        row = _cells(tool, view, month_end_date=date(2026, 1, 31), holder="Japan")
        assert isinstance(row["position_usd_bn"], float)
        assert 1000 < row["position_usd_bn"] < 1400


@pytest.mark.parametrize(
    ("instant", "position"),
    [("2026-03-19T00:00:00Z", 889.0), (SHOWN, 889.0), ("2026-05-19T00:00:00Z", 879.8), ("2026-06-30T00:00:00Z", 879.8)],
)
def test_vintages_as_of_an_instant_are_what_the_treasury_said_by_then(
    from_bundle: Run, folder: Path, instant: str, position: float
) -> None:
    """British holdings of November 2025 were 889.0 until the publisher rewrote them in May 2026."""
    name = "tic_holdings_vintages"
    current, as_of = views(snippets()["DuckDB: vintages of holdings"], instant=instant)
    for view in (current, as_of):
        keys = view.select("month_end_date, holder")
        assert len(keys) == len(keys.distinct())
    row = _cells("DuckDB", as_of, month_end_date=date(2025, 11, 30), holder="United Kingdom")
    assert row["position_usd_bn"] == pytest.approx(position, abs=0.05)
    assert row["seen_at"].utcoffset() == timedelta(0)
    expected = known_by(published(from_bundle, name), datetime.fromisoformat(instant), DATASETS[name])
    assert in_order(as_of.to_arrow_table(), name).equals(plain(expected))
    assert jgb_assets.read(name, instant, uri="data/publish", arrow=True).equals(expected)


def test_the_last_versions_are_the_holdings_of_the_release(from_bundle: Run, folder: Path) -> None:
    current, _ = views(snippets()["DuckDB: vintages of holdings"])
    last = current.select("month_end_date, holder, position_usd_bn").to_arrow_table().to_pylist()
    holdings = published(from_bundle, "tic_holdings").to_pylist()
    known = {(row["month_end_date"], row["holder"]): row["position_usd_bn"] for row in holdings}
    said = {(row["month_end_date"], row["holder"]): row["position_usd_bn"] for row in last}
    assert {key: said[key] for key in known} == known


def test_the_guides_verification_passes_a_release_and_finds_a_flipped_bit(from_bundle: Run, folder: Path) -> None:
    def verify(working_folder: Path) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-e", "-c", snippets("sh")["Verify"]]
        return subprocess.run(command, cwd=working_folder, capture_output=True, text=True, check=False)

    done = verify(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    copy = folder / "copy" / "data" / "publish" / "v1" / "current"
    shutil.copytree(from_bundle.current, copy)
    named = [line.split("  ", 1)[1] for line in (copy / "SHA256SUMS").read_text().splitlines()]
    assert named == sorted(path.name for path in copy.iterdir() if path.name != "SHA256SUMS")
    body = bytearray((copy / "jgb_yields.parquet").read_bytes())
    body[len(body) // 2] ^= 1
    (copy / "jgb_yields.parquet").write_bytes(body)
    done = verify(folder / "copy")
    assert (done.returncode, done.stdout) == (1, "jgb_yields.parquet: FAILED\n")


def test_no_number_is_nan_or_infinite(from_bundle: Run) -> None:
    for path in from_bundle.current.glob("*.parquet"):
        table = pq.read_table(path)
        for name in [field.name for field in table.schema if field.type == RATE]:
            finite = pc.all(pc.is_finite(table.column(name)), min_count=0).as_py()
            assert finite, (path.name, name)


def test_the_page_names_every_dataset_by_the_column_that_dates_it() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.+?) \| (?:`(\w+)`)? ?\|", text, flags=re.MULTILINE)
    told = {name: known_at or None for names, known_at in table for name in re.findall(r"`(\w+)`", names)}
    assert told == {name: dataset.known_at for name, dataset in DATASETS.items()}


# --- jgb.duckdb ----------------------------------------------------------------------------------------------------


def test_the_database_is_the_release_and_cannot_be_written(from_bundle: Run, folder: Path) -> None:
    file = from_bundle.current.parent / "jgb.duckdb"
    before = file.read_bytes()
    with duckdb.connect() as connection, duckdb.connect() as another:
        for reader in (connection, another):  # two at once
            reader.execute("attach 'data/publish/v1/jgb.duckdb' as jgb (read_only)")
        named = {
            name
            for (name,) in connection.sql(
                "select view_name from duckdb_views() where database_name = 'jgb' and not internal"
            ).fetchall()
        }
        assert named == set(DATASETS)
        for name in DATASETS:
            rows = pq.read_metadata(from_bundle.current / f"{name}.parquet").num_rows
            for reader in (connection, another):
                assert len(reader.table(f"jgb.{name}")) == rows
        for statement in ("create table jgb.mine as select 1", "drop view jgb.jgb_yields"):
            with pytest.raises(duckdb.Error, match="read-only"):
                connection.execute(statement)
    assert file.read_bytes() == before
    assert list(file.parent.glob("jgb.duckdb*")) == [file]


# --- object stores -------------------------------------------------------------------------------------------------


def test_the_object_stores_snippet_reads_what_latest_json_names(
    from_bundle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From moto's server, an emulator of S3."""
    import boto3
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        root = from_bundle.current.parent
        for path in [root / "latest.json", *from_bundle.current.resolve().iterdir()]:
            client.upload_file(str(path), "bucket", f"prefix/v1/{path.relative_to(root)}")
        left: dict[str, Any] = {}
        exec(snippets()["Object stores"], left)  # noqa: S102
        assert left["current"].equals(published(from_bundle, "jgb_yields"))
        assert jgb_assets.read("jgb_yields", uri="s3://bucket/prefix", arrow=True).equals(left["current"])
        with pytest.raises(NotPublished, match="s3://bucket/elsewhere"):
            jgb_assets.read("jgb_yields", uri="s3://bucket/elsewhere")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


# --- jgb_assets.read -----------------------------------------------------------------------------------------------


@pytest.fixture
def place(from_bundle: Run) -> Path:
    return from_bundle.data_dir / "publish"


def test_read_is_called_as_it_was_promised() -> None:
    parameters = inspect.signature(jgb_assets.read).parameters
    assert list(parameters) == ["dataset", "as_of", "release", "uri", "arrow"]
    assert parameters["arrow"].kind is inspect.Parameter.KEYWORD_ONLY
    defaults = {name: parameter.default for name, parameter in parameters.items() if name != "dataset"}
    assert defaults == {"as_of": None, "release": "current", "uri": None, "arrow": False}


@pytest.mark.parametrize("dataset", DATASETS)
def test_read_gives_proper_types_and_the_values_of_the_file(from_bundle: Run, place: Path, dataset: str) -> None:
    expected = published(from_bundle, dataset)
    assert jgb_assets.read(dataset, uri=place, arrow=True).equals(expected)
    frame = jgb_assets.read(dataset, uri=place)
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.equals(pd.RangeIndex(expected.num_rows))
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        field.name: READ[field.type] for field in expected.schema
    }
    assert _read(frame)[1].equals(plain(expected))
    for name in (field.name for field in expected.schema if field.type == DATE):
        assert {type(value) for value in frame[name].dropna().head(10)} <= {date}


@pytest.mark.parametrize("dataset", [name for name, dataset in DATASETS.items() if dataset.known_at])
def test_as_of_knows_what_was_known_and_nothing_later(from_bundle: Run, place: Path, dataset: str) -> None:
    known_at = DATASETS[dataset].known_at
    table = published(from_bundle, dataset)
    instants = sorted(set(table.column(known_at).to_pylist()))
    some = [instants[0], instants[len(instants) // 2], instants[-1]]
    for as_of in [datetime.fromisoformat(SHOWN), *some, *(one - timedelta(microseconds=1) for one in some)]:
        expected = known_by(table, as_of, DATASETS[dataset])
        rows = jgb_assets.read(dataset, as_of, uri=place, arrow=True)
        assert rows.num_rows == expected.num_rows
        assert rows.equals(expected), as_of
        assert expected.num_rows == 0 or pc.max(rows.column(known_at)).as_py() <= as_of
        frame = jgb_assets.read(dataset, as_of, uri=place)
        assert len(frame) == rows.num_rows
        assert frame.index.equals(pd.RangeIndex(len(frame)))
        assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
            field.name: READ[field.type] for field in table.schema
        }
    assert jgb_assets.read(dataset, some[-1], uri=place, arrow=True).num_rows > 0
    assert jgb_assets.read(dataset, some[0] - timedelta(microseconds=1), uri=place).empty


def test_one_instant_is_one_view_however_it_is_written(place: Path) -> None:
    tokyo = timezone(timedelta(hours=9))
    written = [
        SHOWN,
        "2026-05-10T00:00:00+00:00",
        "2026-05-10T09:00:00+09:00",
        datetime(2026, 5, 10, tzinfo=UTC),
        datetime(2026, 5, 10, 9, tzinfo=tokyo),
        pd.Timestamp(SHOWN),
    ]
    counts = {len(jgb_assets.read("jgb_yields", as_of, uri=place)) for as_of in written}
    assert len(counts) == 1


@pytest.mark.parametrize(
    "as_of",
    ["2026-05-10T00:00:00", "2026-05-10", datetime(2026, 5, 10), pd.Timestamp("2026-05-10"), "yesterday"],  # noqa: DTZ001
)
def test_an_instant_without_an_offset_is_refused(place: Path, as_of: str | datetime) -> None:
    with pytest.raises(ValueError, match=r"2026-05-10|yesterday"):
        jgb_assets.read("jgb_yields", as_of, uri=place)


@pytest.mark.parametrize("dataset", [name for name, dataset in DATASETS.items() if not dataset.known_at])
def test_a_dataset_that_cannot_tell_is_refused_and_the_way_is_named(place: Path, dataset: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s){dataset}.*release="):
        jgb_assets.read(dataset, SHOWN, uri=place)


def test_what_is_not_published_is_told_with_what_is(from_bundle: Run, place: Path, tmp_path: Path) -> None:
    release_id = from_bundle.current.resolve().name
    with pytest.raises(NotPublished, match=r"(?s)jgb_yeilds.*jgb_yields"):
        jgb_assets.read("jgb_yeilds", uri=place)
    with pytest.raises(NotPublished, match=rf"(?s)20200101T000000Z-00000000.*{release_id}"):
        jgb_assets.read("jgb_yields", release="20200101T000000Z-00000000", uri=place)
    for elsewhere in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotPublished, match=re.escape(str(elsewhere))):
            jgb_assets.read("jgb_yields", uri=elsewhere)
    assert list(tmp_path.iterdir()) == []
    assert issubclass(NotPublished, LookupError)


@pytest.mark.parametrize("name", ["../current/jgb_yields", "jgb_yields.parquet", "", "*"])
def test_a_name_is_no_path(place: Path, name: str) -> None:
    with pytest.raises(NotPublished):
        jgb_assets.read(name, uri=place)
    with pytest.raises(NotPublished):
        jgb_assets.read("jgb_yields", release=name, uri=place)


def test_a_release_is_read_by_its_id(from_bundle: Run, tmp_path: Path) -> None:
    """An earlier release beside the current one, with the first thousand rows."""
    root, current = tmp_path / "v1", from_bundle.current.resolve()
    earlier = root / "releases" / "20260510T000000Z-00000000"
    earlier.mkdir(parents=True)
    for path in current.iterdir():
        (earlier / path.name).symlink_to(path)
    (earlier / "jgb_yields.parquet").unlink()
    pq.write_table(published(from_bundle, "jgb_yields").slice(0, 1000), earlier / "jgb_yields.parquet")
    (root / "releases" / current.name).symlink_to(current)
    (root / "current").symlink_to(f"releases/{current.name}")
    (root / "latest.json").write_bytes((from_bundle.current.parent / "latest.json").read_bytes())
    assert len(jgb_assets.read("jgb_yields", release=earlier.name, uri=tmp_path)) == 1000
    assert len(jgb_assets.read("jgb_yields", SHOWN, release=earlier.name, uri=tmp_path)) == 1000
    for of in ("current", current.name):
        rows = jgb_assets.read("jgb_yields", release=of, uri=tmp_path, arrow=True)
        assert rows.equals(published(from_bundle, "jgb_yields"))


def test_the_place_is_told_or_that_of_the_settings(from_bundle: Run, folder: Path, place: Path) -> None:
    expected = published(from_bundle, "reconciliations")
    for uri in (place, str(place), "data/publish", Path("data/publish")):
        assert jgb_assets.read("reconciliations", uri=uri, arrow=True).equals(expected)
    with environment(data_dir=from_bundle.data_dir):
        assert jgb_assets.read("reconciliations", arrow=True).equals(expected)
    with environment(data_dir=folder / "nothing", publish_uri=place):
        assert jgb_assets.read("reconciliations", arrow=True).equals(expected)
    with environment(data_dir=folder / "nothing"), pytest.raises(NotPublished, match="nothing"):
        jgb_assets.read("reconciliations")
    with environment(dtaa_dir="typo"), pytest.raises(SettingsError, match="JGB_DTAA_DIR"):
        jgb_assets.read("reconciliations")


def test_reading_writes_nothing(place: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in place.rglob("*")}
    jgb_assets.read("jgb_yields", SHOWN, uri=place)
    assert {path: path.lstat().st_mtime_ns for path in place.rglob("*")} == before
