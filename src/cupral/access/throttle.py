"""Throttle: how often one account or one address may ask, by token buckets in memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from cupral.access.refusal import TooOften

MOST_KEYS = 50_000
"""Buckets that are remembered; the longest unused is forgotten, and was full by then."""


@dataclass(slots=True)
class Throttle:
    """Buckets of `burst` tokens that fill by `rate` a second.

    Examples
    --------
    >>> throttle = Throttle(rate=1.0, burst=2)
    >>> [throttle.wait("a", now) for now in (0.0, 0.0, 0.0, 1.0)]
    [0.0, 0.0, 1.0, 0.0]
    """

    rate: float
    burst: float
    _left: "OrderedDict[str, tuple[float, float]]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, key: str, now: float) -> float:
        """Take a token; returns the seconds until there is one (0 = taken)."""
        with self._lock:
            left, at = self._left.pop(key, (self.burst, now))
            left = min(self.burst, left + (now - at) * self.rate)
            taken = left >= 1.0
            self._left[key] = (left - taken, now)
            while len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)
        return 0.0 if taken else (1.0 - left) / self.rate

    def demand(self, key: str, now: float) -> None:
        """Take a token.

        Raises
        ------
        TooOften
            If there is none.
        """
        seconds = self.wait(key, now)
        if seconds:
            raise TooOften(seconds)
