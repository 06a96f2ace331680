"""When each publisher is asked: the times of its sources, in its zone, on days on which something is due.

Belongs here: schedules over the jobs. Not here: when a source is due (``Source.due``).
"""

import dagster as dg

import jgb_assets.clock
from jgb_assets.defs.jobs import NAMES
from jgb_assets.defs.landing import POLL, is_released, landed_ledger, never_landed
from jgb_assets.defs.progress import COMMAND_LINE, IN_PROGRESS
from jgb_assets.defs.world import World
from jgb_assets.settings import Settings
from jgb_assets.sources.registry import SOURCES


def poll(job: str, settings: Settings) -> dg.ScheduleDefinition:
    """The schedule of a job. It runs by itself only where the transport is live, and the world is real."""
    sources = [SOURCES[name] for name in NAMES[job]]
    (zone,) = {source.zone.key for source in sources}
    times = sorted({cron for source in sources for cron in source.polls})
    rehearsed = settings.rehearsed
    by_itself = settings.transport == "live" and rehearsed is None

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        running = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_PROGRESS))
        # Of a killed command line nobody knows that it ended; one that lives is waited for by the run itself.
        if ours := [run.run_id for run in running if COMMAND_LINE not in run.tags]:
            return dg.SkipReason(f"run {ours[0]} of {job} is still under way")
        world = World()
        if world.settings.transport == "archive":
            return _of_archive(world, job)
        now = jgb_assets.clock.now()
        verdicts = {source.name: source.due(now, world.tables(source)) for source in sources}
        due = {name: verdict.why for name, verdict in verdicts.items() if verdict.is_due}
        if due:
            return dg.RunRequest(tags={POLL: ", ".join(due)})
        is_first = not world.settings.published_inputs_path.is_file()
        if not (is_released(world.settings, landed_ledger(world)) or (is_first and never_landed(world))):
            # A release failed, or its run was killed: the world may be better now, but not every few minutes.
            return dg.RunRequest(run_key=f"unreleased {now:%Y-%m-%dT%H}", tags={POLL: "what landed is in no release"})
        return dg.SkipReason("; ".join(f"{name}: {verdict.why}" for name, verdict in verdicts.items()))

    return dg.ScheduleDefinition(
        name=f"poll_{job.removeprefix('refresh_')}",
        job_name=job,
        cron_schedule=(rehearsed and rehearsed.cron) or times,
        execution_timezone=zone,
        execution_fn=evaluate,
        default_status=dg.DefaultScheduleStatus.RUNNING if by_itself else dg.DefaultScheduleStatus.STOPPED,
        description=f"{'; '.join(source.publication for source in sources)}. Asks until what is due is there.",
    )


def _of_archive(world: World, job: str) -> dg.RunRequest | dg.SkipReason:
    """An archive has what it has: it is read again when it has a later instant."""
    instants = world.transport().instants()
    visits = [visit for name in NAMES[job] if (visit := world.visits().last(name))]
    if len(visits) == len(NAMES[job]) and (not instants or min(visit.at for visit in visits) >= instants[-1]):
        return dg.SkipReason(f"the archive has no instant after {instants[-1] if instants else 'JGB_AS_OF'}")
    return dg.RunRequest(tags={POLL: "a later instant of the archive"})


@dg.definitions
def schedules() -> dg.Definitions:
    """One for each job of a publisher's sources."""
    settings = Settings.from_environment()
    return dg.Definitions(schedules=[poll(job, settings) for job in NAMES])
