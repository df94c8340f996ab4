"""Cupral: the operating system of a province's copper and aluminium industry.

Everything is a query on a ledger of flows.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
