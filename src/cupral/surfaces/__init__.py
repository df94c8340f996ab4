"""Surfaces: command line, HTTP interface and pages. They parse, call and show; nothing else."""
