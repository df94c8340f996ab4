"""What the plan system ships: the plan of 2026, the metric table and the owner table."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cupral.systems.plan.compute import reading
from cupral.systems.plan.model import Metric, Plan

SHIPPED = ("shandong_nonferrous_2026.toml",)


@lru_cache(maxsize=1)
def plans() -> Mapping[str, Plan]:
    """Shipped plans by id."""
    found = [reading.plan(_table("plans", name)) for name in SHIPPED]
    return {plan.id: plan for plan in found}


@lru_cache(maxsize=1)
def metrics() -> Mapping[str, Metric]:
    """Which queries answer each metric."""
    return reading.metrics(_table("tables", "metrics.toml"))


@lru_cache(maxsize=1)
def owners() -> Mapping[str, Mapping[str, Any]]:
    """Which system owns each product, technology, cluster, region, policy and clause."""
    return _table("tables", "owners.toml")


def _table(folder: str, name: str) -> dict[str, Any]:
    return tomllib.loads(files("cupral.systems.plan").joinpath(folder, name).read_text("utf-8"))
