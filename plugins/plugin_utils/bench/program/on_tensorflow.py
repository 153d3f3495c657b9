"""What is measured of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .figures import Work
from .lenet import BATCH, MOMENTUM, RATE, first_weights


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
