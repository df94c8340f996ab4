"""The sheets of a network file: what a person writes of a site, its processes, streams, meters."""

import re
from collections.abc import Mapping
from typing import Any

from cupral.ledger.registers import Line, Meter, Network, Process, Site, Stream
from cupral.ledger.template import Column, Template
from cupral.systems.balance.commands.rows import Refused


def _column(name: str, zh: str, en: str, example: str = "", **more: Any) -> Column:
    return Column(
        name=name, aliases=(name, zh), description_zh=zh, description_en=en, example=example, **more
    )


_ID = _column("id", "编号", "short unique id", "ct1", required=True)
_ZH = _column("name_zh", "中文名", "Chinese name", "一号转炉")
_EN = _column("name_en", "英文名", "English name", "converter 1")
_KINDS = {"kind": "number", "minimum": 0}

SITE = Template(
    "site",
    "厂区 site",
    (
        _ID,
        _ZH,
        _EN,
        _column("enterprise", "企业", "id of the enterprise", "my-smelter", required=True),
        _column("city", "城市", "city", "kunming"),
        _column("cluster", "集群", "cluster of the plan"),
        _column("kind", "类型", "kind of site", "smelter"),
        _column("attribution", "数据来源", "to be shown wherever the data appear"),
        _column("valid_from", "生效月份", "first month of this network", "2026-01"),
        _column("note", "备注", "free text"),
        _column("demonstration", "演示", "fictional data", "no", kind="flag"),
    ),
)
PROCESSES = Template(
    "processes",
    "工序 processes",
    (
        _ID,
        _ZH,
        _EN,
        _column("kind", "类型", "unit or stock", "unit", kind="choice", allowed=("unit", "stock")),
        _column("balances", "守恒", "what is conserved: mass, energy, elements", "Cu; S; Fe"),
        _column("stock_prior", "存量先验", "sd of the unweighed stock change a month", "Cu=500"),
    ),
)
STREAMS = Template(
    "streams",
    "物流 streams",
    (
        _ID,
        _ZH,
        _EN,
        _column("source", "起点", "process it leaves, or outside", "outside", required=True),
        _column("target", "终点", "process it enters, or outside", "ct1", required=True),
        _column("material", "物料", "material or energy carrier", "copper_concentrate"),
        _column("carrier", "载体", "mass or energy", kind="choice", allowed=("mass", "energy")),
        _column("unit", "单位", "unit of the amount", "t", kind="unit"),
        _column("composition", "组成", "known fractions, ± sd", "S=0.3269; Cu=0.99±0.001"),
    ),
)
METERS_SHEET = Template(
    "meters",
    "计量点 meters",
    (
        _ID,
        _column("stream", "物流", "stream; for a stocktake the process", "conc", required=True),
        _column(
            "kind", "类型", "flow, assay or stocktake", "flow",
            kind="choice", allowed=("flow", "assay", "stocktake"),
        ),
        _column("element", "元素", "element of an assay", "Cu"),
        _column("unit", "单位", "unit of a count", "t", kind="unit"),
        _column("multiplier", "倍率", "what one count is in the unit", "200", kind="number"),
        _column("rollover", "满量程", "counter value that reads zero again", "1000000", **_KINDS),
        _column("sd_relative", "相对标准差", "share of the reading", "0.01", **_KINDS),
        _column("sd_absolute", "绝对标准差", "in the unit; fraction for an assay", "0.5", **_KINDS),
        _column("correlation_group", "相关组", "meters that share part of their error"),
        _column("correlation", "相关系数", "share of the variance in common", "0.3",
                kind="number", minimum=0, maximum=1),
    ),
)  # fmt: skip
LINES = Template(
    "lines",
    "生产线 lines",
    (
        _ID,
        _column("product", "产品", "product", "cathode_copper", required=True),
        _column("capacity", "产能", "registered capacity [t/a]", "200000", required=True, **_KINDS),
        _column("metal_stream", "金属物流", "stream that carries the product", required=True),
        _column("energy_streams", "能源物流", "boundary=stream", "liquid_ac=AC-1; dc=DC-1"),
        _column("compliant", "合规产能", "yes or no", kind="flag"),
        _column("operating", "在产", "yes or no", kind="flag"),
    ),
)
SHEETS = {sheet.name: sheet for sheet in (SITE, PROCESSES, STREAMS, METERS_SHEET, LINES)}
"""Sheets of a network file, in order."""

_PAIR = re.compile(r"\s*([^=:]+?)\s*[=:]\s*([^±]+?)\s*(?:(?:±|\+/-)\s*(.+?))?\s*")


def words(text: str | None) -> tuple[str, ...]:
    """A list written in one cell.

    Examples
    --------
    >>> words("Cu; S，Fe")
    ('Cu', 'S', 'Fe')
    """
    return tuple(word for word in re.split(r"[;,，；、\s]+", text or "") if word)


def pairs(text: str | None, column: str) -> tuple[tuple[str, str, str], ...]:
    """(name, value, spread) triples written in one cell as 'Cu=0.99±0.001; S=0.01'."""
    found = []
    for part in re.split(r"[;；]", text or ""):
        if not part.strip():
            continue
        match = _PAIR.fullmatch(part)
        if match is None:
            cure = "write name=value, separated by semicolons"
            raise Refused(column, part, f"{part.strip()!r} is not name=value", cure)
        found.append((match[1], match[2], match[3] or "0"))
    return tuple(found)


def number(text: str, column: str, *, most: float = float("inf")) -> float:
    """A number within a cell of pairs."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        limit = f" and at most {most:g}" if most < float("inf") else ""
        raise Refused(column, text, f"{text!r} is no number >= 0{limit}", "write e.g. 0.3269")
    return value


def rows_of(site: Site, network: Network) -> Mapping[str, list[dict[str, Any]]]:
    """A site and its network as rows of the sheets."""
    return {
        "site": [_site(site, network)],
        "processes": [_process(process) for process in network.processes],
        "streams": [_stream(stream) for stream in network.streams],
        "meters": [_meter(meter) for meter in network.meters],
        "lines": [_line(line) for line in site.lines],
    }


def _named(template: Template, noun: Any) -> dict[str, Any]:
    return {c.name: getattr(noun, c.name, None) for c in template.columns}


def _site(site: Site, network: Network) -> dict[str, Any]:
    more = {name: getattr(network, name) for name in ("valid_from", "note")}
    return _trimmed({**_named(SITE, site), **more})


def _process(process: Process) -> dict[str, Any]:
    prior = "; ".join(f"{name}={sd!r}" for name, sd in process.stock_prior)
    more = {"balances": "; ".join(process.balances), "stock_prior": prior}
    return _trimmed({**_named(PROCESSES, process), **more})


def _stream(stream: Stream) -> dict[str, Any]:
    known = (f"{e}={x!r}" + (f"±{sd!r}" if sd else "") for e, x, sd in stream.composition)
    return _trimmed({**_named(STREAMS, stream), "composition": "; ".join(known)})


def _meter(meter: Meter) -> dict[str, Any]:
    blank = {"multiplier": 1.0, "sd_relative": 0.0, "sd_absolute": 0.0, "correlation": 0.0}
    row = _named(METERS_SHEET, meter)
    return _trimmed({n: None if blank.get(n) == value else value for n, value in row.items()})


def _line(line: Line) -> dict[str, Any]:
    energy = "; ".join(f"{boundary}={stream}" for boundary, stream in line.energy_streams)
    return _trimmed({**_named(LINES, line), "energy_streams": energy})


def _trimmed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in row.items()}
