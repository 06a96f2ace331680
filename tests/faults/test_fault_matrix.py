"""The table of ``docs/reliability.md`` has a row for each fault that is tested, and for no other."""

import re
from collections.abc import Callable
from types import ModuleType

from jgb_assets.landing import live, web
from jgb_assets.settings import REPOSITORY
from tests.faults import (
    test_fault_content,
    test_fault_disk,
    test_fault_runs,
    test_fault_wire,
    test_interruptions,
    test_publishers,
)

DOCUMENT = REPOSITORY / "docs" / "reliability.md"
MODULES = (test_fault_wire, test_fault_content, test_fault_disk, test_fault_runs)
ELSEWHERE: dict[str, Callable[..., None]] = {  # they were there before the matrix
    "SIGKILL while dbt builds": test_interruptions.test_a_run_killed_while_dbt_builds_leaves_nothing_that_stops_the_next,
    "SIGKILL while publishing": test_publishers.test_a_publisher_killed_before_any_of_its_steps_is_as_if_it_had_never_been,
}


def rows() -> list[list[str]]:
    """The cells of each row."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| fault")]


def faults(module: ModuleType) -> set[str]:
    return {name for test in vars(module).values() for name in getattr(test, "faults", ())}


def test_each_tested_fault_has_its_row_and_each_row_its_test() -> None:
    tested = set(ELSEWHERE).union(*map(faults, MODULES))
    told = [row[0] for row in rows()]
    assert sorted(told) == sorted(tested)
    assert all(re.fullmatch("[^|]{7,}", cell) for row in rows() for cell in row[1:])
    assert {len(row) for row in rows()} == {3}


def test_the_figures_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(DOCUMENT.read_text().split())
    assert f"{web.ATTEMPTS} times" in text
    assert f"{web.PATIENCE_SECONDS:g} seconds" in text
    assert f"{web.SILENCE_SECONDS:g} seconds" in text
    assert f"{web.LARGEST_BODY // 2**20} MiB" in text
    assert f"{web.LONGEST_CHAIN} redirects" in text
    assert (live.__doc__ or "").startswith("Answers a URL from the web, and records")
