"""Laws: what the words mean, how figures and their uncertainties add up."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger.errors import InputError
from cupral.ledger.registers import Line, Site
from cupral.ledger.result import Result
from cupral.systems.plan import model
from cupral.systems.plan.compute import gathering, judging, standing
from cupral.systems.plan.compute.gathering import Share, SiteAnswer, Total
from cupral.systems.plan.compute.standing import Bar
from cupral.systems.plan.model import Figure, Target

numbers = st.floats(-1e9, 1e9)
positive = st.floats(1e-3, 1e9)
SIGNS = ("near", ">", ">=", "<", "<=")


# -- judging -------------------------------------------------------------------------------


@given(positive, st.floats(0.001, 0.5))
def test_near_includes_both_ends_of_its_band(value: float, relative: float) -> None:
    """左右: within the tolerance, ends included, and nothing beyond."""
    band = judging.bounds("near", value, relative * value)
    assert band.low is not None
    assert band.high is not None
    assert judging.meets(band, value)
    assert judging.meets(band, band.low)
    assert judging.meets(band, band.high)
    assert not judging.meets(band, band.high * (1 + 1e-9))
    assert not judging.meets(band, band.low * (1 - 1e-9))


@given(positive)
def test_exceed_is_strict_and_norms_are_inclusive(value: float) -> None:
    """超 and 突破 are not met by the value itself, a norm level is."""
    assert not judging.meets(judging.bounds(">", value), value)
    assert judging.meets(judging.bounds(">", value), value * (1 + 1e-9))
    assert judging.meets(judging.bounds(">=", value), value)
    assert judging.meets(judging.bounds("<=", value), value)
    assert not judging.meets(judging.bounds("<", value), value)
    assert not judging.meets(judging.bounds("<=", value), value * (1 + 1e-9))


@given(st.floats(1.0, 99.0), st.integers(1, 6))
def test_a_sum_of_shares_ties_with_its_bound(value: float, parts: int) -> None:
    """Adding a bound up from parts does not carry it over the bound."""
    total = sum(value / parts for _ in range(parts))
    assert not judging.meets(judging.bounds(">", value), total)
    assert judging.meets(judging.bounds(">=", value), total)


@given(st.sampled_from(SIGNS), numbers, st.floats(0.0, 1e3), numbers)
def test_adding_the_shortfall_meets_the_test(
    sign: str, value: float, tolerance: float, figure: float
) -> None:
    """The shortfall is 0 inside and leads exactly to the bound from outside."""
    allowed = judging.bounds(sign, value, tolerance)
    missing = judging.shortfall(allowed, figure)
    reached = judging.bounds(
        sign.replace(">", ">=")[:2] if sign in "><" else sign, value, tolerance
    )
    if judging.meets(allowed, figure):
        assert abs(missing) <= 1e-9 * max(abs(figure), abs(value), 1.0)
    slack = 1e-6 * max(abs(value), abs(figure), 1.0)
    assert judging.shortfall(reached, figure + missing) == pytest.approx(0.0, abs=slack)


@given(st.sampled_from(SIGNS), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.01, 1e2))
def test_probability_is_one_and_rises_towards_the_bound(
    sign: str, value: float, figure: float, sd: float
) -> None:
    """A probability lies in [0, 1]; of opposite tests it adds up to 1."""
    chance = judging.probability(judging.bounds(sign, value, 1.0), figure, sd)
    assert chance is not None
    assert -1e-12 <= chance <= 1 + 1e-12
    above = judging.probability(judging.bounds(">", value), figure, sd)
    below = judging.probability(judging.bounds("<=", value), figure, sd)
    assert above is not None
    assert below is not None
    assert above + below == pytest.approx(1.0, abs=1e-12)


def test_probability_without_spread() -> None:
    """Without sd there is none; with sd 0 it is the verdict itself."""
    allowed = judging.bounds(">", 35.0)
    assert judging.probability(allowed, 36.0, None) is None
    assert judging.probability(allowed, 36.0, 0.0) == 1.0
    assert judging.probability(allowed, 35.0, 0.0) == 0.0


def test_probability_at_known_points() -> None:
    """Phi(1) and the central 68.27 % of the normal distribution."""
    assert judging.probability(judging.bounds(">", 0.0), 1.0, 1.0) == pytest.approx(0.841344746)
    assert judging.probability(judging.bounds("near", 0.0, 1.0), 0.0, 1.0) == pytest.approx(
        0.682689492
    )


def test_unknown_words_are_refused_with_the_known_ones() -> None:
    """A relation or operator that nobody defined names the allowed ones."""
    with pytest.raises(InputError, match=r"'大概'.*use one of 左右"):
        judging.operator("大概", {"左右": "near"})
    with pytest.raises(InputError, match="'!=' is not known; use one of near"):
        judging.bounds("!=", 1.0)


def test_no_figure_is_no_verdict() -> None:
    """Nothing is decided without a figure."""
    assert judging.verdict(judging.bounds(">", 1.0), None) == "cannot decide"


@pytest.mark.parametrize(
    ("sign", "text"), [("near", "≈ 170 万吨"), (">", "> 170 万吨"), ("<=", "≤ 170 万吨")]
)
def test_a_test_is_printed_with_its_sign(sign: str, text: str) -> None:
    """As the brief prints it."""
    assert judging.shown(sign, 170.0, "万吨") == text


# -- standing ------------------------------------------------------------------------------

TEST = model.Test(id="X-level", figure="level", relation="超", unit="万吨", value=10.0)
TARGET = Target(id="X", indicator_zh="甲", indicator_en="a", metric="m", tests=(TEST,), text_zh="t")
BAR = Bar(test=TEST, sign=">", threshold=10.0)


@settings(deadline=None)  # the first conversion of a process reads the table of units
@given(st.floats(1.0, 1e7), st.floats(0.0, 1e5))
def test_figures_are_compared_in_the_unit_of_the_test(tonnes: float, sd: float) -> None:
    """A figure in t and the same in 10 kt have one verdict and one probability."""
    in_tonnes = Figure(value=tonnes, unit="t", sd=sd)
    in_units = Figure(value=tonnes / 1e4, unit="万吨", sd=sd / 1e4)
    one, other = (standing.row(TARGET, BAR, f, f, "reconciled") for f in (in_tonnes, in_units))
    assert one["verdict"] == other["verdict"]
    assert one["declared"] == pytest.approx(other["declared"])
    assert one["probability"] == pytest.approx(other["probability"], abs=1e-9)
    assert one["low"] <= one["reconciled"] <= one["high"]


@pytest.mark.parametrize(
    ("declared", "second", "basis", "by", "verdict"),
    [
        (11.0, 9.0, "reconciled", "reconciled", "not met"),
        (11.0, 9.0, "modelled", "declared", "met"),
        (None, 9.0, "modelled", "modelled", "not met"),
        (11.0, None, "reconciled", "declared", "met"),
        (None, None, "reconciled", "", "cannot decide"),
    ],
)
def test_a_reconciled_figure_overrules_and_a_modelled_one_does_not(
    declared: float | None, second: float | None, basis: str, by: str, verdict: str
) -> None:
    """Which figure decides."""
    figures = [None if v is None else Figure(value=v, unit="万吨") for v in (declared, second)]
    row = standing.row(TARGET, BAR, figures[0], figures[1], basis)
    assert (row["decided_by"], row["verdict"]) == (by, verdict)


def test_a_joint_probability_goes_before_the_normal_one() -> None:
    """A probability drawn jointly by the answering query is taken as it is."""
    figure = Figure(value=9.0, unit="万吨", sd=1.0, probability=0.25)
    assert standing.chance(BAR, figure) == 0.25
    assert standing.interval(replace(figure, low=8.0, high=11.0)) == (8.0, 11.0)


# -- gathering -----------------------------------------------------------------------------

loadings = st.dictionaries(st.sampled_from(["", "a", "b", "c"]), st.floats(-1e3, 1e3), max_size=4)
totals = st.builds(
    lambda value, load: Total(value=value, loadings=load), st.floats(1, 1e6), loadings
)


def _share(value: float, weight: float = 1.0, site: str = "s", **more: Any) -> Share:
    place = Site(id=site, name_zh=site, name_en=site, enterprise=f"e-{site}", city=f"c-{site}")
    line = Line(id="L", product="p", capacity=weight, metal_stream="m", energy_streams=())
    return Share(site=place, line=line, value=value, weight=weight, **more)


@given(st.lists(st.tuples(st.floats(0.0, 1e6), loadings), min_size=1, max_size=6))
def test_sums_do_not_depend_on_order(parts: list[tuple[float, dict[str, float]]]) -> None:
    """Value and sd of a sum are those of any order of its parts."""
    shares = [_share(value, loadings=load) for value, load in parts]
    one, other = gathering.summed(shares), gathering.summed(shares[::-1])
    assert one.value == pytest.approx(other.value)
    assert one.sd == pytest.approx(other.sd, rel=1e-9, abs=1e-9)


@given(st.floats(0.1, 1e3), st.floats(0.1, 1e3))
def test_shared_errors_add_and_own_errors_do_not(first: float, second: float) -> None:
    """One group: a + b; independent: the root of the sum of squares."""
    together = gathering.summed([_share(1.0, loadings={"g": s}) for s in (first, second)])
    apart = gathering.summed([_share(1.0, loadings={"": s}) for s in (first, second)])
    assert together.sd == pytest.approx(first + second)
    assert apart.sd == pytest.approx(math.hypot(first, second))


@given(totals, st.floats(0.5, 2.0))
def test_a_persistent_error_cancels_in_growth(total: Total, ratio: float) -> None:
    """If every error is shared and proportional, growth is certain."""
    shared = Total(value=total.value, loadings={"g": 0.01 * total.value})
    later = gathering.scaled(shared, ratio)
    growth = gathering.growth(later, shared)
    assert growth.value == pytest.approx(100 * (ratio - 1), abs=1e-9)
    assert growth.sd == pytest.approx(0.0, abs=1e-9)


@given(totals)
def test_scaling_scales_the_sd(total: Total) -> None:
    """A total times 3 has three times the sd."""
    assert gathering.scaled(total, 3.0).sd == pytest.approx(3.0 * total.sd)


def test_a_projection_keeps_the_uncertainty_of_the_rest_of_the_year() -> None:
    """Half the year done: the rest brings its own sd, in proportion to the reconciled total."""
    declared = Figure(value=200.0, unit="t", sd=math.hypot(2.0, 3.0), to_date=100.0, to_date_sd=1.0)
    year = gathering.projected(Total(value=50.0, loadings={"m": 0.2}), declared)
    assert year.value == pytest.approx(100.0)
    assert year.sd == pytest.approx(math.hypot(0.4, 1.5))


def test_a_projection_needs_something_to_project() -> None:
    """Without a declared amount to date there is no season to follow."""
    with pytest.raises(ValueError, match="declared to date"):
        gathering.projected(Total(value=1.0), Figure(value=1.0, unit="t"))


@given(st.lists(st.tuples(st.floats(1, 100), st.floats(0.1, 10)), min_size=1, max_size=6))
def test_a_mean_lies_between_its_parts(parts: list[tuple[float, float]]) -> None:
    """Weighted with output."""
    mean = gathering.averaged([_share(value, weight) for value, weight in parts]).value
    values = [value for value, _ in parts]
    assert min(values) - 1e-9 <= mean <= max(values) + 1e-9


def test_the_worst_element_is_reported_and_one_plant_is_no_sample() -> None:
    """The ratio is that of the lowest element; an element of one plant has no best plant."""
    shares = [
        _share(0.9, 1.0, "x", element="Au"), _share(0.6, 1.0, "y", element="Au"),
        _share(0.9, 1.0, "x", element="Ag"), _share(0.9, 1.0, "y", element="Ag"),
        _share(0.1, 1.0, "x", element="Se"),
    ]  # fmt: skip
    settings = {"elements": ["Au", "Ag", "Se"], "plants": 2}
    worst = gathering.worst_ratio(shares, settings)
    assert worst is not None
    assert worst.value == pytest.approx(0.75 / 0.9)
    assert gathering.worst_ratio(shares[-1:], settings) is None
    assert gathering.worst_ratio(shares, {"elements": ["Pb"], "plants": 1}) is None


def test_the_error_of_the_best_plant_counts_once() -> None:
    """Mean over best: the best plant's error enters through both."""
    shares = [_share(1.0, 1.0, "x", element="Au", loadings={"": 0.01}),
              _share(0.5, 1.0, "y", element="Au", loadings={"": 0.01})]  # fmt: skip
    ratio = gathering.worst_ratio(shares, {"elements": ["Au"], "plants": 2})
    assert ratio is not None
    assert ratio.sd == pytest.approx(math.hypot(0.5 - 0.75, 0.5) * 0.01)


