"""Shapes of values, what a change changes, and signatures: pure functions."""
