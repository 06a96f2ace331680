"""When Dagster asks the publishers: times on the wall clocks of Tokyo and New York, and what a tick decides."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._utils.schedules import schedule_execution_time_iterator

from jgb_assets.definitions import defs
from jgb_assets.defs.ingest import table_key
from jgb_assets.defs.jobs import NAMES
from jgb_assets.defs.landing import POLL, RAW_TABLES
from jgb_assets.defs.progress import COMMAND_LINE
from jgb_assets.defs.schedules import poll
from jgb_assets.landing.changelog import ChangeLogs, log_schema
from jgb_assets.landing.transport import INSTANT
from jgb_assets.landing.visits import Visits
from jgb_assets.settings import Settings
from jgb_assets.sources.base import TIMESTAMP
from jgb_assets.sources.calendars import tokyo_sessions
from jgb_assets.sources.registry import SOURCES
from tests.conftest import environment
from tests.pretend_web import PretendWeb

ARCHIVE = Settings()
LIVE = Settings(transport="live")
TOKYO, NEW_YORK = "Asia/Tokyo", "America/New_York"
ZONES = {
    "refresh_jgb_yields": TOKYO,
    "refresh_auctions": TOKYO,
    "refresh_tic": NEW_YORK,
    "refresh_ust_yields": NEW_YORK,
    "refresh_flows": TOKYO,
}
JOBS = pytest.mark.parametrize("job", ZONES)
WEDNESDAY = date(2026, 7, 15)


def ticks(job: str, since: str) -> Iterator[datetime]:
    """As Dagster's daemon would make them, from an instant on."""
    schedule = poll(job, LIVE)
    start = datetime.fromisoformat(since).timestamp()
    return schedule_execution_time_iterator(start, schedule.cron_schedule, schedule.execution_timezone)


def clock(job: str, day: date = WEDNESDAY) -> list[str]:
    """The hours and minutes of a day's ticks where the publisher is."""
    zone = ZoneInfo(ZONES[job])
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    local = (tick.astimezone(zone) for tick in islice(ticks(job, start.isoformat()), 100))
    return [f"{tick:%H:%M}" for tick in local if tick.date() == day]


def test_each_publishers_job_has_its_schedule_and_no_other_has() -> None:
    schedules = {schedule.job_name: schedule for schedule in defs.schedules or []}
    assert len(defs.schedules or []) == len(schedules)
    assert {job: schedule.execution_timezone for job, schedule in schedules.items()} == ZONES
    assert set(ZONES) == set(NAMES)
    assert {source for names in NAMES.values() for source in names} == set(SOURCES)


@pytest.mark.parametrize(
    ("job", "first", "also"),
    [
        ("refresh_jgb_yields", "09:40", {"10:10", "12:00"}),
        ("refresh_auctions", "12:40", {"15:20"}),
        ("refresh_tic", "16:20", {"16:35", "16:50", "17:05", "17:20"}),
        ("refresh_ust_yields", "18:30", {"19:00", "23:00"}),
        ("refresh_flows", "09:00", {"09:10", "10:00", "11:00"}),
    ],
)
def test_the_days_first_tick_comes_after_the_publisher_and_others_follow(job: str, first: str, also: set[str]) -> None:
    found = clock(job)
    assert found[0] == first
    assert also < set(found)


def test_tic_is_asked_each_quarter_of_an_hour_from_1620() -> None:
    found = [timedelta(hours=int(tick[:2]), minutes=int(tick[3:])) for tick in clock("refresh_tic")]
    assert {after - before for before, after in pairwise(found)} == {timedelta(minutes=15)}


@JOBS
def test_nothing_ticks_at_a_weekend(job: str) -> None:
    for day in (date(2026, 7, 18), date(2026, 7, 19)):
        assert clock(job, day) == []
    assert clock(job, date(2026, 7, 20)) == clock(job)


@pytest.mark.parametrize(
    ("job", "day", "instant"),
    [
        ("refresh_ust_yields", "2026-07-15", "22:30"),
        ("refresh_ust_yields", "2026-01-14", "23:30"),
        ("refresh_ust_yields", "2026-03-06", "23:30"),  # the last Friday of winter time
        ("refresh_ust_yields", "2026-03-09", "22:30"),
        ("refresh_ust_yields", "2026-10-30", "22:30"),
        ("refresh_ust_yields", "2026-11-02", "23:30"),
        ("refresh_tic", "2026-07-14", "20:20"),
        ("refresh_tic", "2026-01-15", "21:20"),
        ("refresh_jgb_yields", "2026-07-15", "00:40"),  # Tokyo has no summer time
        ("refresh_jgb_yields", "2026-01-14", "00:40"),
        ("refresh_auctions", "2026-07-15", "03:40"),
        ("refresh_flows", "2026-07-16", "00:00"),
    ],
)
def test_ticks_follow_the_publishers_clock_through_summer_and_winter(job: str, day: str, instant: str) -> None:
    midnight = datetime.combine(date.fromisoformat(day), time.min, ZoneInfo(ZONES[job]))
    first = next(ticks(job, midnight.isoformat())).astimezone(UTC)
    assert first == datetime.fromisoformat(f"{day}T{instant}:00+00:00")


