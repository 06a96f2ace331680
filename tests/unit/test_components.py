"""Principal components against a singular value decomposition, and what they say of real curves."""

import numpy as np
import pytest
from curves import ALL_TENORS_SINCE, TENORS_YEARS, dates, panel
from hypothesis import given, settings
from hypothesis import strategies as st

from jgb_assets.analytics import PrincipalComponents, principal_components

WINDOWS = {"all": "1974-09-24", "1999": "1999-01-01", "2013": "2013-01-01", "last 250": None}
RANGES = [(1, 10), (2, 30), (1, 40)]


def real_changes(since: str | None, shortest: int = 1, longest: int = 40) -> np.ndarray:
    """Daily changes in bp since a day, or the last 250."""
    rows = slice(-250, None) if since is None else dates()[1:] >= np.datetime64(since)
    columns = (shortest <= TENORS_YEARS) & (longest >= TENORS_YEARS)
    changes: np.ndarray = 100 * np.diff(panel()[:, columns], axis=0)[rows]
    return changes


def some_changes(seed: int, days: int, tenors: int) -> np.ndarray:
    """Correlated, of unequal size, not centred."""
    random = np.random.default_rng(seed)
    mixed: np.ndarray = random.normal(1, 3, (days, tenors)) @ random.normal(size=(tenors, tenors))
    return mixed


def assert_it_is_the_decomposition(changes: np.ndarray, found: PrincipalComponents) -> None:
    centred = changes - changes.mean(axis=0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    share = singular**2 / (singular**2).sum()
    np.testing.assert_allclose(found.explained, share, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.abs((found.loadings * rows).sum(axis=1)), 1, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.scores, centred @ found.loadings.T, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("days", "tenors"), [(2, 1), (40, 1), (3, 2), (40, 2), (4, 3), (40, 3), (40, 4), (200, 15)])
def test_it_is_the_singular_value_decomposition_of_centred_changes(days: int, tenors: int) -> None:
    changes = some_changes(days + tenors, days, tenors)
    assert_it_is_the_decomposition(changes, principal_components(changes))


@pytest.mark.parametrize("since", ["2007-11-07", None])
def test_it_is_the_decomposition_of_real_changes(since: str | None) -> None:
    changes = real_changes(since)
    assert_it_is_the_decomposition(changes, principal_components(changes))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 15), st.integers(0, 60))
def test_orthonormal_loadings_and_uncorrelated_scores(seed: int, tenors: int, more: int) -> None:
    changes = some_changes(seed, max(2, tenors) + more, tenors)
    found = principal_components(changes)
    variances = changes.var(axis=0, ddof=1).sum() * found.explained
    covariance = np.cov(found.scores, rowvar=False).reshape(tenors, tenors)
    assert found.explained.sum() == pytest.approx(1, abs=1e-12)
    assert (np.diff(found.explained) <= 0).all()
    np.testing.assert_allclose(found.loadings @ found.loadings.T, np.eye(tenors), rtol=0, atol=1e-10)
    np.testing.assert_allclose(covariance, np.diag(variances), rtol=0, atol=1e-9 * variances[0])
    np.testing.assert_allclose(found.scores.mean(axis=0), 0, rtol=0, atol=1e-9 * variances[0] ** 0.5)


