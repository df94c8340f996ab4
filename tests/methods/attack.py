"""An attacker's own linear programs, written without any of the code under test.

He does not think in cells but in contributions: who filed where is known to everybody, what was
filed is not. Unknown is the amount of each filing; known are the published totals, that no
amount is negative, and his own filings. He looks for the highest and lowest amount that a rival
can have contributed to a cell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

Filing = tuple[object, int]
"""Leaf and holder."""


@dataclass(frozen=True)
class Published:
    """A total that a reader knows: the filings that it sums, and its value."""

    of: frozenset[Filing]
    value: float


class Attacker:
    """A reader with all published totals and his own filings."""

    def __init__(
        self, filed: Mapping[Filing, float], published: Sequence[Published], reader: int | None
    ) -> None:
        self.filed = filed
        self.unknown = [key for key in filed if key[1] != reader]
        place = {key: number for number, key in enumerate(self.unknown)}
        rows, sums = [], []
        for total in published:
            row = np.zeros(len(self.unknown))
            for key in total.of:
                if key in place:
                    row[place[key]] = 1.0
            rows.append(row)
            sums.append(total.value - sum(filed[key] for key in total.of if key[1] == reader))
        self.place, self.rows, self.sums = place, rows, sums

    def limit(self, of: Iterable[Filing], *, highest: bool) -> float:
        """The highest or lowest sum of some unknown filings."""
        cost = np.zeros(len(self.unknown))
        for key in of:
            cost[self.place[key]] = -1.0 if highest else 1.0
        rows = np.array(self.rows) if self.rows else None
        sums = np.array(self.sums) if self.rows else None
        scale = max(1.0, *map(abs, self.filed.values()))
        found = linprog(cost, A_eq=rows, b_eq=None if sums is None else sums / scale)
        if found.status == 3:
            return np.inf
        assert found.status == 0, found.message
        return float(abs(found.fun)) * scale


def leaks(
    filed: Mapping[Filing, float],
    cells: Mapping[object, frozenset[Filing]],
    hidden: set[object],
    p: float,
) -> list[tuple[object, int | None, int]]:
    """Every (cell, reader, rival) where the reader brings the rival's part closer than p.

    Above: he can rule out more than (1 + p) times the true amount. Below: he can rule out less
    than (1 - p) times it, which only a cell of one rival can give away.
    """
    published = [
        Published(keys, sum(filed[key] for key in keys))
        for cell, keys in cells.items() if cell not in hidden
    ]  # fmt: skip
    found = []
    for reader in (None, *sorted({key[1] for key in filed})):
        attacker = Attacker(filed, published, reader)
        for cell, keys in cells.items():
            rivals = {key[1] for key in keys} - {reader}
            for rival in rivals:
                his = [key for key in keys if key[1] == rival]
                true = sum(filed[key] for key in his)
                if true <= 0:
                    continue
                above = attacker.limit(his, highest=True) < (1 + p) * true * (1 - 1e-6)
                below = attacker.limit(his, highest=False) > (1 - p) * true * (1 + 1e-6)
                if above or (below and len(rivals) == 1):
                    found.append((cell, reader, rival))
    return found