@pytest.mark.parametrize("job", [job for job, zone in ZONES.items() if zone == NEW_YORK])
def test_where_the_clocks_change_no_tick_is_lost_or_doubled(job: str) -> None:
    """Two weeks around each change have ten days of the same ticks."""
    usual = clock(job)
    for since in ("2026-03-02T00:00:00-05:00", "2026-10-26T00:00:00-04:00"):
        zone = ZoneInfo(NEW_YORK)
        found = [tick.astimezone(zone) for tick in islice(ticks(job, since), 10 * len(usual))]
        assert [f"{tick:%H:%M}" for tick in found] == usual * 10
        assert (found[-1].date() - found[0].date()).days == 11


@JOBS
def test_schedules_run_by_themselves_only_where_publishers_can_be_asked(job: str) -> None:
    assert poll(job, LIVE).default_status == dg.DefaultScheduleStatus.RUNNING
    assert poll(job, ARCHIVE).default_status == dg.DefaultScheduleStatus.STOPPED


def test_a_rehearsal_sets_the_time_of_ticks_and_starts_only_what_the_test_starts(tmp_path: Path) -> None:
    world = PretendWeb("127.0.0.1:9", tmp_path / "none.pem").rehearse(tmp_path / "world.json", cron="* * * * *")
    schedule = poll("refresh_tic", Settings(transport="live", rehearsal=world))
    assert schedule.cron_schedule == "* * * * *"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


# --- what a tick decides -----------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    home, quiet = str(tmp_path_factory.mktemp("dagster")), {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(home, overrides=quiet) as of_all_tests:
        yield of_all_tests


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> dg.DagsterInstance:
    """Without runs."""
    for run in storage.get_runs():
        storage.delete_run(run.run_id)
    return storage


def keep(data: Path, source: str, **newest: str) -> None:
    """Change logs that end at these days, a row each; tables that are not named are empty."""
    for spec in SOURCES[source].tables:
        log = log_schema(spec).empty_table()
        if spec.name in newest:
            row = {field.name: SAMPLES.get(field.type) for field in log.schema}
            row |= {"change": "added", spec.observation_date or "auction_date": date.fromisoformat(newest[spec.name])}
            log = pa.Table.from_pylist([row], schema=log.schema)
        ChangeLogs(data / "changelog" / source).write(spec.name, log, "")


SAMPLES = {
    pa.string(): "x",
    pa.float64(): 1.0,
    pa.int16(): 1,
    pa.int32(): 1,
    pa.bool_(): True,
    TIMESTAMP: datetime(2026, 7, 1, tzinfo=UTC),
}


def tick(job: str, instance: dg.DagsterInstance) -> dg.RunRequest | str:
    """The run that is asked for, or why there is none."""
    schedule = defs.resolve_schedule_def(poll(job, LIVE).name)
    told = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    if not told.run_requests:
        assert told.skip_message
        return told.skip_message
    (request,) = told.run_requests
    assert told.skip_message is None
    return request


def live_tick(job: str, instance: dg.DagsterInstance, data: Path, now: str) -> dg.RunRequest | str:
    """At an instant of a rehearsed clock. No server answers: a tick asks nobody."""
    data.mkdir(parents=True, exist_ok=True)
    rehearsal = PretendWeb("127.0.0.1:9", data / "none.pem").rehearse(data / "world.json", now)
    with environment(data_dir=data, transport="live", rehearsal=rehearsal):
        return tick(job, instance)


