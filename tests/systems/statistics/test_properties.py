"""Laws of growth arithmetic, of shared errors, and of filing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupral.ledger.period import Period
from cupral.systems.statistics.compute import growth, returns, spread
from cupral.systems.statistics.model import Return

levels = st.floats(1.0, 1e6)
rates = st.floats(-0.5, 1.0)
series = st.lists(st.tuples(levels, rates), min_size=1, max_size=12)
loadings = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-1e3, 1e3)), max_size=12)


def split(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Base levels and growth of sampled periods."""
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


@given(series)
def test_the_inverse_undoes_the_forward(pairs: list[tuple[float, float]]) -> None:
    """period_growth(cumulative_growth(g)) = g, up to the amplified rounding of floats."""
    base, given_growth = split(pairs)
    value, low, high = growth.period_growth(base, growth.cumulative_growth(base, given_growth), 0.0)
    scale = growth.amplification(base)
    assert np.all(np.abs(value - given_growth) <= 1e-12 * scale)
    assert np.array_equal(low, value)
    assert np.array_equal(high, value)


@given(series, st.sampled_from([0.001, 0.01]))
def test_the_interval_holds_the_truth_behind_rounded_figures(
    pairs: list[tuple[float, float]], step: float
) -> None:
    """Whatever the growth was, publishing it rounded and going back encloses it."""
    base, true = split(pairs)
    published = np.round(growth.cumulative_growth(base, true) / step) * step
    _, low, high = growth.period_growth(base, published, step)
    slack = 1e-9 * growth.amplification(base)
    assert np.all(low - slack <= true)
    assert np.all(true <= high + slack)


@given(series)
def test_amplification_is_one_first_and_grows(pairs: list[tuple[float, float]]) -> None:
    """The first period is published itself; later ones are differences."""
    base, _ = split(pairs)
    factor = growth.amplification(base)
    assert factor[0] == pytest.approx(1.0)
    assert np.all(factor >= 1.0 - 1e-12)


@given(series)
def test_cumulative_growth_lies_between_its_periods(pairs: list[tuple[float, float]]) -> None:
    """A weighted mean."""
    base, given_growth = split(pairs)
    cumulative = growth.cumulative_growth(base, given_growth)
    assert np.all(cumulative >= np.minimum.accumulate(given_growth) - 1e-12)
    assert np.all(cumulative <= np.maximum.accumulate(given_growth) + 1e-12)


@given(series, st.floats(0.001, 1000))
def test_the_unit_of_the_levels_does_not_matter(
    pairs: list[tuple[float, float]], scale: float
) -> None:
    """Only the ratios of base levels weigh."""
    base, given_growth = split(pairs)
    once = growth.cumulative_growth(base, given_growth)
    assert growth.cumulative_growth(base * scale, given_growth) == pytest.approx(once, abs=1e-12)


@given(st.floats(1, 1e4), st.floats(1, 1e4), rates, rates)
def test_growing_as_needed_reaches_the_target(
    done: float, rest: float, grown: float, target: float
) -> None:
    """Done and needed growth, weighted, are the target."""
    needed = growth.needed_growth(done, rest, grown, target)
    year = growth.cumulative_growth(np.array([done, rest]), np.array([grown, needed]))[-1]
    assert year == pytest.approx(target, abs=1e-9)


@given(st.floats(1, 1e4), st.floats(1, 1e4), rates)
def test_on_target_the_rest_needs_the_target(done: float, rest: float, target: float) -> None:
    """Whoever is on the target stays on it by keeping on."""
    assert growth.needed_growth(done, rest, target, target) == pytest.approx(target, abs=1e-9)


@given(rates, rates)
def test_real_growth_composes_with_prices(nominal: float, price: float) -> None:
    """(1 + real)(1 + price) = 1 + nominal."""
    real = growth.real_growth(nominal, price)
    assert (1 + real) * (1 + price) == pytest.approx(1 + nominal)


