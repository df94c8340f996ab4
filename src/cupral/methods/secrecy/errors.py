"""Errors of secrecy, and the tree they form.

SecrecyError (ValueError)
├── TableError        arrays do not fit, or a cell is not the sum of its parts
├── RuleError         a rule outside the range in which its protection adds up over periods
└── UnprotectedError  no pattern of hidden cells protects every sensitive one
"""


class SecrecyError(ValueError):
    """A table cannot be kept secret as it was asked."""


class TableError(SecrecyError):
    """Arrays do not fit, or a cell is not the sum of its parts."""


class RuleError(SecrecyError):
    """A rule outside the range in which its protection adds up over periods."""


class UnprotectedError(SecrecyError):
    """No pattern of hidden cells protects every sensitive one."""