def test_two_tenors_by_hand() -> None:
    """Moves of 3 together and of 1 apart: a level of 9 parts in 10, a slope of 1."""
    found = principal_components([[3, 3], [-3, -3], [-1, 1], [1, -1]])
    np.testing.assert_allclose(found.explained, [0.9, 0.1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.loadings, np.array([[1, 1], [-1, 1]]) / 2**0.5, rtol=0, atol=1e-12)
    expected = [[18**0.5, 0], [-(18**0.5), 0], [0, 2**0.5], [0, -(2**0.5)]]
    np.testing.assert_allclose(found.scores, expected, rtol=0, atol=1e-12)


def test_one_tenor_is_its_own_level() -> None:
    found = principal_components([[2.0], [-1.0], [5.0]])
    assert found.explained.tolist() == [1]
    assert found.loadings.tolist() == [[1]]
    np.testing.assert_allclose(found.scores, [[0], [-3], [3]], rtol=0, atol=1e-12)


def test_three_tenors_have_signs_that_mean_something() -> None:
    """Level, steepening and a cheaper belly, each a column of scores that made the changes."""
    shapes = np.array([[1, 1, 1], [-1, 0, 1], [-1, 2, -1]]) / np.array([[3], [2], [6]]) ** 0.5
    scores = 10.0 ** np.array([2, 1, 0]) * np.linalg.qr(some_changes(1, 40, 3) - some_changes(1, 40, 3).mean(axis=0))[0]
    found = principal_components(scores @ shapes)
    np.testing.assert_allclose(found.loadings, shapes, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.scores, scores, rtol=0, atol=1e-6)


def assert_signs(loadings: np.ndarray) -> None:
    assert loadings[0].sum() > 0
    assert loadings[1, -1] > loadings[1, 0]
    assert loadings[2, loadings.shape[1] // 2] > (loadings[2, 0] + loadings[2, -1]) / 2
    others = loadings[3:]
    assert (others[np.arange(len(others)), np.abs(others).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("since", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize(("shortest", "longest"), RANGES)
def test_signs_on_real_windows(shortest: int, longest: int, since: str | None) -> None:
    changes = real_changes(since, shortest, longest)
    loadings = principal_components(changes).loadings
    assert_signs(loadings)
    assert (loadings[0] > 0).all()  # every yield rises with the level
    assert [int((np.diff(np.sign(row)) != 0).sum()) for row in loadings[:3]] == [0, 1, 2]
    assert loadings[2, len(loadings) // 2] > 0
    np.testing.assert_allclose(principal_components(-changes).loadings, loadings, rtol=0, atol=1e-9)
    np.testing.assert_allclose(principal_components(-changes).scores, -principal_components(changes).scores, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(3, 15))
def test_signs_of_anything(seed: int, tenors: int) -> None:
    changes = some_changes(seed, 40, tenors)
    assert_signs(principal_components(changes).loadings)
    assert_signs(principal_components(-changes).loadings)


def test_three_components_are_nearly_all_there_is() -> None:
    explained = principal_components(real_changes(str(ALL_TENORS_SINCE))).explained
    assert explained[0] > 0.7
    assert explained[:3].sum() > 0.95
    assert (explained[:3] > 0.02).all()


def test_a_day_with_a_missing_tenor_takes_no_part() -> None:
    changes = real_changes(None)
    holed = np.insert(changes, [0, 100, 250], 1e6, axis=0)
    holed[[0, 101, 252], [3, 0, 14]] = np.nan
    taken = np.delete(np.arange(253), [0, 101, 252])
    whole, found = principal_components(changes), principal_components(holed)
    np.testing.assert_array_equal(found.explained, whole.explained)
    np.testing.assert_array_equal(found.loadings, whole.loadings)
    np.testing.assert_allclose(found.scores[taken], whole.scores, rtol=0, atol=1e-9)
    assert np.isnan(found.scores[[0, 101, 252]]).all()


def test_what_is_given_is_not_changed() -> None:
    changes = some_changes(1, 40, 5)
    before = changes.copy()
    principal_components(changes)
    np.testing.assert_array_equal(changes, before)


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        (np.zeros((14, 15)), "14 days with every one of 15 tenors are too few"),
        (np.zeros((1, 1)), "1 days with every one of 1 tenors are too few"),
        (np.empty((0, 3)), "0 days with every one of 3 tenors are too few"),
        (np.full((9, 3), np.nan), "0 days with every one of 3 tenors are too few"),
        (np.where(np.eye(9, 3) > 0, np.inf, 0), r"finite or NaN.*\(9, 3\)"),
        (np.zeros(9), r"as \(day, tenor\): \(9,\)"),
        (np.zeros((2, 9, 3)), r"as \(day, tenor\): \(2, 9, 3\)"),
    ],
)
def test_what_cannot_be_decomposed_is_named(changes: np.ndarray, trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble):
        principal_components(changes)


def test_as_many_days_as_tenors_are_enough() -> None:
    changes = some_changes(3, 16, 15)
    changes[4, 4] = np.nan
    assert np.isfinite(principal_components(changes).loadings).all()


def test_what_never_moves_has_no_components() -> None:
    with pytest.raises(ValueError, match="no components"):
        principal_components(np.ones((10, 3)))
