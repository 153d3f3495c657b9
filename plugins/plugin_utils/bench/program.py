"""Measure one deep-learning framework on the CPU and on each GPU: the part of ./dlbox bench that runs on the host.

    python program.py torch --json [--quick] [--devices cpu,0] [--data DIR]
    python program.py --fetch URL --data DIR          # get MNIST once, verified by its checksum

Needs the framework and NumPy, nothing else; it talks to NVML through ctypes. One framework in one process.

What is measured, each after a warm-up, several times, given as {"median", "low", "high", "runs"}:
  lenet      the same LeNet-5 (ReLU, 5x5 convolutions, 2x2 max pooling, 61,706 weights) trained by SGD with momentum
             0.9, learning rate 0.05, batch 256, on 28x28 greyscale digits that already lie in the device's
             memory: samples per second of an epoch, accuracy on held-out digits after the last one, and on a GPU:
             watts, joules per epoch, degrees Celsius
  matmul     square products, 2 n^3 floating-point operations each: TFLOP/s by number format
  bandwidth  copies of 1 GiB (quick: 256 MiB): GB/s (1e9 bytes); on the device, bytes read and bytes written both count
  nccl       all-reduce over all GPUs of one machine: bus bandwidth in GB/s as nccl-tests define it
The data set is the real MNIST where its file is in --data, else the digits that scikit-learn ships, enlarged and
shifted, else drawn figures; the answer says which. Everything is seeded, so that two runs do the same work.
"""

# The frameworks' classes share the meaning of their methods, told above them.
# ruff: noqa: D105, D107, PTH119, PTH123
from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Work = Callable[[int], None]  # does its work this many times, and returns when the device has done it

MNIST_FILE = "mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"  # as Keras' own loader has it
BATCH, RATE, MOMENTUM = 256, 0.05, 0.9
THROTTLE = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


