"""YAML text becomes the sheets of a network file, every value with its line."""

from collections.abc import Mapping
from typing import Any

import yaml

from cupral.ledger.errors import Fault, RowFaults
from cupral.ledger.template import Reading, Template, parse_rows, suggest
from cupral.ledger.template.separated import Grid
from cupral.systems.balance.commands.sheets import SHEETS

SIZE_LIMIT = 2_000_000
DEPTH_LIMIT = 20
"""Lists within lists; the reader's time grows with the square of the depth."""
_EMPTY = ("", "~", "null", "Null", "NULL")


def yaml_readings(content: bytes, filename: str) -> dict[str, Reading]:
    """Readings of the sheets that a YAML file holds.

    Raises
    ------
    RowFaults
        If the text is no YAML of this shape; each fault names its line.
    """
    root = _root(content, filename)
    readings, faults = {}, []
    for key, node in _items(root, filename):
        name = key.value
        if name not in SHEETS:
            what = f"no section is called {name!r}{suggest(name, SHEETS)}"
            faults.append(Fault(_line(key), name, "", what, f"use {', '.join(SHEETS)}"))
        else:
            readings[name] = _reading(node, SHEETS[name], filename, _line(key))
    if faults:
        raise RowFaults(filename, faults)
    return readings


def _root(content: bytes, filename: str) -> yaml.MappingNode:
    if len(content) > SIZE_LIMIT:
        raise _refused(filename, None, f"is {len(content):,} bytes long", "split the network")
    try:
        text = content.decode("utf-8-sig")
        _plain_events(text, filename)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(filename, line, "is not UTF-8", "save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = f"this is not YAML ({error.problem or error.context})"
        raise _refused(
            filename, line, what, "check indentation, colons and quotation marks"
        ) from None
    except yaml.YAMLError as error:
        what = f"this is not YAML ({str(error).splitlines()[0]})"
        raise _refused(filename, 1, what, "save it as plain UTF-8 text") from None
    if not isinstance(root, yaml.MappingNode):
        cure = f"write the sections {', '.join(SHEETS)}"
        raise _refused(filename, 1, "the file does not hold named sections", cure)
    return root


def _plain_events(text: str, filename: str) -> None:
    """Refuse what could grow without bound, before a tree is made of it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(filename, line, "anchors and aliases are not read", "write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            cure = f"write the sections {', '.join(SHEETS)}"
            raise _refused(filename, line, f"lists stand {depth} deep in each other", cure)


def _refused(filename: str, line: int | None, what: str, cure: str) -> RowFaults:
    return RowFaults(filename, [Fault(line, None, "", what, cure)])


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _items(node: yaml.MappingNode, filename: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    seen: set[str] = set()
    for key, _value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused(filename, _line(key), "a key must be a word", "write name: value")
        if key.value in seen:
            what = f"{key.value!r} is given twice"
            raise _refused(filename, _line(key), what, "delete one of the two")
        seen.add(key.value)
    return list(node.value)


def _reading(node: yaml.Node, template: Template, filename: str, line: int) -> Reading:
    if isinstance(node, yaml.MappingNode):
        items: list[yaml.Node] = [node]
    elif isinstance(node, yaml.SequenceNode):
        items = node.value
    elif node.value in _EMPTY:
        return Reading()
    else:
        cure = "write a list: each item begins with '- id: ...'"
        raise _refused(filename, line, f"{template.name} is not a list", cure)
    faults: list[Fault] = []
    rows = [(_line(item), _cells(item, template, filename, faults)) for item in items]
    if faults:
        raise RowFaults(filename, faults)
    names = tuple(column.name for column in template.columns)
    if not rows:
        return Reading()
    return parse_rows(Grid(((line, names), *rows), (), template.name), template)


def _cells(
    item: yaml.Node, template: Template, filename: str, faults: list[Fault]
) -> tuple[Any, ...]:
    if not isinstance(item, yaml.MappingNode):
        cure = "write '- id: ...' and the other values indented below"
        raise _refused(filename, _line(item), f"an item of {template.name} is no mapping", cure)
    values: dict[str, Any] = {}
    names = [column.name for column in template.columns]
    for key, node in _items(item, filename):
        if key.value not in names:
            where = f"{template.name}.{key.value}"
            what = f"{template.name} have no {key.value!r}{suggest(key.value, names)}"
            faults.append(Fault(_line(key), where, "", what, f"use {', '.join(names)}"))
        else:
            values[key.value] = _cell(node)
    return tuple(values.get(name) for name in names)


def _cell(node: yaml.Node) -> Any:
    """A scalar as it is written; lists and mappings in the form that a workbook cell has."""
    if isinstance(node, yaml.ScalarNode):
        return None if node.value in _EMPTY and node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return "; ".join(str(_cell(item)) for item in node.value)
    return "; ".join(f"{key.value}={_spread(value)}" for key, value in node.value)


def _spread(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "±".join(str(_cell(item)) for item in node.value[:2])
    return str(_cell(node))


def yaml_file(rows: Mapping[str, list[dict[str, Any]]]) -> bytes:
    """Sheets as YAML text that reads back equal."""
    plain: dict[str, Any] = {
        name: [
            {key: _plain(value) for key, value in row.items() if value is not None} for row in table
        ]
        for name, table in rows.items()
    }
    plain["site"] = plain["site"][0]
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100)
    return text.encode()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)
