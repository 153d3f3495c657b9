"""Import one framework, look for GPUs, compute on the best device, load cuDNN; print one line of JSON.

Usage: python -I -B -c "$(cat smoke.py)" MODULE, with the environment's own Python. MODULE is torch, tensorflow, jax,
keras, or any importable name. The answer: {"module", "version", "import_error", "built_for", "gpus": [name...],
"visible": str | None, "compute": {"device", "error"}, "cudnn": {"version", "error"} | None}. An empty `error` means
that it worked; the work is a 64 x 64 matrix product checked against its exact value, and a small convolution,
which is what loads cuDNN.
"""

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from typing import Any

SIZE = 64


def first_line(error: Exception) -> str:
    """An exception as one line: its type and the first line of its text."""
    return (f"{type(error).__name__}: {error}").strip().splitlines()[0][:300]


def attempt(work: Callable[[], Any]) -> tuple[Any, str]:
    """Run work(); return its value and an empty text, or None and the error."""
    try:
        return work(), ""
    except Exception as error:
        return None, first_line(error)


def check_product(value: Any) -> None:
    """The product of two all-ones matrices has SIZE everywhere."""
    if abs(float(value) - SIZE) > 1e-3:
        raise ArithmeticError(f"a matrix product gave {float(value)!r}, expected {float(SIZE)!r}")


def torch_answer(torch: Any) -> dict[str, Any]:
    """PyTorch, looked at as the module text says."""
    gpus = (
        [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    device = "cuda" if gpus else "cpu"

    def product() -> None:
        ones = torch.ones(SIZE, SIZE, device=device)
        check_product((ones @ ones)[0, 0].item())

    def convolution() -> None:
        layer = torch.nn.Conv2d(3, 4, 3).to(device)
        layer(torch.ones(1, 3, 16, 16, device=device)).sum().item()

    cudnn, _ = attempt(torch.backends.cudnn.version)
    return {
        "built_for": "CUDA " + torch.version.cuda if torch.version.cuda else "cpu",
        "gpus": gpus,
        "compute": {"device": device, "error": attempt(product)[1]},
        "cudnn": {"version": str(cudnn) if cudnn else "", "error": attempt(convolution)[1]}
        if torch.version.cuda
        else None,
    }


def tensorflow_answer(tf: Any) -> dict[str, Any]:
    """TensorFlow, looked at as the module text says."""
    gpus = tf.config.list_physical_devices("GPU")
    build = tf.sysconfig.get_build_info()
    device = "/GPU:0" if gpus else "/CPU:0"

    def product() -> None:
        with tf.device(device):
            ones = tf.ones((SIZE, SIZE))
            check_product(tf.linalg.matmul(ones, ones)[0, 0])

    def convolution() -> None:
        with tf.device(device):
            tf.nn.conv2d(tf.ones((1, 16, 16, 3)), tf.ones((3, 3, 3, 4)), 1, "VALID").numpy()

    cuda = bool(build.get("is_cuda_build"))
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return {
        "built_for": "CUDA " + str(build.get("cuda_version")) if cuda else "cpu",
        "gpus": names,
        "compute": {"device": device, "error": attempt(product)[1]},
        "cudnn": {"version": str(build.get("cudnn_version", "")), "error": attempt(convolution)[1]}
        if cuda and gpus
        else None,
    }


def jax_answer(jax: Any) -> dict[str, Any]:
    """JAX, looked at as the module text says."""
    import jax.numpy as jnp

    devices = jax.devices()
    gpus = [d.device_kind for d in devices if d.platform in ("gpu", "cuda")]

    def product() -> None:
        ones = jnp.ones((SIZE, SIZE))
        check_product((ones @ ones)[0, 0])

    def convolution() -> None:
        jax.lax.conv(jnp.ones((1, 3, 16, 16)), jnp.ones((4, 3, 3, 3)), (1, 1), "VALID").block_until_ready()

    plugin = [name for name in ("jax_cuda13_plugin", "jax_cuda12_plugin") if importlib.util.find_spec(name)]
    return {
        "built_for": "CUDA " + plugin[0][8:10] if plugin else "cpu",
        "gpus": gpus,
        "compute": {"device": str(devices[0]), "error": attempt(product)[1]},
        "cudnn": {"version": "", "error": attempt(convolution)[1]} if gpus else None,
    }


def keras_answer(keras: Any) -> dict[str, Any]:
    """Keras: its backend, looked at as the module text says."""
    backend = keras.backend.backend()

    def product() -> None:
        ones = keras.ops.ones((SIZE, SIZE))
        check_product(keras.ops.convert_to_numpy(keras.ops.matmul(ones, ones))[0, 0])

    return {
        "built_for": "backend " + backend,
        "gpus": [],
        "compute": {"device": backend, "error": attempt(product)[1]},
        "cudnn": None,
        "delegates": backend,
    }


ANSWERS = {"torch": torch_answer, "tensorflow": tensorflow_answer, "jax": jax_answer, "keras": keras_answer}


def smoke(name: str) -> dict[str, Any]:
    """The whole answer for one module; see the module text."""
    answer = {
        "module": name,
        "python": sys.executable,
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "import_error": "",
    }
    module, error = attempt(lambda: importlib.import_module(name))
    if error:
        return dict(answer, import_error=error)
    answer["version"] = getattr(module, "__version__", "")
    if name in ANSWERS:
        details, error = attempt(lambda: ANSWERS[name](module))
        answer.update(
            details or {"compute": {"device": "", "error": error}, "gpus": [], "built_for": "", "cudnn": None}
        )
    return answer


if __name__ == "__main__":
    print(json.dumps(smoke(sys.argv[1])))
