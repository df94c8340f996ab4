"""Loops as machine code, where numba is installed; the same functions run, slowly, without it."""

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays and numbers, compiled at its first use and kept on disk.

    numba is loaded when something is compiled, not when the package is imported; compiled
    functions let go of the interpreter, so that threads share the cores.
    """
    try:
        from numba import njit  # noqa: PLC0415  (the one place that wraps this engine)
    except ImportError:
        return function
    result: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    return result


def is_compiling() -> bool:
    """Whether `compiled` makes machine code here."""
    return compiled(_nothing) is not _nothing


def _nothing() -> None:
    """The smallest function."""