FLOWS = {"week": "2026-08-01", "montha1": "2026-06-30", "monthb3": "2026-06-30"}
TIC = dict.fromkeys(("table5", "table3", "table1"), "2026-04-30")
# By job: what is here, an instant (of the wall clock there) at which something is due, and one at which nothing is.
DUE = [
    (
        "refresh_jgb_yields",
        {"mof_jgb_yields": {"yields": "2026-07-14"}},
        "2026-07-16T09:40+09:00",
        "2026-07-15T09:40+09:00",
    ),
    (
        "refresh_ust_yields",
        {"treasury_par_yields": {"yields": "2026-07-14"}},
        "2026-07-15T18:30-04:00",
        "2026-07-14T19:00-04:00",
    ),
    ("refresh_tic", {"treasury_tic": TIC}, "2026-07-14T16:20-04:00", "2026-07-13T16:20-04:00"),
    ("refresh_flows", {"mof_securities_flows": FLOWS}, "2026-08-10T09:00+09:00", "2026-08-07T09:00+09:00"),
    (
        "refresh_auctions",
        {
            "mof_jgb_auctions": {"auctions": "2026-06-30"},
            "mof_auction_pages": {"results": "2026-06-30", "calendar": "2026-07-15"},
        },
        "2026-08-03T12:40+09:00",  # August's calendar is not here
        "2026-07-14T12:40+09:00",
    ),
]


@pytest.mark.parametrize(("job", "here", "due", "not_due"), DUE, ids=[job for job, *_ in DUE])
def test_a_tick_asks_for_a_run_when_something_is_due_and_says_why_it_does_not(
    job: str,
    here: dict[str, dict[str, str]],
    due: str,
    not_due: str,
    data: Path,
    instance: dg.DagsterInstance,
) -> None:
    for source, newest in here.items():
        keep(data, source, **newest)
    request = live_tick(job, instance, data, due)
    assert isinstance(request, dg.RunRequest)
    assert set(request.tags[POLL].split(", ")) <= set(here)
    why = live_tick(job, instance, data, not_due)
    assert isinstance(why, str)
    for source in NAMES[job]:
        assert source in why
    assert "2026-" in why  # until when


@JOBS
def test_a_data_folder_with_nothing_in_it_is_filled_by_the_first_tick(
    job: str, data: Path, instance: dg.DagsterInstance
) -> None:
    request = live_tick(
        job, instance, data, "2026-07-15T12:40+09:00" if ZONES[job] == TOKYO else "2026-07-15T16:20-04:00"
    )
    assert isinstance(request, dg.RunRequest)
    assert request.tags[POLL] == ", ".join(NAMES[job])
    assert list(data.iterdir()) == [data / "world.json"]  # a tick writes nothing


def test_on_a_holiday_a_tick_says_that_nobody_publishes(data: Path, instance: dg.DagsterInstance) -> None:
    keep(data, "mof_jgb_yields", yields="2026-07-01")  # long overdue
    why = live_tick("refresh_jgb_yields", instance, data, "2026-07-20T09:40+09:00")
    assert isinstance(why, str)
    assert "2026-07-20" in why
    assert "Ministry of Finance" in why


def test_only_the_source_that_is_due_is_named(data: Path, instance: dg.DagsterInstance) -> None:
    keep(data, "mof_jgb_auctions", auctions="2026-05-29")  # the workbook is older than it ever was
    keep(data, "mof_auction_pages", results="2026-07-09", calendar="2026-07-31")
    request = live_tick("refresh_auctions", instance, data, "2026-07-15T15:20+09:00")
    assert isinstance(request, dg.RunRequest)
    assert request.tags[POLL] == "mof_jgb_auctions"


def a_run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus, **tags: str) -> str:
    """The id of a run of a job of that name, as the daemon would have started it."""

    @dg.op
    def nothing() -> None:
        pass

    @dg.job(name=job)
    def of_that_name() -> None:
        nothing()

    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("jgb_assets"), "__repository__"), job)
    return instance.create_run_for_job(of_that_name, status=status, tags=tags, remote_job_origin=origin).run_id


@pytest.mark.parametrize("status", ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_while_a_run_of_the_job_is_under_way_no_second_one_is_asked_for(
    status: str, data: Path, instance: dg.DagsterInstance
) -> None:
    run_id = a_run(instance, "refresh_jgb_yields", dg.DagsterRunStatus(status))
    why = live_tick("refresh_jgb_yields", instance, data, "2026-07-15T09:40+09:00")
    assert isinstance(why, str)
    assert run_id in why
    other = live_tick("refresh_flows", instance, data, "2026-07-15T09:40+09:00")
    assert isinstance(other, dg.RunRequest)


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "CANCELED"])
def test_a_run_that_has_ended_stops_no_other(status: str, data: Path, instance: dg.DagsterInstance) -> None:
    a_run(instance, "refresh_jgb_yields", dg.DagsterRunStatus(status))
    request = live_tick("refresh_jgb_yields", instance, data, "2026-07-15T09:40+09:00")
    assert isinstance(request, dg.RunRequest)


