"""What needs a person, after each run: from the run's own events, the visits to the sources, and the new release.

Belongs here: what is worth telling of a run. Not here: how it is told, and that it is told once (``alerts``).
"""

import hashlib
from functools import partial
from typing import Any

import dagster as dg

import jgb_assets.clock
from jgb_assets.alerts import Alerts, NotTaken, webhook
from jgb_assets.defs.ingest import AS_USUAL, IS_FRESH, step_of
from jgb_assets.defs.progress import COMMAND_LINE, WAS_READ, cause
from jgb_assets.defs.publish import RELEASE
from jgb_assets.defs.status import STATUS_STEP
from jgb_assets.defs.world import World
from jgb_assets.extracts.news import news_of
from jgb_assets.extracts.store import store_at
from jgb_assets.settings import Settings
from jgb_assets.sources.registry import SOURCES

EVENTS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
}
SHOWN_ROWS = 3
OF_SOURCES = {WAS_READ, IS_FRESH}  # checks whose causes the sources tell


def tell_of_run(instance: dg.DagsterInstance, run_id: str, settings: Settings) -> str | None:
    """Tell the webhook, if there is one, of a run that has ended. Returns why that could not be done."""
    if settings.alert_webhook is None:
        return None
    alerts = Alerts(settings.alerts_path, webhook(settings.alert_webhook))
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return None
    run, ended = record.dagster_run, record.end_time or jgb_assets.clock.now().timestamp()
    events = [
        entry.dagster_event for entry in instance.all_logs(run_id, of_type=EVENTS) if entry.dagster_event is not None
    ]
    problem = None
    for tell in (
        partial(alerts.settle, *_of_job(run, events), ended),
        partial(alerts.settle, *_of_checks(events), ended),
        partial(alerts.settle, *_of_sources(World())),
        partial(alerts.tell, _unusual(events) | _of_release(events, settings)),
    ):
        try:
            tell()
            problem = None
        except NotTaken as error:  # it is noted all the same, and so is what comes after it
            problem = f"the alert webhook did not take a message ({error}); it is told with the next"
    return problem


def _of_job(run: dg.DagsterRun, events: list[dg.DagsterEvent]) -> tuple[set[str], dict[str, str]]:
    """A failed run, but for steps whose cause is told of by itself: that of a failed check, or of its sources."""
    key = f"run/{run.job_name}"
    visits = {name: visit for name in SOURCES if (visit := World().visits().last(name))}
    of_sources = {step_of(name) for name, visit in visits.items() if visit.failed_in(run.run_id)}
    told = {STATUS_STEP, *of_sources, *(event.step_key for event in events if _failed_check(event))}
    failures = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    causes = [f"{event.step_key}: {cause(event)}" for event in failures if event.step_key not in told]
    if run.status == dg.DagsterRunStatus.SUCCESS or (failures and not causes):
        return {key}, {}
    word = "canceled" if run.status == dg.DagsterRunStatus.CANCELED else "failed"
    return {key}, {key: f"Run {word}: {run.job_name}. {'; '.join(causes)}".rstrip(". ") + "."}


def _of_checks(events: list[dg.DagsterEvent]) -> tuple[set[str], dict[str, str]]:
    judged, causes = set(), {}
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.check_name in {AS_USUAL, *OF_SOURCES}:
                continue
            key = f"check/{check.asset_key.to_user_string()}/{check.check_name}"
            judged.add(key)
            if _failed_check(event):
                found = "; ".join(filter(None, map(_shown, check.metadata.items())))
                causes[key] = f"Check failed: {check.check_name} of {check.asset_key.to_user_string()}. {found}".strip()
    return judged, causes


def _failed_check(event: dg.DagsterEvent) -> bool:
    if event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return False
    check = event.asset_check_evaluation_data
    is_error = check.severity == dg.AssetCheckSeverity.ERROR and not check.passed
    return is_error and check.check_name not in {AS_USUAL, *OF_SOURCES}


def _shown(entry: tuple[str, dg.MetadataValue[Any]]) -> str:
    """What a check found: in words, or as the first rows that fail."""
    name, value = entry
    if name == "found":
        return str(value.value)
    if name == "failing_rows" and isinstance(value, dg.TableMetadataValue):
        rows = (
            ", ".join(f"{column} {cell}" for column, cell in row.data.items()) for row in value.records[:SHOWN_ROWS]
        )
        return "; ".join(rows)
    return ""


def _of_sources(world: World) -> tuple[set[str], dict[str, str]]:
    judged, causes = set(), {}
    for name, source in SOURCES.items():
        judged.add(f"source/{name}")
        visit = world.visits().last(name)
        if visit and visit.failing and not visit.failing.is_waiting:
            causes[f"source/{name}"] = (
                f"Source failing: {name} since {visit.failing.since:%Y-%m-%d %H:%MZ}. {visit.failing.why}"
            )
        newest = source.newest(world.tables(source))
        standing = source.standing(newest, world.transport().now())
        if standing in ("late", "stale"):
            days = ", ".join(f"{table} {day}" for table, day in newest.items() if day)
            causes[f"{standing}/{name}"] = f"Source {standing}: {name}; newest {days}."
        else:  # what was late and is stale now is still late
            judged |= {f"late/{name}", f"stale/{name}"}
    return judged, causes


def _unusual(events: list[dg.DagsterEvent]) -> dict[str, str]:
    news = {}
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.check_name == AS_USUAL and not check.passed:
                text = f"Unusual in {check.asset_key.path[0]}: " + "; ".join(
                    str(value.value) for value in check.metadata.values()
                )
                news[f"unusual/{hashlib.sha256(text.encode()).hexdigest()[:16]}"] = text
    return news


def _of_release(events: list[dg.DagsterEvent], settings: Settings) -> dict[str, str]:
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key == RELEASE:
            metadata = event.step_materialization_data.materialization.metadata
            if metadata["is_new"].value:
                return news_of(store_at(settings.publish_location), str(metadata["release_id"].value))
    return {}


def _told_by_sensor(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    if COMMAND_LINE in context.dagster_run.tags:
        return dg.SkipReason("the command line tells of its own runs")
    settings = Settings.from_environment()
    if settings.alert_webhook is None:
        return dg.SkipReason("JGB_ALERT_WEBHOOK is not set")
    problem = tell_of_run(context.instance, context.dagster_run.run_id, settings)
    if problem:
        raise RuntimeError(problem)
    return None


@dg.definitions
def sensors() -> dg.Definitions:
    """One for each way in which a run ends."""
    return dg.Definitions(
        sensors=[
            dg.RunStatusSensorDefinition(
                name=f"alerts_on_{status.value.lower()}",
                run_status=status,
                run_status_sensor_fn=_told_by_sensor,
                default_status=dg.DefaultSensorStatus.RUNNING,
                description="Tells JGB_ALERT_WEBHOOK what needs a person, once per cause, and when the cause is gone.",
            )
            for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
        ]
    )
