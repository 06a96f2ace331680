"""The curve's tables as published: against figures the world knows, and against the yields in the same release."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.conftest import Run

JUMP = date(2026, 1, 20)
SLOPES_AND_FLIES = {
    "slope_2s10s_bp": {2: -1, 10: 1},
    "slope_10s40s_bp": {10: -1, 40: 1},
    "fly_10s20s30s_bp": {10: -1, 20: 2, 30: -1},
}


def read(of: Run, dataset: str, *key: str) -> pd.DataFrame:
    return pq.read_table(of.current / f"{dataset}.parquet").to_pandas().set_index(list(key)).sort_index()


@pytest.fixture(scope="module")
def yields(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "jgb_yields", "obs_date", "tenor_years")["yield_pct"].unstack()


@pytest.fixture(scope="module")
def shape(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "curve_shape", "obs_date")


@pytest.fixture(scope="module")
def moves(from_bundle: Run) -> pd.DataFrame:
    return read(from_bundle, "curve_moves", "obs_date", "tenor_years")


def test_the_rises_of_the_20th_of_january_2026(moves: pd.DataFrame) -> None:
    """The largest rise of the 30-year since its start; the 40-year's third, after two that are known by their dates."""
    day = moves.loc[JUMP]
    assert day.loc[[30, 40], "change_1d_bp"].tolist() == [20.3, 18.0]
    assert day.loc[[30, 40], "rise_1d_rank"].tolist() == [1, 3]
    assert day.loc[[30, 40], "rise_1d_since_date"].tolist() == [None, date(2025, 4, 8)]
    assert moves.xs(40, level="tenor_years").loc[date(2016, 3, 9), "change_1d_bp"] == 18.7
    assert day.loc[[30, 40], "change_2d_bp"].tolist() == [30.3, 28.3]
    assert day.loc[[30, 40], "rise_2d_rank"].tolist() == [2, 2]
    assert day.loc[[30, 40], "rise_2d_since_date"].tolist() == [date(2025, 4, 9)] * 2
    assert day.loc[[30, 40], "fall_1d_rank"].isna().all()
    assert day.loc[1, "change_1d_bp"] == -0.8
    assert day.loc[[1], "rise_1d_rank"].isna().all()


def test_the_largest_falls(moves: pd.DataFrame) -> None:
    day = moves.loc[date(2013, 4, 4)]
    assert day.loc[[25, 30, 40], "change_1d_bp"].tolist() == [-27.1, -26.8, -26.6]
    assert day.loc[[25, 30, 40], "fall_1d_rank"].tolist() == [1, 1, 1]
    second = moves.loc[date(2016, 3, 8)]
    assert second.loc[[30, 40], "change_1d_bp"].tolist() == [-21.0, -21.5]
    assert second.loc[[30, 40], "fall_1d_since_date"].tolist() == [date(2013, 4, 4), date(2013, 4, 4)]


@pytest.mark.parametrize("sessions", [1, 2, 3, 5])
@pytest.mark.parametrize("tenor", [1, 30])
def test_ranks_count_the_larger_moves_so_far(
    yields: pd.DataFrame, moves: pd.DataFrame, tenor: int, sessions: int
) -> None:
    published = moves.xs(tenor, level="tenor_years")
    change = (100 * (yields[tenor] - yields[tenor].shift(sessions))).round(2)
    whole = yields[tenor].notna().rolling(sessions + 1).sum() == sessions + 1
    change = change[whole].reindex(published.index)
    pd.testing.assert_series_equal(change, published[f"change_{sessions}d_bp"], check_names=False)
    for direction, sign in (("rise", 1), ("fall", -1)):
        sizes = (sign * change)[sign * change > 0]
        rank = (-sizes).expanding().rank(method="min")
        moved = published[published[f"{direction}_{sessions}d_rank"].notna()]
        assert moved.index.equals(sizes.index)
        assert (moved[f"{direction}_{sessions}d_rank"] == rank).all()
        assert moved[f"{direction}_{sessions}d_n"].tolist() == list(range(1, len(sizes) + 1))
        record = moved[f"{direction}_{sessions}d_since_date"].isna()
        assert (record == (sizes > sizes.cummax().shift(fill_value=0))).all()


@pytest.mark.parametrize("name", SLOPES_AND_FLIES)
def test_percentiles_are_among_the_sessions_so_far(yields: pd.DataFrame, shape: pd.DataFrame, name: str) -> None:
    measured = sum(weight * yields[tenor] for tenor, weight in SLOPES_AND_FLIES[name].items()).mul(100).round(2)
    expected = measured.dropna().expanding().rank(method="max", pct=True).mul(100)
    stem = name.removesuffix("_bp")
    published = shape.loc[expected.index, f"{stem}_pctile"]
    np.testing.assert_allclose(published, expected, atol=0.005001)
    assert shape.loc[expected.index, f"{stem}_n"].tolist() == list(range(1, len(expected) + 1))
    assert shape[f"{stem}_pctile"].notna().sum() == len(expected)


