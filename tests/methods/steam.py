"""A small steam network that several tests know by heart."""

import numpy as np

STEAM = np.array(
    [[1, -1, 0, 1, 0, 1, 0], [0, 1, -1, 0, 0, 0, 0], [0, 0, 1, -1, -1, 0, 0],
     [0, 0, 0, 0, 1, -1, -1]], dtype=float,
)  # fmt: skip
TRUTH = np.array([50.0, 80, 80, 20, 60, 10, 50])
SD = np.array([2.0, 2.5, 2.5, 1.0, 1.5, 0.5, 1.0])