def _answer(parts: tuple[dict[str, Any], ...], **tables: Any) -> SiteAnswer:
    share = _share(0.0, 5.0)
    result = Result(query="q", subject="s", parts=parts, tables=tables)
    return SiteAnswer(share.site, share.line, result)


def test_a_line_without_all_months_gives_no_output() -> None:
    """A sum that misses a month is no sum of the period."""
    row = {"stream": "m", "reconciled": 5.0, "sd": 0.1, "measured": 5.1, "missing_months": 0}
    found = gathering.line_output(_answer((row,)))
    assert [(share.value, share.measured, share.loadings) for share in found] == [
        (5.0, 5.1, {"": 0.1})
    ]
    assert gathering.line_output(_answer(({**row, "missing_months": 1},))) == []
    assert gathering.line_output(_answer(({**row, "reconciled": None},))) == []
    assert gathering.line_output(_answer(({**row, "stream": "other"},))) == []
    assert gathering.line_output(SiteAnswer(_share(0.0).site, _share(0.0).line, None)) == []


def test_loadings_of_the_stream_are_taken() -> None:
    """Of several streams only the line's own loadings count."""
    row = {"stream": "m", "reconciled": 5.0, "sd": 0.5, "measured": None, "missing_months": 0}
    tables = ({"stream": "m", "group": "g", "loading": 0.3}, {"stream": "m", "group": "",
              "loading": 0.4}, {"stream": "x", "group": "h", "loading": 9.0})  # fmt: skip
    (share,) = gathering.line_output(_answer((row,), loadings=tables))
    assert share.loadings == {"g": 0.3, "": 0.4}


def test_intensity_is_of_the_comprehensive_boundary() -> None:
    """A DC figure of the same line is not mixed in; an idle line has no intensity."""
    row = {"line": "L", "boundary": "comprehensive", "intensity": 200.0, "output": 10.0, "sd": 1.0}
    assert [share.value for share in gathering.line_intensity(_answer((row,)))] == [200.0]
    assert gathering.line_intensity(_answer(({**row, "boundary": "dc"},))) == []
    assert gathering.line_intensity(_answer(({**row, "output": None},))) == []


def test_loadings_of_one_group_add_up() -> None:
    """A group that the balance names twice counts twice; independent parts in quadrature."""
    row = {"stream": "m", "reconciled": 10.0, "sd": 1.0}
    loadings = tuple(
        {"stream": "m", "group": group, "loading": loading}
        for group, loading in (("a", 1.0), ("a", 2.0), ("", 3.0), ("", 4.0))
    )
    (share,) = gathering.line_output(_answer((row,), loadings=loadings))
    assert share.loadings == {"a": 3.0, "": 5.0}