def test_how_unusual_the_slope_was_on_the_20th_of_january_2026(shape: pd.DataFrame) -> None:
    day = shape.loc[JUMP]
    assert (day["slope_5s30s_pctile"], day["slope_5s30s_n"]) == (100.0, 6_463)
    assert day["slope_5s30s_highest_since_date"] is None
    assert day["slope_10s40s_n"] == 4_451
    assert shape["slope_10s40s_n"].max() == 4_559


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("zero_10y_pct", date(1986, 7, 5)),
        ("forward_5y5y_pct", date(1986, 7, 5)),
        ("forward_10y10y_pct", date(1986, 12, 1)),
        ("zero_30y_pct", date(1999, 9, 2)),
        ("forward_20y10y_pct", date(1999, 9, 2)),
        ("forward_30y10y_pct", date(2007, 11, 6)),
        ("dl_level_pct", date(1974, 9, 24)),
        ("nss_beta3_pct", date(1974, 9, 24)),
    ],
)
def test_rates_begin_with_the_tenor_they_need_and_have_no_hole(shape: pd.DataFrame, column: str, first: date) -> None:
    assert shape[column].first_valid_index() == first
    assert shape.loc[first:, column].notna().all()


def test_forwards_and_zeros_follow_from_the_published_yields(yields: pd.DataFrame, shape: pd.DataFrame) -> None:
    """A bootstrap by hand: each half-year's discount factor from the price of a bond at par."""
    tenors = yields.columns.to_numpy(float)
    for day in [JUMP, date(2003, 6, 11), date(2016, 7, 6)]:
        known = yields.loc[day].notna().to_numpy()
        discounts: list[float] = []
        for half_year in np.arange(0.5, tenors[known][-1] + 0.5, 0.5):
            coupon = np.interp(half_year, tenors[known], yields.loc[day][known]) / 200
            discounts.append((1 - coupon * sum(discounts)) / (1 + coupon))
        for column, start, end in [
            ("forward_5y5y_pct", 5, 10),
            ("forward_10y10y_pct", 10, 20),
            ("zero_30y_pct", 0, 30),
        ]:
            growth = (discounts[2 * start - 1] if start else 1) / discounts[2 * end - 1]
            assert shape.loc[day, column] == pytest.approx(200 * (growth ** (0.5 / (end - start)) - 1), abs=1e-6)


@pytest.mark.parametrize("model", ["dl", "nss"])
def test_the_published_parameters_give_the_published_misfit(
    yields: pd.DataFrame, shape: pd.DataFrame, model: str
) -> None:
    def decayed(tau: object) -> tuple[np.ndarray, np.ndarray]:
        x = yields.columns.to_numpy(float) / np.broadcast_to(np.asarray(tau, float), len(shape))[:, None]
        slope = (1 - np.exp(-x)) / x
        return slope, slope - np.exp(-x)

    names = {"dl": ["dl_level_pct", "dl_slope_pct", "dl_curvature_pct"], "nss": [f"nss_beta{i}_pct" for i in range(4)]}
    betas = shape[names[model]].to_numpy()
    slope, hump = decayed(1 / 0.7308 if model == "dl" else shape["nss_tau1_years"])
    fitted = betas[:, :1] + betas[:, 1:2] * slope + betas[:, 2:3] * hump
    if model == "nss":
        fitted += betas[:, 3:] * decayed(shape["nss_tau2_years"])[1]
        assert (shape["nss_tau1_years"] < shape["nss_tau2_years"]).all()
    misfit = 100 * np.sqrt(np.nanmean((fitted - yields.to_numpy()) ** 2, axis=1))
    np.testing.assert_allclose(misfit, shape[f"{model}_rmse_bp"], atol=0.002)


def test_what_kinds_of_move_the_curve_makes(from_bundle: Run) -> None:
    factors = read(from_bundle, "curve_factors", "window", "component", "tenor_years")
    assert set(factors.index.unique("window")) == {
        f"{tenors}_{period}"
        for tenors in ("1y_10y", "2y_30y", "all")
        for period in ("full", "since_1999", "since_2013", "last_250")
    }
    for _, window in factors.groupby("window"):
        loadings = window["loading"].unstack().to_numpy()
        np.testing.assert_allclose(loadings @ loadings.T, np.eye(len(loadings)), atol=1e-5)
        shares = window["explained_pct"].groupby("component").first()
        assert shares.sum() == pytest.approx(100, abs=1e-4)
        assert shares.is_monotonic_decreasing
        assert loadings[0].sum() > 0
        assert loadings[1][-1] > loadings[1][0]
        assert loadings[2][len(loadings) // 2] > 0 > loadings[2][[0, -1]].mean()
    first = factors.groupby("window")[["first_date", "n_obs"]].first()
    assert first.loc["1y_10y_full"].tolist() == [date(1986, 7, 7), 9_886]
    assert first.loc["2y_30y_full"].tolist() == [date(2004, 3, 23), 5_452]
    assert first.loc["all_full"].tolist() == [date(2007, 11, 7), 4_558]
    assert first.loc["1y_10y_since_1999"].tolist() == [date(1999, 1, 4), 6_736]
    assert first.loc["all_last_250", "n_obs"] == 250
    assert set(factors["last_date"]) == {date(2026, 6, 30)}
