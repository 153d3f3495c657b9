"""The digits that all frameworks train on: MNIST, else scikit-learn's, else drawn figures. Seeded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

MNIST_FILE = "mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"  # as Keras' own loader has it


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def enlarged(images: Any, labels: Any, count: int, seed: int) -> Any:
    """`count` 28x28 images of 8x8 ones: each pixel becomes 3x3, and the digit is shifted at random within the frame."""
    import numpy as np

    random = np.random.default_rng(seed)
    chosen = random.integers(0, len(images), count)
    big = images[chosen].repeat(3, axis=1).repeat(3, axis=2)
    result = np.zeros((count, 28, 28), "float32")
    shifts = random.integers(0, 5, (count, 2))
    for row in range(5):
        for column in range(5):
            mine = (shifts[:, 0] == row) & (shifts[:, 1] == column)
            result[mine, row : row + 24, column : column + 24] = big[mine]
    return result, labels[chosen].astype("int32")


def drawn(seed: int) -> Any:
    """1,797 8x8 figures, ten seven-segment digits with noise: what is left where scikit-learn is not installed."""
    import numpy as np

    strokes = {"a": (slice(0, 1), slice(2, 6)), "b": (slice(0, 4), slice(5, 6)), "c": (slice(4, 8), slice(5, 6)),
               "d": (slice(7, 8), slice(2, 6)), "e": (slice(4, 8), slice(2, 3)), "f": (slice(0, 4), slice(2, 3)),
               "g": (slice(3, 5), slice(2, 6))}  # fmt: skip
    lit = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]
    random = np.random.default_rng(seed)
    labels = np.arange(1797) % 10
    images = np.zeros((1797, 8, 8), "float32")
    for index, label in enumerate(labels):
        for stroke in lit[label]:
            images[(index, *strokes[stroke])] = 1.0
    return images + random.normal(0, 0.15, images.shape).astype("float32"), labels


def data_set(folder: str, count: int, held_out: int) -> Any:
    """(facts, (x, y), (x_test, y_test)): float32 in 0..1 of shape (n, 28, 28), int32 labels."""
    import numpy as np

    path = Path(folder) / MNIST_FILE
    if path.exists() and sha256(path) == MNIST_SHA256:
        with np.load(path) as kept:
            train = (kept["x_train"][:count].astype("float32") / 255, kept["y_train"][:count].astype("int32"))
            test = (kept["x_test"][:held_out].astype("float32") / 255, kept["y_test"][:held_out].astype("int32"))
        name = "MNIST"
    else:
        try:
            from sklearn.datasets import load_digits

            digits = load_digits()
            images, labels, name = (
                digits.images.astype("float32") / 16,
                digits.target,
                "scikit-learn digits, enlarged to 28x28",
            )
        except ImportError:
            (images, labels), name = drawn(7), "drawn figures (no scikit-learn in this environment)"
        # Held-out originals are never in the training part, in whatever shift.
        train = enlarged(images[:1437], labels[:1437], count, 1)
        test = enlarged(images[1437:], labels[1437:], held_out, 2)
    return {"name": name, "train": len(train[0]), "test": len(test[0])}, train, test
