"""What is told of a run that has ended: its failure, its checks, its sources and its release, each once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from jgb_assets.alerts import Alerts
from jgb_assets.defs.alerts import sensors, tell_of_run
from jgb_assets.defs.ingest import AS_USUAL, IS_FRESH, ingest_assets
from jgb_assets.defs.progress import COMMAND_LINE, WAS_READ
from jgb_assets.defs.publish import RELEASE
from jgb_assets.defs.status import STATUS_STEP
from jgb_assets.defs.world import World
from jgb_assets.landing.changelog import ChangeLogs, log_schema
from jgb_assets.landing.transport import INSTANT
from jgb_assets.landing.visits import Visits
from jgb_assets.settings import Settings
from jgb_assets.sources.base import TIMESTAMP
from jgb_assets.sources.mof_jgb_yields import YIELDS
from jgb_assets.sources.registry import SOURCES
from tests.conftest import environment
from tests.unit.test_alerts import BEFORE, Channel, holding, releases, slack, with_more

TUESDAY, THURSDAY = datetime(2026, 6, 30, 1, tzinfo=UTC), datetime(2026, 7, 2, 1, tzinfo=UTC)
AT_FAULT = "mof_jgb_yields"
HISTORY = "www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    home = str(tmp_path_factory.mktemp("dagster"))
    # nobody reads what the steps print: capturing it takes four processes a run
    unheard = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
    quiet = {"telemetry": {"enabled": False}, "compute_logs": unheard}
    with dg.DagsterInstance.local_temp(home, overrides=quiet) as of_all_tests:
        yield of_all_tests


@pytest.fixture
def channel() -> Iterator[Channel]:
    with slack() as open_channel:
        yield open_channel


@pytest.fixture
def told_to(channel: Channel, tmp_path: Path) -> Iterator[Settings]:
    """A data folder of its own, an archive whose only instant is a Tuesday morning, and the webhook."""
    (tmp_path / "archive" / TUESDAY.strftime(INSTANT)).mkdir(parents=True)
    with environment(data_dir=tmp_path / "data", archive_dir=tmp_path / "archive", alert_webhook=channel.url):
        yield Settings.from_environment()


def ran(instance: dg.DagsterInstance, job: str = "refresh_tic", why: str | None = None, **tags: str) -> str:
    """The id of a run that has ended: it failed, if there is a reason."""

    @dg.op
    def work() -> None:
        if why:
            raise dg.Failure(why)

    @dg.job(name=job)
    def of_that_name() -> None:
        work()

    return of_that_name.execute_in_process(instance=instance, raise_on_error=False, tags=tags).run_id


def checked(instance: dg.DagsterInstance, *found: dg.AssetCheckResult, why: str | None = None) -> str:
    """The id of a run in which a table was checked, and then failed, if there is a reason."""
    specs = [dg.AssetCheckSpec(result.check_name or "", asset="jgb_yields") for result in found]

    @dg.multi_asset(name="dbt", specs=[dg.AssetSpec("jgb_yields")], check_specs=specs)
    def dbt() -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="jgb_yields")
        yield from found
        if why:
            raise dg.Failure(why)

    return dg.materialize([dbt], instance=instance, raise_on_error=False).run_id


def tell(instance: dg.DagsterInstance, run_id: str) -> None:
    assert tell_of_run(instance, run_id, Settings.from_environment()) is None


def check(name: str, *, passed: bool = False, severity: str = "ERROR", **metadata: object) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=dg.AssetCheckSeverity(severity), metadata=metadata
    )


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_failed_run_is_told_with_its_cause_once_until_the_job_succeeds(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    for _ in range(2):
        tell(instance, ran(instance, why="no space left on device"))
    (text,) = channel.take()
    for said in ("Run failed", "refresh_tic", "work", "no space left on device"):
        assert said in text
    tell(instance, ran(instance, "refresh_flows"))
    assert channel.take() == []  # another job's success is none of this one's
    tell(instance, ran(instance))
    tell(instance, ran(instance))
    assert channel.take() == [f"Recovered: {text}"]


def test_without_an_address_nothing_is_told_or_noted(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings, tmp_path: Path
) -> None:
    Visits(told_to.visits_dir).failed(AT_FAULT, TUESDAY, "a run", "refused", is_waiting=False)
    run_id = ran(instance, why="no space left on device")
    with environment(data_dir=told_to.data_dir, archive_dir=told_to.archive_dir):
        assert tell_of_run(instance, run_id, Settings.from_environment()) is None
    assert channel.take() == []
    assert not told_to.alerts_path.exists()


def test_the_older_of_two_runs_does_not_reopen_what_the_newer_has_ended(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    """Each way to end has a sensor of its own: that of successes may come first."""
    failed = ran(instance, "refresh_flows", why="no space left on device")
    succeeded = ran(instance, "refresh_flows")
    tell(instance, succeeded)
    tell(instance, failed)
    assert [text for text in channel.take() if text.startswith("Run failed")] == []


# --- checks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", [None, "a check failed"], ids=["the run goes on", "the run fails"])
def test_a_failed_check_is_told_once_with_what_it_found(
    why: str | None, instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    bad = check("is_fit_to_publish", found="jgb_yields: 300 of 600 rows are gone")
    for _ in range(2):
        tell(instance, checked(instance, bad, why=why))
    (text,) = channel.take()
    for said in ("Check failed", "is_fit_to_publish", "jgb_yields", "300 of 600 rows are gone"):
        assert said in text
    tell(instance, checked(instance, check("is_fit_to_publish", passed=True)))
    assert channel.take() == [f"Recovered: {text}"]


def test_rows_that_fail_are_shown_a_few_of_them(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    rows = [dg.TableRecord({"obs_date": f"2026-06-{day}", "yield_pct": 99.5}) for day in range(10, 30)]
    schema = dg.TableSchema([dg.TableColumn("obs_date"), dg.TableColumn("yield_pct")])
    found = dg.MetadataValue.table(rows, schema)
    tell(instance, checked(instance, check("is_as_described", failing_rows=found)))
    (text,) = channel.take()
    assert "obs_date 2026-06-10, yield_pct 99.5" in text
    assert "2026-06-20" not in text


@pytest.mark.parametrize(
    "result",
    [
        check("is_plausible", severity="WARN"),
        check("is_plausible", passed=True),
        check(WAS_READ),  # their sources tell of these
        check(IS_FRESH),
    ],
    ids=["warning", "passed", WAS_READ, IS_FRESH],
)
def test_other_checks_are_no_cause(
    result: dg.AssetCheckResult, instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    tell(instance, checked(instance, result))
    assert channel.take() == []


def test_a_check_that_was_not_run_has_not_recovered(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    tell(instance, checked(instance, check("is_fit_to_publish")))
    assert len(channel.take()) == 1
    tell(instance, checked(instance, check("is_sorted", passed=True)))
    assert channel.take() == []


def test_what_is_unusual_is_told_once_as_news(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    odd = check(AS_USUAL, severity="WARN", warning_1="20Y moved 31 bp on 2026-06-25")
    for result in (odd, odd, check(AS_USUAL, passed=True), odd):
        tell(instance, checked(instance, result))
    (text,) = channel.take()
    assert "20Y moved 31 bp on 2026-06-25" in text


# --- sources ---------------------------------------------------------------------------------------------------------


def test_a_source_that_fails_is_told_by_its_visit_and_its_recovery_too(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    visits = Visits(told_to.visits_dir)
    visits.failed(AT_FAULT, TUESDAY, "a run", "SourceRejected: 14 columns", is_waiting=False)
    tell(instance, ran(instance))
    visits.failed(AT_FAULT, THURSDAY, "a run", "SourceRejected: 13 columns", is_waiting=False)
    tell(instance, ran(instance))
    (text,) = channel.take()
    for said in ("Source failing", AT_FAULT, "2026-06-30 01:00", "14 columns"):
        assert said in text
    visits.went_well(AT_FAULT, THURSDAY, "a run", {})
    tell(instance, ran(instance))
    assert channel.take() == [f"Recovered: {text}"]


def test_a_release_that_is_not_all_out_is_waited_for_in_silence(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    Visits(told_to.visits_dir).failed("treasury_tic", TUESDAY, "a run", "ReleaseIncomplete", is_waiting=True)
    tell(instance, ran(instance))
    assert channel.take() == []


def test_the_verdict_on_a_runs_sources_is_not_told_beside_them(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    Visits(told_to.visits_dir).failed(AT_FAULT, TUESDAY, "a run", "SourceRejected: 14 columns", is_waiting=False)

    @dg.op(name=STATUS_STEP)
    def status() -> None:
        raise dg.Failure(f"{AT_FAULT} could not be read")

    @dg.job(name="refresh_jgb_yields")
    def refresh() -> None:
        status()

    tell(instance, refresh.execute_in_process(instance=instance, raise_on_error=False).run_id)
    (text,) = channel.take()
    assert text.startswith("Source failing")


def test_a_source_that_fails_at_its_first_landing_is_told_once(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    """Then the run fails, because a first release is whole: of one cause there is one message."""
    page = told_to.archive_dir / TUESDAY.strftime(INSTANT) / HISTORY
    page.parent.mkdir(parents=True)
    page.write_text("<!DOCTYPE html><html><body>Under maintenance</body></html>")
    done = dg.materialize(
        [ingest_assets(SOURCES[AT_FAULT])], instance=instance, resources={"world": World()}, raise_on_error=False
    )
    assert not done.success
    tell(instance, done.run_id)
    told = channel.take()
    assert [AT_FAULT in text for text in told] == [True]


def keep_yields(data: Path, *days: date) -> None:
    """A change log of one cell a day; what else its columns hold does not matter."""
    schema = log_schema(YIELDS)
    some = {pa.string(): "added", pa.float64(): 2.5, pa.int16(): 10, pa.int32(): 1, TIMESTAMP: TUESDAY}
    rows = [{field.name: some.get(field.type, day) for field in schema} for day in days]
    ChangeLogs(data / "changelog" / AT_FAULT).write(
        YIELDS.name, pa.Table.from_pylist(rows, schema=schema), "no snapshot"
    )


def test_a_source_that_is_late_is_told_once_and_when_it_is_not_any_more(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    """On Tuesday morning the row of Monday is due; those of Thursday and Friday are missing too."""
    thursday, monday = date(2026, 6, 24), date(2026, 6, 29)
    keep_yields(told_to.data_dir, thursday)
    for _ in range(2):
        tell(instance, ran(instance))
    (text,) = channel.take()
    for said in ("Source late", AT_FAULT, "2026-06-24"):
        assert said in text
    keep_yields(told_to.data_dir, thursday, monday)
    tell(instance, ran(instance))
    assert channel.take() == [f"Recovered: {text}"]


def test_one_session_that_is_missing_is_not_told_yet(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    keep_yields(told_to.data_dir, date(2026, 6, 26))
    tell(instance, ran(instance))
    assert channel.take() == []


# --- a release -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_new", [True, False])
def test_the_news_of_a_new_release_are_told_once(
    is_new: bool, instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    april = with_more(tic_holdings=[holding("2026-04-30", 1209.9, 18.3)])
    store, release_id = releases(Path(told_to.publish_location), BEFORE, april)
    assert store.current() == release_id

    @dg.asset(key=RELEASE)
    def release() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(metadata={"release_id": release_id, "is_new": is_new})

    run_id = dg.materialize([release], instance=instance).run_id
    for _ in range(2):
        tell(instance, run_id)
    told = channel.take()
    assert ["New TIC month 2026-04" in text for text in told] == ([True] if is_new else [])


# --- where the webhook does not take it ------------------------------------------------------------------------------


def test_a_webhook_that_is_down_is_said_and_the_cause_told_after_the_next_run(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    channel.answers = [503] * 4  # as often as it is tried after one run
    problem = tell_of_run(instance, ran(instance, why="no space left on device"), told_to)
    assert problem is not None
    assert "503" in problem
    assert channel.take() == []
    tell(instance, ran(instance, why="no space left on device"))
    assert len(channel.take()) == 1


def test_news_that_the_webhook_did_not_take_are_told_after_the_next_run(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    """They happened in a run that does not happen again."""
    odd = checked(instance, check(AS_USUAL, severity="WARN", warning_1="20Y moved 31 bp on 2026-06-25"))
    channel.answers = [503]
    assert tell_of_run(instance, odd, told_to) is not None
    tell(instance, ran(instance))
    assert ["20Y moved 31 bp" in text for text in channel.take()] == [True]


# --- sensors ---------------------------------------------------------------------------------------------------------


def sensor_of(status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    (found,) = (sensor for sensor in sensors().sensors or [] if sensor.name == f"alerts_on_{status.value.lower()}")
    return found


def looks(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, cursor: str | None) -> str | None:
    """One look of the sensor, from where the last one ended; where it ends. As Dagster's daemon does it."""
    return sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor)).cursor


