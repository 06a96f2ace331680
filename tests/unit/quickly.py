"""A limit on the processor time that something takes: what is read in proportion to its length, not to its square."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 2.0  # as much as any file may take; what is read over and over takes minutes


@contextmanager
def quickly() -> Iterator[None]:
    started = time.process_time()
    yield
    assert time.process_time() - started < SECONDS
