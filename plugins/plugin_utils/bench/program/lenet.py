"""LeNet-5, the model that each framework trains: its starting weights, and how it is trained."""

from __future__ import annotations

from typing import Any

BATCH, RATE, MOMENTUM = 256, 0.05, 0.9


def first_weights(seed: int = 0) -> Any:
    """The same starting weights for every framework: He-normal, convolutions as (out, in, 5, 5), dense as (in, out)."""
    import numpy as np

    random = np.random.default_rng(seed)
    shapes = [(6, 1, 5, 5), (16, 6, 5, 5), (400, 120), (120, 84), (84, 10)]
    weights = []
    for shape in shapes:
        fan_in = shape[0] if len(shape) == 2 else shape[1] * 25
        weights.append(random.normal(0, (2 / fan_in) ** 0.5, shape).astype("float32"))
        weights.append(np.zeros(shape[-1] if len(shape) == 2 else shape[0], "float32"))
    return weights
