"""Drawings made on the server: plain descriptions that a template turns into SVG."""