def test_a_command_line_that_was_killed_stops_no_schedule(data: Path, instance: dg.DagsterInstance) -> None:
    """Nobody ends its run but the next command line."""
    a_run(instance, "refresh_jgb_yields", dg.DagsterRunStatus.STARTED, **{COMMAND_LINE: "true"})
    request = live_tick("refresh_jgb_yields", instance, data, "2026-07-15T09:40+09:00")
    assert isinstance(request, dg.RunRequest)


# --- an archive ----------------------------------------------------------------------------------------------------


FIRST, LATER = datetime(2026, 7, 1, 0, 35, tzinfo=UTC), datetime(2026, 7, 3, 0, 35, tzinfo=UTC)


def archive_tick(
    job: str, instance: dg.DagsterInstance, data: Path, *instants: datetime, **more: str
) -> dg.RunRequest | str:
    archive = data.parent / "archive"
    for instant in instants:
        (archive / instant.strftime(INSTANT)).mkdir(parents=True, exist_ok=True)
    with environment(data_dir=data, archive_dir=archive, **more):
        return tick(job, instance)


def test_an_archive_is_read_again_when_it_has_a_later_instant(data: Path, instance: dg.DagsterInstance) -> None:
    job, visits = "refresh_jgb_yields", Visits(data / "visits")
    assert isinstance(archive_tick(job, instance, data, FIRST), dg.RunRequest)
    visits.went_well("mof_jgb_yields", FIRST, "a run", {})
    why = archive_tick(job, instance, data, FIRST)
    assert isinstance(why, str)
    assert "2026-07-01" in why
    request = archive_tick(job, instance, data, LATER)
    assert isinstance(request, dg.RunRequest)
    assert POLL in request.tags
    visits.went_well("mof_jgb_yields", LATER, "a run", {})
    assert isinstance(archive_tick(job, instance, data), str)


def test_an_instant_after_the_day_that_is_looked_at_is_no_later_one(data: Path, instance: dg.DagsterInstance) -> None:
    Visits(data / "visits").went_well("mof_jgb_yields", FIRST, "a run", {})
    as_of = "2026-07-02T00:00:00Z"
    assert isinstance(archive_tick("refresh_jgb_yields", instance, data, FIRST, LATER, as_of=as_of), str)


def test_an_archive_is_read_again_while_one_source_of_the_job_was_not(data: Path, instance: dg.DagsterInstance) -> None:
    job, visits = "refresh_auctions", Visits(data / "visits")
    visits.went_well("mof_jgb_auctions", LATER, "a run", {})
    assert isinstance(archive_tick(job, instance, data, LATER), dg.RunRequest)
    visits.went_well("mof_auction_pages", FIRST, "a run", {})
    assert isinstance(archive_tick(job, instance, data, LATER), dg.RunRequest)
    visits.went_well("mof_auction_pages", LATER, "a run", {})
    assert isinstance(archive_tick(job, instance, data, LATER), str)


# --- how old a table may get ----------------------------------------------------------------------------------------


def windows(source: str, table: str) -> tuple[timedelta, timedelta]:
    """From when on Dagster warns, and calls it failed, that a table was not brought up to date."""
    (spec,) = (one for one in defs.resolve_all_asset_specs() if one.key == table_key(SOURCES[source], table))
    policy = spec.freshness_policy
    assert policy is not None
    return policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta()


def test_every_raw_table_has_a_freshness_policy() -> None:
    policies = {spec.key: spec.freshness_policy for spec in defs.resolve_all_asset_specs()}
    assert len(RAW_TABLES) == sum(len(source.tables) for source in SOURCES.values())
    assert [key for key in RAW_TABLES if policies[key] is None] == []


def test_no_holidays_would_have_made_the_yields_look_forgotten() -> None:
    """They are brought up to date on each session, in the morning or hours later."""
    sessions = tokyo_sessions(date(2015, 1, 1), date(2027, 12, 31))
    longest = max(after - before for before, after in pairwise(sessions))
    assert longest == timedelta(days=11)  # in 2019
    warn, fail = windows("mof_jgb_yields", "yields")
    assert longest + timedelta(hours=9) <= warn < fail


def test_no_pause_between_tic_releases_of_2026_makes_it_look_forgotten() -> None:
    days = [
        *((2026, 1, 15), (2026, 2, 18), (2026, 3, 18), (2026, 4, 15), (2026, 5, 18), (2026, 6, 18)),
        *((2026, 7, 14), (2026, 8, 17), (2026, 9, 16), (2026, 10, 16), (2026, 11, 18), (2026, 12, 15)),
    ]
    longest = max(date(*after) - date(*before) for before, after in pairwise(days))
    for table in ("table5", "table3", "table1", "mfhhis01"):
        warn, fail = windows("treasury_tic", table)
        assert longest < warn < fail