def spread(values: list[float]) -> dict[str, Any]:
    """Median, lowest and highest of several measurements."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": len(values)}


# --- data -----------------------------------------------------------------------------------------------------------


def sha256(path: Any) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def fetch(url: str, folder: str, expected: str = MNIST_SHA256) -> str:
    """Get the MNIST file once: "present", "fetched", or why not, in a sentence. A wrong checksum leaves nothing."""
    import urllib.request

    path = Path(folder) / MNIST_FILE
    if path.exists() and sha256(path) == expected:
        return "present"
    Path(folder).mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        # Not by Ansible's open_url, which the sanity test replace-urlopen wants: a framework's Python has no Ansible.
        with urllib.request.build_opener().open(url, timeout=15) as answer, open(part, "wb") as out:
            out.write(answer.read(64 << 20))
        found = sha256(part)
        if found != expected:
            return f"{url} has the checksum {found}, expected {expected}; not used"
        part.rename(path)
        return "fetched"
    except OSError as error:
        return f"not to be had from {url}: {error}"
    finally:
        part.unlink(missing_ok=True)


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


# --- NVML -----------------------------------------------------------------------------------------------------------


class Meter:
    """Power, energy, temperature and throttling of one GPU inside `with`, sampled every 20 ms; see `result`.

    The only binding of NVML, of seven functions: the program needs nothing but the framework and NumPy, so it cannot
    count on the package nvidia-ml-py, and a process of nvidia-smi for each sample would be measured with the work.
    """

    def __init__(self, index: int | None) -> None:
        self.samples: list[tuple[float, float]] = []
        self.heat: list[int] = []
        self.reasons, self.handle, self.energy = 0, ctypes.c_void_p(), None
        try:
            self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
            ready = (
                self.nvml.nvmlInit_v2() == 0
                and self.nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(self.handle)) == 0
            )
        except OSError:
            ready = False
        self.ready = ready

    def number(self, function: str, kind: Any = ctypes.c_uint, *before: Any) -> Any:
        """One value of an NVML getter, or None where the GPU does not support it."""
        value = kind()
        call = getattr(self.nvml, function, None)
        return value.value if call and call(self.handle, *before, ctypes.byref(value)) == 0 else None

    def driver(self) -> str:
        """The driver's version, or an empty text."""
        text = ctypes.create_string_buffer(96)
        return text.value.decode() if self.ready and self.nvml.nvmlSystemGetDriverVersion(text, 96) == 0 else ""

    def sample(self) -> None:
        """Add one reading."""
        power, heat = self.number("nvmlDeviceGetPowerUsage"), self.number("nvmlDeviceGetTemperature", ctypes.c_uint, 0)
        if power is not None:
            self.samples.append((time.perf_counter(), power / 1000))
        if heat is not None:
            self.heat.append(heat)
        self.reasons |= self.number("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong) or 0

    def __enter__(self) -> Meter:
        self.samples, self.heat, self.reasons = [], [], 0
        if self.ready:
            self.stop = threading.Event()
            self.energy = self.number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
            self.sample()
            self.thread = threading.Thread(target=self.watch, daemon=True)
            self.thread.start()
        return self

    def watch(self) -> None:
        """Sample until told to stop."""
        while not self.stop.wait(0.02):
            self.sample()

    def __exit__(self, *_: Any) -> None:
        if self.ready:
            self.stop.set()
            self.thread.join()
            self.sample()

    def result(self) -> dict[str, Any] | None:
        """{"power_w", "power_w_max", "energy_j", "temperature_c", "throttled"}, or None without NVML."""
        if not self.ready or not self.samples:
            return None
        watts = [power for _when, power in self.samples]
        after = self.number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
        if self.energy is not None and after is not None and after > self.energy:
            joules = (after - self.energy) / 1000
        else:
            joules = sum(
                (b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(self.samples, self.samples[1:], strict=False)
            )
        words = [word for bit, word in THROTTLE.items() if self.reasons & bit]
        return {
            "power_w": statistics.mean(watts),
            "power_w_max": max(watts),
            "energy_j": joules,
            "temperature_c": max(self.heat, default=None),
            "throttled": words,
        }


# --- frameworks -----------------------------------------------------------------------------------------------------
# Each has: version(), gpus() -> names, place(device, arrays), trainer(device, x, y) -> epoch(), accuracy(x, y), and
# product(device, n, kind) -> work(), which returns when the device is done.


class Torch:
    """PyTorch."""

    def __init__(self) -> None:
        import torch

        self.torch = torch
        torch.manual_seed(0)
        self.build = "CUDA " + torch.version.cuda if torch.version.cuda else "cpu"
        self.version = torch.__version__

    def gpus(self) -> list[str]:
        """Names of the GPUs that the framework sees."""
        return (
            [self.torch.cuda.get_device_name(i) for i in range(self.torch.cuda.device_count())]
            if self.torch.cuda.is_available()
            else []
        )

    def device(self, index: int | None) -> Any:
        """The framework's device; None is the CPU."""
        return self.torch.device("cpu" if index is None else f"cuda:{index}")

    def wait(self, device: Any) -> None:
        """Return when the device is done."""
        if device.type == "cuda":
            self.torch.cuda.synchronize(device)

    def trainer(self, index: int | None, train: Any, test: Any) -> tuple[Callable[[], None], Callable[[], float]]:
        """(one epoch, accuracy on the held-out part); the data lies on the device."""
        torch, device = self.torch, self.device(index)
        functional = torch.nn.functional
        x, y = (torch.from_numpy(part).to(device) for part in train)
        held_x, held_y = (torch.from_numpy(part).to(device) for part in test)
        x, held_x, y, held_y = x[:, None], held_x[:, None], y.long(), held_y.long()
        weights = [
            torch.from_numpy(part.T.copy() if part.ndim == 2 else part).to(device).requires_grad_()
            for part in first_weights()
        ]
        optimizer = torch.optim.SGD(weights, lr=RATE, momentum=MOMENTUM)

        def net(images: Any) -> Any:
            hidden = functional.max_pool2d(
                functional.relu(functional.conv2d(images, weights[0], weights[1], padding=2)), 2
            )
            hidden = functional.max_pool2d(
                functional.relu(functional.conv2d(hidden, weights[2], weights[3])), 2
            ).flatten(1)
            hidden = functional.relu(functional.linear(hidden, weights[4], weights[5]))
            hidden = functional.relu(functional.linear(hidden, weights[6], weights[7]))
            return functional.linear(hidden, weights[8], weights[9])

        def epoch() -> None:
            order = torch.randperm(len(x), device=device)
            for start in range(0, len(x) - BATCH + 1, BATCH):
                batch = order[start : start + BATCH]
                optimizer.zero_grad(set_to_none=True)
                functional.cross_entropy(net(x[batch]), y[batch]).backward()
                optimizer.step()
            self.wait(device)

        def accuracy() -> float:
            with torch.no_grad():
                return float((net(held_x).argmax(1) == held_y).float().mean())

        return epoch, accuracy

    def product(self, index: int | None, size: int, kind: str) -> Work:
        """Work: square products in one number format."""
        torch, device = self.torch, self.device(index)
        dtype = {
            "fp32": torch.float32,
            "tf32": torch.float32,
            "bf16": torch.bfloat16,
            "fp16": torch.float16,
            "fp64": torch.float64,
        }[kind]
        torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        out = torch.empty(size, size, device=device, dtype=dtype)

        def work(times: int) -> None:
            for _ in range(times):
                torch.matmul(a, b, out=out)
            self.wait(device)

        return work

    def formats(self, index: int | None) -> list[str]:
        """Number formats that this GPU's tensor units are made for, and fp32."""
        major = self.torch.cuda.get_device_capability(index)[0]
        return ["fp32", "fp16"] + (["tf32", "bf16"] if major >= 8 else [])

    def copies(self, index: int | None, count: int) -> Iterator[tuple[str, int, Work]]:
        """(name, bytes counted, work) of each kind of copy."""
        torch, device = self.torch, self.device(index)
        host = torch.empty(count, dtype=torch.uint8).pin_memory()
        here, there = (torch.empty(count, dtype=torch.uint8, device=device) for _ in range(2))

        def copier(target: Any, source: Any) -> Any:
            def work(times: int) -> None:
                for _ in range(times):
                    target.copy_(source, non_blocking=True)
                self.wait(device)

            return work

        yield "host to device", count, copier(here, host)
        yield "device to host", count, copier(host, here)
        yield "on the device", 2 * count, copier(there, here)

    def all_reduce(self, count: int) -> Any:
        """(bus factor * bytes, work) of an all-reduce over every GPU; one process, NCCL."""
        torch = self.torch
        import torch.cuda.nccl as nccl

        number = torch.cuda.device_count()
        parts = [torch.ones(count // 4, device=f"cuda:{i}") for i in range(number)]

        def work(times: int) -> None:
            for _ in range(times):
                nccl.all_reduce(parts)
            for i in range(number):
                torch.cuda.synchronize(i)

        return 2 * (number - 1) / number * count, work


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


class TensorFlow:
    """TensorFlow: the training step is one tf.function."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.tf = tf
        tf.random.set_seed(0)
        self.version = tf.__version__
        info = tf.sysconfig.get_build_info()
        self.build = "CUDA " + str(info.get("cuda_version")) if info.get("is_cuda_build") else "cpu"
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)

    def gpus(self) -> list[str]:
        """Names of the GPUs that the framework sees."""
        tf = self.tf
        return [
            tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
            for gpu in tf.config.list_physical_devices("GPU")
        ]

    def device(self, index: int | None) -> Any:
        """The framework's device; None is the CPU."""
        return "/CPU:0" if index is None else f"/GPU:{index}"

    def trainer(self, index: int | None, train: Any, test: Any) -> tuple[Callable[[], None], Callable[[], float]]:
        """(one epoch, accuracy on the held-out part); the data lies on the device."""
        tf = self.tf
        with tf.device(self.device(index)):
            x, y, held_x, held_y = (
                tf.constant(part) for part in (train[0][..., None], train[1], test[0][..., None], test[1])
            )
            weights = [tf.Variable(part.transpose(2, 3, 1, 0) if part.ndim == 4 else part) for part in first_weights()]
            speed = [tf.Variable(tf.zeros_like(part)) for part in weights]

        def net(images: Any) -> Any:
            hidden = tf.nn.max_pool2d(
                tf.nn.relu(tf.nn.conv2d(images, weights[0], 1, "SAME") + weights[1]), 2, 2, "VALID"
            )
            hidden = tf.nn.max_pool2d(
                tf.nn.relu(tf.nn.conv2d(hidden, weights[2], 1, "VALID") + weights[3]), 2, 2, "VALID"
            )
            hidden = tf.reshape(hidden, (-1, 400))
            hidden = tf.nn.relu(hidden @ weights[4] + weights[5])
            hidden = tf.nn.relu(hidden @ weights[6] + weights[7])
            return hidden @ weights[8] + weights[9]

        def one_step(batch: Any) -> Any:
            with tf.GradientTape() as tape:
                scores = net(tf.gather(x, batch))
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(y, batch), scores))
            for weight, change, slope in zip(weights, speed, tape.gradient(loss, weights), strict=False):
                change.assign(MOMENTUM * change + slope)
                weight.assign_sub(RATE * change)

        step = tf.function(one_step)
        count = len(train[0])

        def epoch() -> None:
            with tf.device(self.device(index)):
                order = tf.random.shuffle(tf.range(count))
                for start in range(0, count - BATCH + 1, BATCH):
                    step(order[start : start + BATCH])
                weights[-1].numpy()

        def accuracy() -> float:
            with tf.device(self.device(index)):
                return float(tf.reduce_mean(tf.cast(tf.argmax(net(held_x), 1, tf.int32) == held_y, tf.float32)))

        return epoch, accuracy

    def product(self, index: int | None, size: int, kind: str) -> Work:
        """Work: square products in one number format."""
        tf = self.tf
        tf.config.experimental.enable_tensor_float_32_execution(kind == "tf32")
        dtype = {"fp32": tf.float32, "tf32": tf.float32, "bf16": tf.bfloat16, "fp16": tf.float16}[kind]
        with tf.device(self.device(index)):
            a, b = (tf.cast(tf.random.normal((size, size)), dtype) for _ in range(2))

        def work(times: int) -> None:
            with tf.device(self.device(index)):
                for _ in range(times):
                    result = tf.linalg.matmul(a, b)
                result[0, 0].numpy()

        return work

    def formats(self, index: int | None) -> list[str]:
        """Number formats that this GPU's tensor units are made for, and fp32."""
        gpu = self.tf.config.list_physical_devices("GPU")[index]
        major = self.tf.config.experimental.get_device_details(gpu).get("compute_capability", (8, 0))[0]
        return ["fp32", "fp16"] + (["tf32", "bf16"] if major >= 8 else [])


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
        if backend in ("torch", "tensorflow", "jax"):
            return list(FRAMEWORKS[backend]().gpus())
        return []

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


FRAMEWORKS: dict[str, Any] = {"torch": Torch, "jax": Jax, "tensorflow": TensorFlow, "keras": Keras}


# --- measuring ------------------------------------------------------------------------------------------------------


def seconds_of(work: Any, *given: Any) -> float:
    """Wall time of one call."""
    before = time.perf_counter()
    work(*given)
    return time.perf_counter() - before


def rates(work: Any, amount: float, runs: int, target: float) -> dict[str, Any]:
    """Amount per second of work(times), as a spread; `times` is chosen so that one run takes about `target` seconds."""
    work(1)
    single = max(seconds_of(work, 1), 1e-6)
    times = max(1, min(10000, int(target / single)))
    work(max(1, times // 4))
    return spread([amount * times / seconds_of(work, times) for _ in range(runs)])


def lenet(framework: Any, index: int | None, train: Any, test: Any, runs: int, target: float) -> dict[str, Any]:
    """Train: one epoch to warm up, then `runs` measurements; see the module text for the fields.

    A measurement on a GPU repeats the epoch for about `target` seconds: NVML's readings are too slow for less.
    """
    epoch, accuracy = framework.trainer(index, train, test)
    done = len(train[0]) // BATCH * BATCH
    warm = seconds_of(epoch)
    repeat = 1 if index is None else max(1, min(200, int(target / max(seconds_of(epoch), 1e-3))))

    def several() -> None:
        for _ in range(repeat):
            epoch()

    meter = Meter(index) if index is not None else None
    with meter if meter else contextlib.nullcontext():
        times = [seconds_of(several) for _ in range(runs)]
    result = {
        "samples_per_second": spread([done * repeat / value for value in times]), "accuracy": accuracy(),
        "epochs": runs * repeat + 1 + (index is not None), "batch": BATCH, "samples": done, "first_epoch_s": warm,
    }  # fmt: skip
    used = meter.result() if meter else None
    if used:
        used["energy_j_per_epoch"] = used.pop("energy_j") / (runs * repeat)
        result.update(used)
    return result


def guarded(notes: list[str], what: str, work: Any) -> Any:
    """work(), or None and a note that says what failed: one figure less is no reason for none at all."""
    try:
        return work()
    except Exception as error:
        notes.append(
            "{}: {}: {}".format(what, type(error).__name__, (str(error).strip().splitlines() or [""])[0][:200])
        )
        return None


def products(framework: Any, index: int | None, quick: bool, runs: int, notes: list[str]) -> dict[str, Any]:
    """TFLOP/s by number format, and the size of the matrices."""
    size = (1024 if quick else 2048) if index is None else (4096 if quick else 8192)
    found = {}
    for kind in ["fp32"] if index is None else framework.formats(index):
        value = guarded(
            notes,
            f"matmul {kind}",
            lambda kind=kind: rates(
                framework.product(index, size, kind), 2 * size**3 / 1e12, runs, 0.1 if quick else 0.5
            ),
        )
        if value:
            found[kind] = value
    return {"size": size, "tflops": found}


def measure(name: str, quick: bool, devices: list[str], folder: str) -> dict[str, Any]:
    """The whole answer for one framework; see the module text."""
    began = time.perf_counter()
    framework: Any = FRAMEWORKS[name]()
    notes: list[str] = []
    names = framework.gpus()
    facts, train, test = data_set(folder, 12800 if quick else 60000, 1024 if quick else 10000)
    runs = 3 if quick else 5
    wanted = [None] * ("cpu" in devices) + [i for i in range(len(names)) if "gpu" in devices or str(i) in devices]
    measured: list[dict[str, Any]] = []
    for index in wanted:
        label = "CPU" if index is None else f"GPU {index}"
        entry: dict[str, Any] = {"device": label, "name": cpu_name() if index is None else names[index]}
        # The CPU trains on a part of the data: its samples per second are as steady, and nobody waits an hour.
        part = train if index is not None else tuple(side[: 6400 if quick else 12800] for side in train)
        entry["lenet"] = guarded(
            notes,
            label + " lenet",
            lambda index=index, part=part: lenet(framework, index, part, test, runs, 0.5 if quick else 2.0),
        )
        if hasattr(framework, "product"):
            entry["matmul"] = products(framework, index, quick, runs, notes)
        if index is not None and hasattr(framework, "copies"):
            entry["bandwidth_gb_s"] = guarded(
                notes, label + " bandwidth", lambda index=index: bandwidth(framework, index, runs, quick)
            )
        measured.append(entry)
    answer: dict[str, Any] = {
        "schema": 1,
        "framework": name,
        "version": framework.version,
        "build": framework.build,
        "python": platform.python_version(),
        "environment": os.path.basename(sys.prefix),
        "quick": quick,
        "data": facts,
        "devices": measured,
        "nccl": None,
        "notes": notes,
        "driver": Meter(0).driver(),
        "cpu_threads": os.cpu_count(),
    }
    if len(names) > 1 and hasattr(framework, "all_reduce") and "gpu" in devices:
        answer["nccl"] = guarded(notes, "all-reduce", lambda: all_reduce(framework, runs, quick))
    cpu = next((d["lenet"] for d in measured if d["device"] == "CPU" and d["lenet"]), None)
    for entry in measured:
        if cpu and entry["device"] != "CPU" and entry["lenet"]:
            entry["times_cpu"] = entry["lenet"]["samples_per_second"]["median"] / cpu["samples_per_second"]["median"]
    answer["seconds"] = time.perf_counter() - began
    return answer


def bandwidth(framework: Any, index: int, runs: int, quick: bool) -> dict[str, Any]:
    """GB/s of each kind of copy."""
    count = (256 if quick else 1024) << 20
    seconds = 0.1 if quick else 0.5
    return {kind: rates(work, amount / 1e9, runs, seconds) for kind, amount, work in framework.copies(index, count)}


def all_reduce(framework: Any, runs: int, quick: bool) -> Any:
    """Bus bandwidth of an all-reduce over every GPU, GB/s."""
    amount, work = framework.all_reduce((64 if quick else 256) << 20)
    return rates(work, amount / 1e9, runs, 0.2)


def cpu_name() -> str:
    """The processor's model, from /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def summary(answer: dict[str, Any]) -> str:
    """A few lines for people."""
    lines = ["{} {} ({}), {}".format(answer["framework"], answer["version"], answer["build"], answer["data"]["name"])]
    for entry in answer["devices"]:
        lines.append("  {}: {}".format(entry["device"], entry["name"]))
        if entry["lenet"]:
            run = entry["lenet"]
            lines.append(
                "    LeNet {} samples/s, accuracy {:.1f} %".format(
                    format(round(run["samples_per_second"]["median"]), ","), 100 * run["accuracy"]
                )
            )
            if "energy_j_per_epoch" in run:
                lines.append(
                    "    {:.0f} W, {:.1f} J per epoch, {} C".format(
                        run["power_w"], run["energy_j_per_epoch"], run["temperature_c"]
                    )
                )
        for kind, value in (entry.get("matmul") or {"tflops": {}})["tflops"].items():
            lines.append("    {} {:.3g} TFLOP/s".format(kind, value["median"]))
        for kind, value in (entry.get("bandwidth_gb_s") or {}).items():
            lines.append("    {} {:.1f} GB/s".format(kind, value["median"]))
        if "times_cpu" in entry:
            lines.append("    {:.1f} times the CPU".format(entry["times_cpu"]))
    return "\n".join(lines + ["  note: " + note for note in answer["notes"]])


def main(argv: list[str]) -> int:
    """See the module text."""
    parser = argparse.ArgumentParser(description="Measure one framework on the CPU and each GPU.")
    parser.add_argument("framework", nargs="?", choices=sorted(FRAMEWORKS))
    parser.add_argument("--json", action="store_true", help="print one line of JSON last (default: a summary)")
    parser.add_argument(
        "--quick", action="store_true", help="smaller and fewer runs, about half a minute per framework"
    )
    parser.add_argument(
        "--devices", default="cpu,gpu", help="cpu, gpu (all of them) or GPU numbers, separated by commas"
    )
    parser.add_argument("--data", default="/var/lib/dlbox/bench/data", help="folder that may hold " + MNIST_FILE)
    parser.add_argument("--fetch", metavar="URL", help="only get the MNIST file from there")
    parser.add_argument("--sha256", default=MNIST_SHA256, help="expected checksum of the MNIST file")
    options = parser.parse_args(argv)
    if options.fetch:
        print(json.dumps({"mnist": fetch(options.fetch, options.data, options.sha256)}))
        return 0
    if not options.framework:
        parser.error("name a framework: " + ", ".join(sorted(FRAMEWORKS)))
    # NVML counts GPUs in the order of the bus; this makes the frameworks do so, too.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    answer = measure(options.framework, options.quick, options.devices.split(","), options.data)
    print(json.dumps(answer) if options.json else summary(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
