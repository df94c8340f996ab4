"""How a site's month is reconciled: read, lay out, solve, report. Pure functions."""
