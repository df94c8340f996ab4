"""The questions that statistics answers."""
