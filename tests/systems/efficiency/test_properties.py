"""Laws of levels, shares and joint draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.systems.efficiency import compute

finite = st.floats(-1e5, 1e5, allow_nan=False)
bounds = st.lists(finite, min_size=3, max_size=3).map(sorted)
share_lines = st.lists(
    st.tuples(
        st.sampled_from("ABCD"), st.floats(1, 1e3), st.floats(0, 1e3), st.floats(12000, 14000)
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def arrays(lines: list[tuple[str, float, float, float]]) -> tuple[list[str], ...]:
    """Members, capacity, output, energy of sampled lines."""
    members = [line[0] for line in lines]
    capacity, output, ac = (np.array([line[i] for line in lines]) for i in (1, 2, 3))
    return members, capacity, output, output * ac  # type: ignore[return-value]


@given(finite, bounds)
def test_a_level_is_the_first_bound_not_exceeded(value: float, limits: list[float]) -> None:
    """The reached bound holds and the stricter one does not."""
    level = compute.level(value, limits)
    if level is None:
        assert value > limits[2]
    else:
        assert compute.at_most(value, limits[level - 1])
        assert level == 1 or not compute.at_most(value, limits[level - 2])


@given(finite, st.floats(0, 1e4), bounds)
def test_using_more_energy_never_improves_a_level(
    value: float, more: float, limits: list[float]
) -> None:
    """Higher is worse, also below zero."""
    before, after = compute.level(value, limits), compute.level(value + more, limits)
    assert (after or 9) >= (before or 9)


@given(bounds)
def test_bounds_are_inclusive(limits: list[float]) -> None:
    """A value at a bound has that bound's level (or a stricter equal one)."""
    for number, bound in enumerate(limits, start=1):
        reached = compute.level(bound, limits)
        assert reached is not None
        assert reached <= number


@given(finite, st.floats(0, 1e3), bounds)
def test_level_probabilities_are_a_distribution(
    value: float, sd: float, limits: list[float]
) -> None:
    """Four chances, none negative, summing to one."""
    chances = compute.level_probabilities(value, sd, limits)
    assert len(chances) == 4
    assert min(chances) >= 0.0
    assert sum(chances) == pytest.approx(1.0)


@given(finite, bounds)
def test_without_uncertainty_the_level_is_certain(value: float, limits: list[float]) -> None:
    """sd 0 gives probability one to the level of the value."""
    level = compute.level(value, limits)
    chances = compute.level_probabilities(value, 0.0, limits)
    assert chances[3 if level is None else level - 1] == 1.0


@given(share_lines, st.floats(12000, 14000))
def test_a_share_lies_between_nothing_and_all(
    lines: list[tuple[str, float, float, float]], threshold: float
) -> None:
    """By series and by enterprise."""
    members, capacity, output, energy = arrays(lines)
    for marks in (
        compute.series_above(energy, output, threshold),
        compute.enterprise_above(energy, output, members, threshold),
    ):
        assert 0.0 <= compute.share(capacity, marks) <= 1.0 + 1e-12


@given(share_lines, st.floats(12000, 14000), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(
    lines: list[tuple[str, float, float, float]], threshold: float, random: object
) -> None:
    """Permuting the rows permutes the marks."""
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    values = []
    for rows in (lines, shuffled):
        _, capacity, output, energy = arrays(rows)
        marks = compute.series_above(energy, output, threshold)
        values.append(float(compute.share(capacity, marks)))
    assert values[0] == pytest.approx(values[1])


@given(share_lines, st.floats(12000, 14000), st.floats(0.01, 100))
def test_the_unit_of_capacity_and_output_does_not_matter(
    lines: list[tuple[str, float, float, float]], threshold: float, scale: float
) -> None:
    """Multiplying all capacities leaves the share alone."""
    _, capacity, output, energy = arrays(lines)
    marks = compute.series_above(energy, output, threshold)
    assert compute.share(capacity, marks) == pytest.approx(compute.share(capacity * scale, marks))


@given(share_lines, st.floats(12000, 14000), st.floats(0, 500))
def test_a_looser_threshold_never_lowers_the_share(
    lines: list[tuple[str, float, float, float]], threshold: float, looser: float
) -> None:
    """Monotone in the threshold, by series and by enterprise."""
    members, _, output, energy = arrays(lines)
    strict = compute.series_above(energy, output, threshold)
    loose = compute.series_above(energy, output, threshold + looser)
    assert np.all(loose | ~strict)
    strict = compute.enterprise_above(energy, output, members, threshold)
    loose = compute.enterprise_above(energy, output, members, threshold + looser)
    assert np.all(loose | ~strict)


@given(share_lines, st.floats(12000, 14000))
def test_enterprises_of_one_line_give_the_share_by_series(
    lines: list[tuple[str, float, float, float]], threshold: float
) -> None:
    """With one series each, both definitions say the same."""
    _, _, output, energy = arrays(lines)
    members = [str(number) for number in range(len(lines))]
    assert np.array_equal(
        compute.enterprise_above(energy, output, members, threshold),
        compute.series_above(energy, output, threshold),
    )


@given(share_lines, st.floats(12000, 14000))
def test_an_enterprise_counts_wholly_or_not_at_all(
    lines: list[tuple[str, float, float, float]], threshold: float
) -> None:
    """All lines of an enterprise carry one mark."""
    members, _, output, energy = arrays(lines)
    marks = compute.enterprise_above(energy, output, members, threshold)
    for member in set(members):
        assert len({bool(m) for m, who in zip(marks, members, strict=True) if who == member}) == 1


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=8), st.floats(12000, 14000))
def test_lines_exactly_at_the_threshold_are_above_it(outputs: list[float], limit: float) -> None:
    """Inclusive also for a sum of many rows and for an enterprise's mean."""
    output = np.array(outputs)
    energy = output * limit
    assert np.all(compute.series_above(energy, output, limit))
    assert np.all(compute.enterprise_above(energy, output, ["A"] * len(outputs), limit))


