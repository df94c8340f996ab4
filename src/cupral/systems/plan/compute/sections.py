"""The monthly brief as sections of rows, before it becomes a page or a sheet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cupral.ledger.result import Result, Row

DEMONSTRATION = "演示数据，非真实企业 · demonstration data, no real firm"
"""Printed on every page and every sheet made from demonstration rows."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled table of the brief."""

    name: str
    title_zh: str
    title_en: str
    columns: tuple[tuple[str, str, str], ...]
    """(key of the row, Chinese heading, English heading)."""
    workbook_only: tuple[str, ...] = ()
    """Keys of columns that a page has no room for."""
    empty_zh: str = "无"
    empty_en: str = "none"


SECTIONS = (
    Section(
        name="targets", title_zh="一、目标", title_en="1 Targets",
        columns=(
            ("target", "目标", "target"), ("indicator_zh", "指标", "indicator"),
            ("indicator_en", "英文", "in English"), ("test", "检验", "test"),
            ("declared", "申报", "declared"), ("reconciled", "核算", "reconciled"),
            ("basis", "口径", "basis"), ("sd", "标准差", "sd"), ("unit", "单位", "unit"),
            ("distance", "差距", "distance"), ("met_declared", "申报结论", "declared says"),
            ("met_reconciled", "核算结论", "reconciled says"),
            ("verdict", "结论", "verdict"), ("probability_verdict", "达标概率", "P(met)"),
            ("badges", "提示", "badges"), ("needs", "缺", "needs"),
        ),
        workbook_only=("sd", "distance", "met_declared", "met_reconciled", "badges"),
    ),
    Section(
        name="changes", title_zh="二、较上一版变化", title_en="2 Changes since the last version",
        columns=(
            ("test_id", "检验", "test"), ("figure", "数值", "figure"), ("was", "原", "was"),
            ("now", "现", "now"), ("unit", "单位", "unit"), ("was_met", "原结论", "was said"),
            ("now_met", "现结论", "now says"), ("since", "原凭证号", "since posting"),
        ),
        empty_zh="无变化或无上一版", empty_en="no change, or no earlier version",
    ),
    Section(
        name="meters", title_zh="三、影响目标的故障仪表",
        title_en="3 Faulty meters that moved targets",
        columns=(
            ("target", "目标", "target"), ("site", "工厂", "site"), ("months", "月份", "months"),
            ("meters", "仪表", "meters"), ("kind", "类型", "kind"), ("size", "大小", "size"),
            ("size_unit", "单位", "unit"), ("moved", "使目标移动", "moved the target by"),
            ("moved_unit", "单位", "unit"),
        ),
    ),
    Section(
        name="departments", title_zh="四、部门", title_en="4 Departments",
        columns=(
            ("department_zh", "部门", "department"), ("department_en", "英文", "in English"),
            ("lead", "牵头", "leads"), ("supporting", "配合", "supports"),
            ("reported", "已报", "reported"), ("done", "完成", "done"),
            ("overdue", "逾期", "overdue"), ("progress", "平均进度 %", "mean progress %"),
        ),
    ),
    Section(
        name="clauses", title_zh="五、督办台账", title_en="5 Clauses by department",
        columns=(
            ("lead", "牵头单位", "lead"), ("supporting", "配合单位", "supporting"),
            ("clause", "举措", "clause"), ("text_zh", "内容", "text"),
            ("text_en", "英文", "in English"), ("deadline", "期限", "deadline"),
            ("progress", "进度 %", "progress %"), ("state", "状态", "state"),
            ("evidence", "佐证", "evidence"), ("systems", "系统", "systems"),
        ),
        workbook_only=("text_en", "systems"),
    ),
)  # fmt: skip


def heading(brief: Result) -> Row:
    """The one row with the brief's title, period and standing."""
    return brief.tables["title"][0]


def lines(brief: Result) -> tuple[str, ...]:
    """The lines under the title: period, what it stands on, and the demonstration flag."""
    title = heading(brief)
    stand = f"账本凭证号 ledger posting {brief.versions.ledger} · 参数 parameters"
    stand += f" {brief.versions.parameters} · 代码 code {brief.versions.code}"
    flag = (DEMONSTRATION,) if brief.demonstration else ()
    return (f"截至 through {title['through']}", stand, *flag)


def rows(brief: Result, section: Section) -> tuple[Row, ...]:
    """The rows of a section, in units and months that a reader knows."""
    return tuple(_readable(row) for row in brief.tables.get(section.name, ()))


READABLE = {"1": (100.0, "百分点 points"), "kg/kg": (1e6, "g/t")}
"""Unit of a difference -> factor and name under which it is printed."""


def _readable(row: Row) -> Row:
    """A row with its months written out and its small numbers in other units."""
    shown = dict(row)
    if "months" in row:
        shown["months"] = [f"{month // 100}-{month % 100:02d}" for month in row["months"]]
    for name, unit in (("size", "size_unit"), ("moved", "moved_unit")):
        if row.get(unit) in READABLE and row[name] is not None:
            scale, shown[unit] = READABLE[row[unit]]
            shown[name] = row[name] * scale
    return shown


def page_columns(section: Section) -> tuple[tuple[str, str, str], ...]:
    """The columns of a section that a page shows."""
    return tuple(column for column in section.columns if column[0] not in section.workbook_only)


def cell(value: Any) -> str | float | int:
    """A value as it is printed: numbers stay numbers, the rest is plain text."""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, int | float):
        return value
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        return clean("; ".join(f"{name}: {item}" for name, item in value.items()))
    if isinstance(value, Iterable) and not isinstance(value, str):
        return clean("; ".join(str(item) for item in value))
    return clean(WORDS.get(str(value), str(value)))


WORDS = {
    "met": "达标 met", "not met": "未达标 not met", "cannot decide": "无法判断 cannot decide",
    "declared": "申报 declared", "reconciled": "核算 reconciled", "modelled": "估算 modelled",
    "open": "进行中 open", "done": "完成 done", "not reported": "未报 not reported",
}  # fmt: skip
"""Words of a Result in both languages."""


def clean(text: str) -> str:
    """Text without characters that an XML file cannot hold."""
    return _UNPRINTABLE.sub("\ufffd", text)[:32000]
