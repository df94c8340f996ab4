"""Pages: server-rendered HTML that reads without scripts, Chinese first, English beside it."""
