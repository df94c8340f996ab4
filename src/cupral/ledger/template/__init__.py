"""Templates: what a file from outside must look like, and how it is read, refused or written."""

from cupral.ledger.template.cell import Below
from cupral.ledger.template.column import Column, Template
from cupral.ledger.template.reading import Reading, Row, parse_rows, read, suggest
from cupral.ledger.template.separated import guard
from cupral.ledger.template.workbook import grids
from cupral.ledger.template.writing import sheet_file, template_file

__all__ = [
    "Below",
    "Column",
    "Reading",
    "Row",
    "Template",
    "grids",
    "guard",
    "parse_rows",
    "read",
    "sheet_file",
    "suggest",
    "template_file",
]
