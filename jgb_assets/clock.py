"""The wall clock: when a person did something to the published releases. Tests set it.

Belongs here: the one reading of the present. Not here: the clock of a run, which is its transport's.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, UTC."""
    return datetime.now(UTC)
