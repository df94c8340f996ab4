"""The HTTP interface: every query and command by its signature, jobs, live figures, pages."""
