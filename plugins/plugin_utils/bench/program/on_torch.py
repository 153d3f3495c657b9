"""What is measured of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .figures import Work
from .lenet import BATCH, MOMENTUM, RATE, first_weights


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
