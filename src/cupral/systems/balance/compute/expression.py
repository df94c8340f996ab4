"""Formulae that people write, evaluated without executing anything but arithmetic."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

from cupral.ledger.errors import InputError

_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "cos": math.cos, "sin": math.sin, "tan": math.tan, "exp": math.exp, "log": math.log,
    "sqrt": math.sqrt,
}  # fmt: skip
LONGEST = 500
"""Characters of a formula."""


def formula(text: str, names: Mapping[str, int]) -> Callable[[Mapping[str, float]], float]:
    """A formula as a function of named values.

    Raises
    ------
    InputError
        If the text is no formula of these names, + - * / ** and the known functions.

    Examples
    --------
    >>> formula("V / I * cos(phi)", {"V": 0, "I": 1, "phi": 2})({"V": 6.0, "I": 2.0, "phi": 0.0})
    3.0
    """
    if len(text) > LONGEST:
        raise InputError(f"formula has {len(text)} characters; at most {LONGEST} are allowed")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise InputError(f"{text!r} is no formula; write for example V / I * cos(phi)") from None
    _check(tree, text, names)
    return lambda values: _evaluate(tree, values)


def _check(node: ast.expr, text: str, names: Mapping[str, int]) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id=name) if name in names:
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, text, names)
            _check(right, text, names)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            _check(inner, text, names)
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
            _check(inner, text, names)
        case _:
            raise InputError(
                f"{ast.unparse(node)!r} in formula {text!r} is not allowed; use the names"
                f" {sorted(names)}, numbers, + - * / ** and {sorted(FUNCTIONS)}"
            )


def _evaluate(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_evaluate(left, values), _evaluate(right, values))
        case ast.UnaryOp(operand=inner):
            return -_evaluate(inner, values)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return FUNCTIONS[name](_evaluate(inner, values))
    raise AssertionError(node)  # _check lets nothing else through
