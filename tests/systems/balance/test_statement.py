"""The stated sd of sums, contents, recoveries, losses and consumption is their scatter."""

from dataclasses import replace
from itertools import combinations
from math import sqrt

import numpy as np
import pytest

from cupral.ledger.registers import Line, Meter, Network, Process, Site, Stream
from cupral.systems.balance.compute import measures
from cupral.systems.balance.compute.layout import layout
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.compute.solve import estimate, solve
from cupral.systems.balance.compute.statement import Statement, factors, of_month, total
from cupral.systems.balance.model import Reading
from tests.systems.balance.network import SITE, works
from tests.systems.balance.test_properties import readings, reconciled

RUNS = 200
CLOSE = 4.0 / sqrt(2 * RUNS)
"""Four standard errors of a scatter of so many runs, as share of it."""
LINE = Line(
    id="L1", product="blister_copper", capacity=4000.0, metal_stream="sales",
    energy_streams=(
        ("comprehensive", "grid"), ("furnace", "furnace-power"), ("rest", "grid"),
        ("rest", "-furnace-power"),
    ),
)  # fmt: skip
"""'rest' takes one stream of a balance from another: their errors largely cancel."""
PLACE = Site(
    id=SITE, name_zh="厂", name_en="works", enterprise="firm", city="东营市", lines=(LINE,)
)
PRODUCTS = frozenset({"blister_copper"})
EXACT = reconciled(readings())


def sheet(network: Network) -> Sheet:
    """A works without months: the measures read its network only."""
    return Sheet(network, (), (), (), (), ())


def figures(statement: Statement) -> dict[str, tuple[float, float]]:
    """Every flow, content, share of two contents, recovery, loss and consumption with its sd."""
    found = {
        f"{stream} {element}": (value, sd)
        for (stream, element), value, sd in zip(
            statement.keys, statement.value, statement.sd, strict=True
        )
    }
    for pair in combinations([key for key in statement.keys if key[1] == "Cu"], 2):
        share = statement.function(lambda v: float(v[0] / v.sum()), pair)
        assert share is not None
        found[f"{pair[0][0]} beside {pair[1][0]}"] = share
    here = sheet(works())
    for row in measures.recoveries(here, statement, PRODUCTS):
        found[f"recovery in {row['product']}"] = (row["recovery"], row["sd"])
    for row in measures.losses(here, statement, PRODUCTS):
        found[f"loss in {row['stream']}"] = (row["amount"], row["sd"])
    for row in measures.consumption(here, PLACE, statement, {"electricity": 122.9})[0]:
        found[f"{row['boundary']} consumption"] = (row["intensity"], row["sd"])
    return found


def test_every_figure_of_a_month_scatters_by_its_stated_sd() -> None:
    """Monte Carlo of noisy months: what is adjusted together has errors that partly cancel."""
    random = np.random.default_rng(11)
    names = [f"{one.meter}:{one.kind}" for one in readings()]
    runs = []
    for _ in range(RUNS):
        noise = dict(zip(names, random.standard_normal(len(names)), strict=True))
        equations = layout(works(), readings(noise))
        believed = estimate(equations, (), 0.05)
        month = replace(EXACT, layout=equations, raw=believed, final=believed)
        runs.append(figures(of_month(month)))
    stated = figures(of_month(EXACT))
    wrong = {}
    for name, (_, sd) in stated.items():
        scatter = float(np.std([run[name][0] for run in runs]))
        if abs(sd / scatter - 1.0) > CLOSE:
            wrong[name] = (sd, scatter)
    assert wrong == {}
    assert len(stated) == 15 + 15 + 2 + 1 + 3


def test_months_add_own_covariances_and_kept_errors() -> None:
    """Three months of the bus by hand: own errors in quadrature, kept ones thrice as large."""
    streams = ("grid", "furnace-power", "other-power")
    spread = np.diag([25.0**2, 15.0**2, 10.0**2])
    leak = np.array([[1.0, -1.0, -1.0]])
    pull = np.eye(3) - spread @ leak.T @ leak / (leak @ spread @ leak.T)
    wanted = (0.5 * 3.0 + 0.5 * 9.0) * pull @ spread @ pull.T
    year = total([of_month(EXACT)] * 3)
    for weights in ((1, 0, 0), (0, 1, 1), (1, -1, 0), (1, -2, 3)):
        slope = np.array(weights, dtype=float)
        found = year.function(
            lambda v, slope=slope: float(slope @ v), [(stream, "") for stream in streams]
        )
        assert found is not None
        assert found[1] == pytest.approx(sqrt(slope @ wanted @ slope), rel=1e-6)


