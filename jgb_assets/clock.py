"""The wall clock: the present of a live run, and when a person did something to the releases. Tests set it.

Belongs here: the one reading of the present. Not here: the clock of a run, which is its transport's.
"""

from datetime import UTC, datetime

from jgb_assets.settings import Settings


def now() -> datetime:
    """This instant, UTC; in a rehearsal the one that it sets."""
    rehearsed = Settings.from_environment().rehearsed
    return rehearsed.now.astimezone(UTC) if rehearsed and rehearsed.now else datetime.now(UTC)