@given(rates)
def test_without_price_change_real_is_nominal(nominal: float) -> None:
    """And a nominal growth equal to prices is no growth."""
    assert growth.real_growth(nominal, 0.0) == pytest.approx(nominal)
    assert growth.real_growth(nominal, nominal) == pytest.approx(0.0, abs=1e-12)


@given(rates, rates)
def test_two_average_years_end_where_the_two_years_do(first: float, second: float) -> None:
    """The constant growth has the same product."""
    mean = growth.average_growth(first, second)
    assert (1 + mean) ** 2 == pytest.approx((1 + first) * (1 + second))
    assert min(first, second) - 1e-9 <= mean <= max(first, second) + 1e-9


@given(st.floats(1, 1e6), st.floats(1, 1e6), rates)
def test_a_full_year_at_the_growth_to_date_grows_as_to_date(
    base: float, rest: float, grown: float
) -> None:
    """The projection keeps the growth."""
    year = growth.full_year(base * (1 + grown), rest, grown)
    assert growth.scope_growth(year, base + rest) == pytest.approx(grown, abs=1e-9)


@given(loadings)
def test_combined_is_symmetric_and_not_negative(pairs: list[tuple[str, float]]) -> None:
    """The order of loadings and a common sign do not matter."""
    once = spread.combined(pairs)
    assert once >= 0.0
    assert spread.combined(reversed(pairs)) == pytest.approx(once)
    assert spread.combined([(g, -v) for g, v in pairs]) == pytest.approx(once)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=12))
def test_one_group_adds_linearly_and_many_in_quadrature(sds: list[float]) -> None:
    """Coherent within a group, independent between groups."""
    same = spread.combined(("g", sd) for sd in sds)
    apart = spread.combined((str(n), sd) for n, sd in enumerate(sds))
    assert same == pytest.approx(sum(sds))
    assert apart == pytest.approx(float(np.linalg.norm(sds)))
    assert apart <= same + 1e-9


@given(st.floats(0.01, 1e3), st.floats(0, 1))
def test_a_year_keeps_its_sd_whatever_persists(sd: float, persistent: float) -> None:
    """Splitting an error into parts leaves its size."""
    assert spread.combined(spread.declared("e", 2026, sd, persistent)) == pytest.approx(sd)


@given(st.floats(1, 1e3), st.floats(1, 1e3), st.floats(0.001, 0.1))
def test_a_wholly_persistent_error_leaves_growth_alone(
    now: float, before: float, relative: float
) -> None:
    """Always 2 % too high is no error of growth; independent errors are."""

    def growth_sd(persistent: float) -> float:
        top = spread.declared("e", 2026, relative * now, persistent)
        bottom = spread.declared("e", 2025, relative * before, persistent)
        return spread.combined(spread.ratio(now, before, top, bottom))

    assert growth_sd(1.0) == pytest.approx(0.0, abs=1e-12 * now / before)
    assert growth_sd(0.0) == pytest.approx(np.sqrt(2) * relative * now / before)


def filed(enterprise: str, period: str) -> Return:
    """A return without rows, for the law of periods."""
    return Return(enterprise=enterprise, period=Period.parse(period), above_designated_size=True,
                  items=())  # fmt: skip


months = st.sampled_from(["2026-JF", *(f"2026-{m:02d}" for m in range(1, 13))])


@given(st.lists(st.tuples(st.sampled_from("ab"), months), max_size=8))
def test_overlaps_are_exactly_the_months_named_twice(pairs: list[tuple[str, str]]) -> None:
    """Merged and single months of one firm collide; of two firms they do not."""
    filings = [filed(*pair) for pair in pairs]
    covered = [(f.enterprise, month) for f in filings for month in f.period.months]
    assert bool(returns.overlaps(filings, ())) == (len(covered) != len(set(covered)))


@given(months, months)
def test_what_is_filed_already_collides_like_a_second_return(one: str, other: str) -> None:
    """The ledger's returns count as well as those of the batch."""
    within = returns.overlaps([filed("a", one), filed("a", other)], ())
    against = returns.overlaps([filed("a", other)], [f"a:{one}"])
    assert bool(within) == bool(against)
