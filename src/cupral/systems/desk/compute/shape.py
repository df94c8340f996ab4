"""Shape: whether a value from outside is of the kind that a parameter has, in its unit."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from cupral.ledger.errors import InputError
from cupral.ledger.parameter import Definition, Parameter
from cupral.ledger.quantity import factor

_KINDS = {"number": "a finite number", "text": "a text", "table": "a table", "list": "a list"}


def fitted(value: Any, unit: str, known: Definition, dated: Sequence[Parameter]) -> Any:
    """A value in the unit of its parameter, if it has the shape of the values that there are.

    Where there is none, it has the shape of the parameter's example, or is one number.

    Parameters
    ----------
    value : a number, table or list; or the JSON text of one
    unit : '' = that of the parameter

    Raises
    ------
    InputError
        Saying what is allowed.
    """
    given = read(value, known.id)
    example = 1.0 if known.example is None else known.example
    try:
        _check(known.id, given, [one.value for one in dated] or [example])
    except RecursionError:
        raise InputError(f"{known.id}: the value is nested too deeply; write one table") from None
    return _converted(given, unit.strip() or known.unit, known)


def read(value: Any, id: str) -> Any:
    """A value, from its JSON text if it is a text.

    Raises
    ------
    InputError
        If the text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=_once)
    except ValueError as error:
        raise InputError(
            f"{id}: {value[:60]!r} is no value ({error}); write a number as 12950, a table as"
            ' {"level1": 12950}, a list as ["Au", "Ag"]'
        ) from None
    except RecursionError:
        raise InputError(f"{id}: the value is nested too deeply; write one table") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is given twice")
    return made


def _check(where: str, value: Any, samples: Sequence[Any]) -> None:
    kind = _kind(where, value)
    allowed = dict.fromkeys(_kind(where, sample) for sample in samples)
    if kind not in allowed:
        told = " or ".join(_KINDS[name] for name in allowed)
        raise InputError(f"{where}: {str(value)[:60]!r} is no value here; allowed is {told}")
    alike = [sample for sample in samples if _kind(where, sample) == kind]
    if kind == "table":
        _check_table(where, value, alike)
    elif kind == "list":
        if not value:
            raise InputError(f"{where}: the list is empty; allowed is at least one item")
        for number, item in enumerate(value, start=1):
            _check(f"{where}[{number}]", item, [inner for sample in alike for inner in sample])


def _kind(where: str, value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "table"
    if isinstance(value, list | tuple):
        return "list"
    try:
        if not isinstance(value, bool) and math.isfinite(value):
            return "number"
    except (TypeError, OverflowError):
        pass
    raise InputError(f"{where}: {str(value)[:60]!r} is no finite number, text, table or list")


def _check_table(
    where: str, value: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]
) -> None:
    """Keys that all samples have are needed, those that one has are allowed."""
    if not value:
        raise InputError(f"{where}: the table is empty; allowed is at least one key")
    allowed = dict.fromkeys(key for sample in samples for key in sample)
    needed = [key for key in allowed if all(key in sample for sample in samples)]
    missing = [key for key in needed if key not in value]
    strange = [key for key in value if key not in allowed]
    if missing or strange:
        faults = [*(f"lacks {key}" for key in missing), *(f"has {key}" for key in strange)]
        raise InputError(
            f"{where}: the table {', '.join(faults)}; its keys are {', '.join(allowed)}"
        )
    for key, item in value.items():
        _check(f"{where}.{key}", item, [sample[key] for sample in samples if key in sample])


def _converted(value: Any, unit: str, known: Definition) -> Any:
    if unit == known.unit:
        return value
    try:
        scale = factor(unit, known.unit)
    except InputError as error:
        raise InputError(f"{known.id} is kept in {known.unit!r}: {error}; give it so") from None
    leaves = value.values() if isinstance(value, Mapping) else value
    flat = [value] if not isinstance(value, Mapping | list | tuple) else list(leaves)
    if any(not isinstance(leaf, int | float) for leaf in flat):
        raise InputError(
            f"{known.id} holds more than plain numbers, so {unit!r} is not converted;"
            f" give it in {known.unit!r}"
        )
    if isinstance(value, Mapping):
        return {key: number * scale for key, number in value.items()}
    return [number * scale for number in value] if len(flat) > 1 else flat[0] * scale


def overlaps(new: Parameter, dated: Sequence[Parameter]) -> list[dict[str, str]]:
    """What a value does to those beside it: `what` and the day from which the other holds.

    'replaces' the one of the same day, 'follows' the one in force before, 'ends' where a later
    one begins though it claims more, 'gives way' to an earlier one again after its last day.
    """
    found = [("replaces", one) for one in dated if one.valid_from == new.valid_from]
    others = [one for one in dated if one.valid_from != new.valid_from]
    before = [one for one in others if one.valid_from < new.valid_from
              and (one.valid_to is None or new.valid_from < one.valid_to)]  # fmt: skip
    found += [("follows", one) for one in before[-1:]]
    later = [one for one in others if one.valid_from > new.valid_from
             and (new.valid_to is None or one.valid_from < new.valid_to)]  # fmt: skip
    found += [("ends", one) for one in later[:1]]
    until = new.valid_to
    again = [] if until is None else [
        one for one in before if one.valid_to is None or until < one.valid_to
    ]  # fmt: skip
    found += [("gives way", one) for one in again[-1:]]
    return [{"what": what, "valid_from": one.valid_from.isoformat()} for what, one in found]