def test_there_is_a_sensor_for_each_way_in_which_a_run_ends_and_it_runs_by_itself() -> None:
    ends = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    assert {sensor_of(status).default_status for status in ends} == {dg.DefaultSensorStatus.RUNNING}


def test_a_sensor_tells_of_a_run_and_the_command_line_of_its_own(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    sensor = sensor_of(dg.DagsterRunStatus.FAILURE)
    cursor = looks(sensor, instance, None)
    ran(instance, why="by hand", **{COMMAND_LINE: "true"})
    cursor = looks(sensor, instance, cursor)
    assert channel.take() == []
    ran(instance, why="by the schedule")
    looks(sensor, instance, cursor)
    (text,) = channel.take()
    assert "by the schedule" in text


def test_a_sensor_loses_nothing_that_the_webhook_did_not_take(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    """Dagster's daemon keeps the cursor of a run status sensor even where its look failed: it never comes again."""
    sensor = sensor_of(dg.DagsterRunStatus.SUCCESS)
    cursor = looks(sensor, instance, None)
    checked(instance, check(AS_USUAL, severity="WARN", warning_1="20Y moved 31 bp on 2026-06-25"))
    channel.answers = [503]
    cursor = looks(sensor, instance, cursor)
    assert channel.take() == []
    ran(instance)
    for _ in range(2):
        cursor = looks(sensor, instance, cursor)
    assert ["20Y moved 31 bp" in text for text in channel.take()] == [True]


def test_what_was_told_can_be_read_where_the_settings_say(
    instance: dg.DagsterInstance, channel: Channel, told_to: Settings
) -> None:
    tell(instance, ran(instance, why="no space left on device"))
    assert len(channel.take()) == 1
    Alerts(told_to.alerts_path, channel.texts.append).settle({"run/refresh_tic"}, {})
    assert [text.partition(":")[0] for text in channel.take()] == ["Recovered"]
