"""What a command-line run shows: one line a stage on the terminal, everything in a file.

Belongs here: the logger of ``python -m jgb_assets``. Not here: what the UI shows.
"""

import logging
import sys
from pathlib import Path

import dagster as dg

LOGGER = "stages"
COMMAND_LINE = "jgb/command_line"  # the tag of runs of the command line
IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
WAS_READ = "was_read"  # the check that tells of a source that failed while the others went on


class _StageHandler(logging.Handler):
    """Prints how each stage ended. Failures go to stderr with their cause."""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            return
        if event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            seconds = event.event_specific_data.duration_ms / 1000
            print(f"  {event.step_key:<26} {seconds:6.1f} s", file=sys.__stdout__, flush=True)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.check_name == WAS_READ and not check.passed:
                print(f"  {event.step_key:<26} failed\n{check.description}", file=sys.__stderr__, flush=True)
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            print(f"  {event.step_key:<26} failed\n{cause(event)}", file=sys.__stderr__, flush=True)


def cause(event: dg.DagsterEvent) -> str:
    """The failure in words: a refusal's own, else the innermost error."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "no cause was recorded"


@dg.logger(
    config_schema={"file": dg.Field(str, description="Where the full log goes.")},
    description="One line a stage on the terminal, everything in a file.",
)
def stages(context: dg.InitLoggerContext) -> logging.Logger:
    """The logger of one run."""
    path = Path(context.logger_config["file"])
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.Logger(LOGGER, logging.DEBUG)
    everything = logging.FileHandler(path, encoding="utf-8")
    everything.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(everything)
    log.addHandler(_StageHandler())
    return log
