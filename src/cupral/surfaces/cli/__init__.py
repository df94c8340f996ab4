"""The command line: parse, call, print."""

from cupral.surfaces.cli.app import main

__all__ = ["main"]
