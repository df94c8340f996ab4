"""The questions that efficiency answers."""
