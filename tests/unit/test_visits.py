"""How the last visit to a source ended, as the next run and a reader of the publishers' state find it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jgb_assets.landing.visits import Visit, Visits, status_of
from jgb_assets.sources.mof_jgb_yields import MofJgbYields
from jgb_assets.sources.mof_securities_flows import MofSecuritiesFlows
from jgb_assets.sources.treasury_par_yields import TreasuryParYields
from jgb_assets.sources.treasury_tic import TreasuryTic

SOURCE = "mof_jgb_yields"
LOOKED = {"current": datetime(2026, 7, 2, 0, 40, tzinfo=UTC)}


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 7, day, hour, 40, tzinfo=UTC)


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    return Visits(tmp_path / "visits")


def fail(visits: Visits, when: datetime, why: str = "refused", *, is_waiting: bool = False) -> None:
    visits.failed(SOURCE, when, f"run at {when}", why, is_waiting=is_waiting)


def last(visits: Visits) -> Visit:
    visit = visits.last(SOURCE)
    assert visit is not None
    return visit


def test_before_the_first_visit_there_is_none(visits: Visits) -> None:
    assert visits.last(SOURCE) is None


def test_what_fails_again_fails_since_it_did_first_and_says_what_fails_now(visits: Visits) -> None:
    fail(visits, at(2), "FetchFailed: timed out")
    fail(visits, at(3), "SourceRejected: 14 columns")
    fail(visits, at(6), "SourceRejected: 13 columns")
    visit = last(visits)
    assert visit.at == at(6)
    assert visit.run_id == f"run at {at(6)}"
    assert visit.failing is not None
    assert (visit.failing.since, visit.failing.why) == (at(2), "SourceRejected: 13 columns")


def test_a_success_ends_it_and_the_next_failure_begins_anew(visits: Visits) -> None:
    fail(visits, at(2))
    visits.went_well(SOURCE, at(3), "a run", LOOKED)
    assert last(visits).failing is None
    fail(visits, at(6))
    assert last(visits).failing == last(visits).failing.model_copy(update={"since": at(6)})


def test_a_view_of_the_past_does_not_fail_from_the_future_on(visits: Visits) -> None:
    fail(visits, at(6))
    fail(visits, at(2))  # JGB_AS_OF
    assert last(visits).failing.since == at(2)


def test_a_failure_does_not_forget_when_each_file_was_last_looked_at(visits: Visits) -> None:
    visits.went_well(SOURCE, at(2), "a run", LOOKED)
    fail(visits, at(3))
    fail(visits, at(4))
    assert last(visits).looked == LOOKED
    later = {"current": at(5), "history": at(5)}
    visits.went_well(SOURCE, at(5), "a run", later)
    assert last(visits).looked == later


def test_waiting_for_the_rest_of_a_release_is_told_apart_from_failing(visits: Visits) -> None:
    fail(visits, at(2), is_waiting=True)
    assert last(visits).failing.is_waiting
    fail(visits, at(3))
    assert not last(visits).failing.is_waiting


def test_another_source_is_another_matter(visits: Visits) -> None:
    fail(visits, at(2))
    visits.went_well("treasury_tic", at(3), "a run", {})
    assert last(visits).failing.since == at(2)
    assert visits.last("treasury_tic").failing is None


def test_visits_are_of_the_folder_and_outlive_the_process(tmp_path: Path) -> None:
    fail(Visits(tmp_path / "visits"), at(2), "年号 is not read")
    assert last(Visits(tmp_path / "visits")).failing.why == "年号 is not read"
    assert Visits(tmp_path / "other").last(SOURCE) is None


# --- what a reader is told ------------------------------------------------------------------------------------------


def test_the_status_of_a_source_that_was_never_retrieved() -> None:
    assert status_of(MofJgbYields(), {"yields": None}, None, at(2)) == {
        "status": "never retrieved",
        **dict.fromkeys(("age_days", "last_checked_at", "newest_observation_date", "next_expected_at")),
        **dict.fromkeys(("failing_since", "failure")),
    }


def test_the_status_of_a_source_that_is_well(visits: Visits) -> None:
    """The row of Tuesday, 30 June came on Wednesday; that of Wednesday is due on Thursday at 09:30 in Tokyo."""
    visits.went_well(SOURCE, at(1), "a run", LOOKED)
    told = status_of(MofJgbYields(), {"yields": date(2026, 6, 30)}, last(visits), at(1, 2))
    assert told == {
        "status": "fresh",
        "age_days": 1,
        "last_checked_at": at(1),
        "newest_observation_date": date(2026, 6, 30),
        "next_expected_at": datetime(2026, 7, 2, 0, 30, tzinfo=UTC),
        "failing_since": None,
        "failure": None,
    }


def test_the_status_of_a_source_that_fails(visits: Visits) -> None:
    visits.went_well(SOURCE, at(1), "a run", LOOKED)
    fail(visits, at(2), "FetchFailed: timed out")
    fail(visits, at(3), "FetchFailed: refused")
    told = status_of(MofJgbYields(), {"yields": date(2026, 6, 30)}, last(visits), at(3))
    assert (told["failing_since"], told["failure"], told["last_checked_at"]) == (at(2), "FetchFailed: refused", at(3))
    assert (told["status"], told["newest_observation_date"]) == ("late", date(2026, 6, 30))


@pytest.mark.parametrize(
    ("now", "in_new_york", "in_tokyo"),
    [("2026-07-01T03:59Z", 4, 5), ("2026-07-01T04:01Z", 5, 5), ("2026-07-01T15:01Z", 5, 6)],
)
def test_age_counts_the_publishers_days(now: str, in_new_york: int, in_tokyo: int) -> None:
    """New York's midnight in summer is 04:00 UTC, Tokyo's 15:00."""
    newest, instant = {"yields": date(2026, 6, 26)}, datetime.fromisoformat(now)
    assert status_of(TreasuryParYields(), newest, None, instant)["age_days"] == in_new_york
    assert status_of(MofJgbYields(), newest, None, instant)["age_days"] == in_tokyo


def test_of_several_tables_the_first_that_is_expected_is_told() -> None:
    """In early August the next week of flows comes before the month of July, on the 6th at 08:50 in Tokyo."""
    newest = {"week": date(2026, 7, 25), "montha1": date(2026, 6, 30), "monthb3": date(2026, 6, 30)}
    told = status_of(MofSecuritiesFlows(), newest, None, datetime(2026, 8, 5, tzinfo=UTC))
    assert told["next_expected_at"] == datetime(2026, 8, 5, 23, 50, tzinfo=UTC)
    assert told["newest_observation_date"] == date(2026, 7, 25)


def test_a_table_of_whole_years_does_not_make_its_source_late() -> None:
    newest = dict.fromkeys(("table5", "table3", "table1"), date(2026, 4, 30)) | {"mfhhis01": date(2024, 12, 31)}
    told = status_of(TreasuryTic(), newest, None, datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert (told["status"], told["age_days"]) == ("fresh", 62)
    assert told["next_expected_at"] == datetime(2026, 7, 14, 20, tzinfo=UTC)
