"""What is measured of Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .lenet import BATCH, MOMENTUM, RATE, first_weights
from .on_jax import Jax
from .on_tensorflow import TensorFlow
from .on_torch import Torch

BACKENDS: dict[str, type[Jax | TensorFlow | Torch]] = {"jax": Jax, "tensorflow": TensorFlow, "torch": Torch}


class Keras:
    """Keras 3 over whatever backend is configured: `fit` as its users call it, so that its own overhead counts."""

    def __init__(self) -> None:
        import keras

        self.keras = keras
        keras.utils.set_random_seed(0)
        self.version = keras.__version__
        self.build = "backend " + keras.backend.backend()

    def gpus(self) -> list[str]:
        """Names of the GPUs that the framework sees."""
        backend = self.keras.backend.backend()
        return BACKENDS[backend]().gpus() if backend in BACKENDS else []

    def trainer(self, index: int | None, train: Any, test: Any) -> tuple[Callable[[], None], Callable[[], float]]:
        """(one epoch, accuracy on the held-out part); the data lies on the device."""
        keras = self.keras
        name = "cpu:0" if index is None else f"gpu:{index}"
        first = first_weights()
        with keras.device(name):
            layers = keras.layers
            stack = [keras.Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", activation="relu"),
                     layers.MaxPooling2D(), layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(),
                     layers.Flatten(), layers.Dense(120, activation="relu"),
                     layers.Dense(84, activation="relu"), layers.Dense(10)]  # fmt: skip
            model = keras.Sequential(stack)
            model.set_weights([part.transpose(2, 3, 1, 0) if part.ndim == 4 else part for part in first])
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.SGD(RATE, momentum=MOMENTUM), loss, metrics=["accuracy"])
        count = len(train[0]) // BATCH * BATCH

        def epoch() -> None:
            with keras.device(name):
                model.fit(train[0][:count, ..., None], train[1][:count], batch_size=BATCH, epochs=1, verbose=0)

        def accuracy() -> float:
            with keras.device(name):
                return float(model.evaluate(test[0][..., None], test[1], batch_size=BATCH, verbose=0)[1])

        return epoch, accuracy
