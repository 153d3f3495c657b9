"""What is measured of JAX."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from .figures import Work
from .lenet import BATCH, MOMENTUM, RATE, first_weights


class Jax:
    """JAX: the training step is compiled once and called per batch."""

    def __init__(self) -> None:
        import jax

        self.jax = jax
        self.version = jax.__version__
        plugin = [name for name in ("jax_cuda13_plugin", "jax_cuda12_plugin") if importlib.util.find_spec(name)]
        self.build = "CUDA " + plugin[0][8:10] if plugin else "cpu"

    def gpus(self) -> list[str]:
        """Names of the GPUs that the framework sees."""
        return [device.device_kind for device in self.jax.devices() if device.platform in ("gpu", "cuda")]

    def device(self, index: int | None) -> Any:
        """The framework's device; None is the CPU."""
        return (
            self.jax.devices("cpu")[0]
            if index is None
            else [d for d in self.jax.devices() if d.platform in ("gpu", "cuda")][index]
        )

    def trainer(self, index: int | None, train: Any, test: Any) -> tuple[Callable[[], None], Callable[[], float]]:
        """(one epoch, accuracy on the held-out part); the data lies on the device."""
        jax, device = self.jax, self.device(index)
        import jax.numpy as jnp

        lax = jax.lax
        layout = ("NCHW", "OIHW", "NCHW")
        x, y, held_x, held_y = (
            jax.device_put(part, device) for part in (train[0][:, None], train[1], test[0][:, None], test[1])
        )
        state = [jax.device_put(part, device) for part in first_weights()]
        speed = [jnp.zeros_like(part) for part in state]

        def pooled(value: Any) -> Any:
            return lax.reduce_window(value, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

        def net(weights: Any, images: Any) -> Any:
            hidden = (
                lax.conv_general_dilated(images, weights[0], (1, 1), "SAME", dimension_numbers=layout)
                + weights[1][:, None, None]
            )
            hidden = pooled(jax.nn.relu(hidden))
            hidden = (
                lax.conv_general_dilated(hidden, weights[2], (1, 1), "VALID", dimension_numbers=layout)
                + weights[3][:, None, None]
            )
            hidden = pooled(jax.nn.relu(hidden)).reshape(len(images), -1)
            hidden = jax.nn.relu(hidden @ weights[4] + weights[5])
            hidden = jax.nn.relu(hidden @ weights[6] + weights[7])
            return hidden @ weights[8] + weights[9]

        def loss(weights: Any, images: Any, labels: Any) -> Any:
            chances = jax.nn.log_softmax(net(weights, images))
            return -jnp.take_along_axis(chances, labels[:, None], 1).mean()

        def one_step(weights: Any, velocity: Any, batch: Any) -> Any:
            slopes = jax.grad(loss)(weights, x[batch], y[batch])
            velocity = [MOMENTUM * old + slope for old, slope in zip(velocity, slopes, strict=False)]
            return [weight - RATE * change for weight, change in zip(weights, velocity, strict=False)], velocity

        step = jax.jit(one_step)
        hits = jax.jit(lambda weights: (net(weights, held_x).argmax(1) == held_y).mean())
        kept = {"weights": state, "speed": speed, "key": jax.random.key(0)}

        def epoch() -> None:
            kept["key"], key = jax.random.split(kept["key"])
            order = jax.device_put(jax.random.permutation(key, len(x)), device)
            for start in range(0, len(x) - BATCH + 1, BATCH):
                kept["weights"], kept["speed"] = step(
                    kept["weights"], kept["speed"], lax.dynamic_slice_in_dim(order, start, BATCH)
                )
            jax.block_until_ready(kept["weights"])

        return epoch, lambda: float(hits(kept["weights"]))

    def product(self, index: int | None, size: int, kind: str) -> Work:
        """Work: square products in one number format."""
        jax, device = self.jax, self.device(index)
        dtype = {"fp32": "float32", "tf32": "float32", "bf16": "bfloat16", "fp16": "float16"}[kind]
        keys = jax.random.split(jax.random.key(0))
        a, b = (jax.device_put(jax.random.normal(key, (size, size), "float32").astype(dtype), device) for key in keys)
        precision = {"fp32": "highest", "tf32": "tensorfloat32"}.get(kind, "default")
        multiply = jax.jit(
            lambda left, right: jax.lax.dot(left, right, precision=None if precision == "default" else precision)
        )

        def work(times: int) -> None:
            result = None
            for _ in range(times):
                result = multiply(a, b)
            jax.block_until_ready(result)

        return work

    def formats(self, index: int | None) -> list[str]:
        """Number formats that this GPU's tensor units are made for, and fp32."""
        major = float(getattr(self.device(index), "compute_capability", "8.0"))
        return ["fp32", "fp16"] + (["tf32", "bf16"] if major >= 8 else [])