def test_a_series_without_output_is_never_above() -> None:
    """Nothing was consumed and nothing made: in the denominator only."""
    energy, output = np.array([0.0, 5.0]), np.array([0.0, 0.0])
    assert not compute.series_above(energy, output, 13000).any()
    assert not compute.enterprise_above(energy, output, ["A", "B"], 13000).any()
    assert np.isnan(compute.intensity(energy, output)).all()


def draws(on_energy: list[list[float]], count: int = 8000, seed: int = 1) -> np.ndarray:
    """Drawn intensities of two series of equal size."""
    energy, output = np.array([130.0, 130.0]), np.array([10.0, 10.0])
    silent = np.zeros((2, len(on_energy[0])))
    blocks = compute.joint_draws(energy, output, np.array(on_energy), silent, count, seed)
    return np.concatenate([e / o for e, o in blocks])


def test_a_group_is_drawn_once_for_all_that_carry_it() -> None:
    """The same group on two sites moves both together; independent parts do not."""
    common = draws([[1.0], [1.0]])
    assert np.allclose(common[:, 0], common[:, 1])
    apart = draws([[1.0, 0.0], [0.0, 1.0]])
    assert abs(np.corrcoef(apart.T)[0, 1]) < 0.05


def test_draws_have_the_spread_of_their_loadings() -> None:
    """sd 1 on energy 130 over output 10 is 0.1; the mean stays."""
    drawn = draws([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    assert drawn.std(axis=0) == pytest.approx([0.1, 0.1], rel=0.03)
    assert drawn.mean(axis=0) == pytest.approx([13.0, 13.0], abs=0.005)


def test_draws_repeat_with_their_seed_and_do_not_without() -> None:
    """Bit-identical with one seed, others with another."""
    assert np.array_equal(draws([[1.0], [1.0]]), draws([[1.0], [1.0]]))
    assert not np.array_equal(draws([[1.0], [1.0]]), draws([[1.0], [1.0]], seed=2))


@settings(max_examples=20)
@given(st.integers(1, 6000))
def test_the_number_of_draws_is_as_asked(count: int) -> None:
    """Blocks add up, whatever the count."""
    assert len(draws([[1.0], [1.0]], count=count)) == count


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-5, 5)), max_size=6))
def test_loadings_of_one_group_add_up(pairs: list[tuple[str, float]]) -> None:
    """A group named twice carries the sum."""
    matrix = compute.loading_matrix([pairs], ["a", "b", "c"])
    for column, group in enumerate("abc"):
        assert matrix[0, column] == pytest.approx(sum(v for g, v in pairs if g == group))


@given(st.floats(1, 1e6), st.floats(1, 1e4), st.floats(0.1, 10))
def test_intensity_sd_scales_with_energy(energy: float, output: float, scale: float) -> None:
    """Energy in another unit gives the sd in that unit."""
    on_energy, on_output = np.array([energy * 0.01, 0.0]), np.array([0.0, output * 0.02])
    once = compute.intensity_sd(energy, output, on_energy, on_output)
    scaled = compute.intensity_sd(energy * scale, output, on_energy * scale, on_output)
    assert scaled == pytest.approx(once * scale)
    assert once == pytest.approx(energy / output * np.hypot(0.01, 0.02))


@given(finite, finite, finite)
def test_policy_levels_are_ordered(value: float, one: float, other: float) -> None:
    """At the benchmark counts as benchmark; above the baseline is below it."""
    benchmark, baseline = sorted((one, other))
    found = compute.policy_level(value, benchmark, baseline)
    if found == "benchmark":
        assert compute.at_most(value, benchmark)
    elif found == "baseline":
        assert benchmark < value
        assert compute.at_most(value, baseline)
    else:
        assert value > baseline
