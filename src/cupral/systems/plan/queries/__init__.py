"""The questions that the plan system answers."""
