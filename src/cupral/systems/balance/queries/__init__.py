"""The questions that the balance system answers."""
