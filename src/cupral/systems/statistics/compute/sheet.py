"""The table in which returns are handed in: one row a figure."""

from collections.abc import Sequence
from typing import Any

from cupral.ledger.errors import Fault
from cupral.ledger.template import Column, Row, Template
from cupral.systems.statistics.model import BOUNDARIES, ITEMS, PRODUCTS

FACT_ITEMS = ("value_added_rate", "price_index", "restated")

TEMPLATE = Template(
    "returns",
    "企业月度报表 monthly returns",
    (
        Column(name="enterprise", aliases=("企业",), required=True, example="demo-a",
               description_zh="企业代码", description_en="id of a registered enterprise"),
        Column(name="period", aliases=("时期",), kind="period", required=True, example="2026-03",
               description_zh="月份，1—2月可合并为 2026-JF",
               description_en="month, or 2026-JF for January and February merged"),
        Column(name="above_designated_size", aliases=("规模以上",), kind="flag", required=True,
               example="是", description_zh="是否在本年度规模以上名录内",
               description_en="in this year's list of enterprises above designated size"),
        Column(name="item", aliases=("指标",), kind="choice", required=True,
               allowed=(*ITEMS, *FACT_ITEMS), example="output",
               description_zh="指标；value_added_rate、price_index 为比率，restated 为上年同口径数",
               description_en="what the row says; restated = last year's figure in this scope"),
        Column(name="product", aliases=("产品",), kind="choice", allowed=tuple(PRODUCTS),
               example="cathode_copper", description_zh="产品（产量、分线产量）",
               description_en="product, for outputs"),
        Column(name="site", aliases=("厂区",), description_zh="厂区代码（分线指标）",
               description_en="site, for line figures"),
        Column(name="line", aliases=("生产线",), description_zh="生产线代码（分线指标）",
               description_en="line, for line figures"),
        Column(name="boundary", aliases=("能耗口径",), kind="choice", allowed=BOUNDARIES,
               description_zh="能耗口径（分线能耗）", description_en="boundary, for line energy"),
        Column(name="figure", aliases=("上年指标",), example="value_added",
               description_zh="restated 行所指的指标，如 value_added 或 output:cathode_copper",
               description_en="which figure a restated row restates"),
        Column(name="amount", aliases=("数值",), kind="number", required=True, example="1.35",
               description_zh="数值", description_en="the figure"),
        Column(name="unit", aliases=("单位",), kind="unit", required=True, example="万吨",
               allowed=("%", "1"), description_zh="单位：吨、万吨、万元、亿元、MWh 等",
               description_en="t, 万吨, CNY, 万元, MWh ...; 1 or % for rates"),
    ),
)  # fmt: skip
"""Headers, Chinese first; the names in English are recognised too."""

_ITEM_COLUMNS = ("item", "product", "site", "line", "boundary", "amount", "unit")


def grouped(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], list[int], list[Fault]]:
    """Rows of a file as returns, the first line of each return, and what contradicts itself."""
    returns: dict[tuple[str, str], dict[str, Any]] = {}
    lines: list[int] = []
    faults: list[Fault] = []
    for row in rows:
        key = (row["enterprise"], str(row["period"]))
        if key not in returns:
            lines.append(row.number)
            returns[key] = {
                "enterprise": key[0], "period": key[1], "items": [],
                "above_designated_size": row["above_designated_size"],
            }  # fmt: skip
        _add(returns[key], row, faults)
    return list(returns.values()), lines, faults


def _add(filed: dict[str, Any], row: Row, faults: list[Fault]) -> None:
    if row["above_designated_size"] != filed["above_designated_size"]:
        faults.append(
            Fault(row.number, "above_designated_size", str(row["above_designated_size"]),
                  "differs from the rows above of the same return", "write one answer")
        )  # fmt: skip
    item = row["item"]
    if item == "restated":
        filed.setdefault("restated", {})[row["figure"] or ""] = row["amount"]
    elif item in FACT_ITEMS:
        percent = item == "value_added_rate" and row["unit"] == "%"
        filed[item] = row["amount"] / 100.0 if percent else row["amount"]
    else:
        filed["items"].append({name: row[name] for name in _ITEM_COLUMNS if row[name] is not None})
