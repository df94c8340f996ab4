"""Refusal: nobody is signed in, or asks too often."""

from cupral.ledger.errors import CupralError


class NotSignedIn(CupralError):
    """Nobody, or not the one who is asked for, is signed in."""


class TooOften(CupralError):
    """Asked more often than is allowed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds + 0.5))
        super().__init__(f"too many requests; try again in {self.seconds} s")