def test_the_loadings_of_the_streams_carry_their_covariance() -> None:
    """Who adds the loadings group by group gets the sd of any sum, difference or ratio."""
    stated = total([of_month(EXACT)] * 3)
    rows = measures.stream_loadings(stated, "works/2026")
    groups = sorted({row["group"] for row in rows})
    matrix = {stream: np.zeros(len(groups)) for stream, element in stated.keys if not element}
    for row in rows:
        matrix[row["stream"]][groups.index(row["group"])] += row["loading"]
    assert "" not in groups
    for one, other in combinations(matrix, 2):
        for sign in (1.0, -1.0):
            found = stated.function(
                lambda v, sign=sign: float(v[0] + sign * v[1]), [(one, ""), (other, "")]
            )
            assert found is not None
            by_groups = np.linalg.norm(matrix[one] + sign * matrix[other])
            assert by_groups == pytest.approx(found[1], rel=1e-6, abs=1e-5)


def split() -> Network:
    """One sorter of pure copper: feed to a product and a residue."""
    ends = (
        ("feed", "outside", "sorter", "scrap"), ("red", "sorter", "outside", "blister_copper"),
        ("grey", "sorter", "outside", "residue"),
    )  # fmt: skip
    return Network(
        site="split",
        processes=(Process(id="sorter", name_zh="分选", name_en="sorter", balances=("Cu",)),),
        streams=tuple(
            Stream(
                id=id, name_zh=id, name_en=id, source=source, target=target, material=material,
                composition=(("Cu", 1.0, 0.0),),
            )
            for id, source, target, material in ends
        ),
        meters=tuple(Meter(id=f"W-{id}", stream=id, sd_absolute=0.1) for id, *_ in ends),
    )  # fmt: skip


def test_a_product_split_has_the_sd_of_the_hand_calculation() -> None:
    """10 = 6 + 4, each +- 0.1: GUM with the covariance 0.01 (I - a a' / 3) gives 0.0071181."""
    rows = [
        Reading(
            meter=f"W-{id}", where=id, kind="flow", element="", value=value, sd=0.1, unit="t",
            group=f"split/W-{id}", correlation=0.0, references=(),
        )
        for id, value in (("feed", 10.0), ("red", 6.0), ("grey", 4.0))
    ]  # fmt: skip
    statement = of_month(solve(202601, layout(split(), rows), treatment="keep", level=0.05))
    slope = np.array([0.0, 0.04, -0.06])
    wanted = 0.1 * sqrt(slope @ slope - 0.02**2 / 3.0)
    for row in measures.recoveries(sheet(split()), statement, PRODUCTS):
        assert (row["recovery"], row["sd"]) == pytest.approx((0.6, wanted), rel=1e-6)
    (loss,) = measures.losses(sheet(split()), statement, PRODUCTS)
    assert (loss["amount"], loss["sd"]) == pytest.approx((4.0, 0.1 * sqrt(2.0 / 3.0)), rel=1e-6)
    flows = [(id, "") for id in ("feed", "red", "grey")]
    gap = statement.function(lambda v: float(v[0] - v[1] - v[2]), flows)
    assert gap is not None
    assert gap[1] < 1e-6


def test_factors_make_up_a_covariance_that_is_not_of_full_rank() -> None:
    """A stream that is the sum of two others adds no factor; unrelated ones share none."""
    root = np.array([[1.0, 0.0, 0.0], [1.0, 2e-4, 0.0], [0.0, 2e-4, 0.0], [0.0, 0.0, 3e3]])
    found = factors(root @ root.T)
    assert found.shape == (4, 3)
    np.testing.assert_allclose(found @ found.T, root @ root.T, rtol=1e-9, atol=1e-15)
    assert (found[3, :2] == 0.0).all()
    assert factors(np.zeros((2, 2))).shape == (2, 0)


def test_a_year_of_a_large_site_is_small_and_quick() -> None:
    """Twelve statements of 400 quantities: 2 MB each, and the sum keeps one covariance."""
    keys = tuple((f"s{i}", "") for i in range(400))
    root = np.random.default_rng(0).standard_normal((400, 120))
    month = Statement(keys, np.ones(400), (), np.zeros((400, 0)), root @ root.T)
    year = total([month] * 12)
    assert year.covariance.nbytes < 2e6
    np.testing.assert_allclose(year.sd, np.sqrt(12.0) * month.sd)
    assert factors(year.covariance).shape == (400, 120)
