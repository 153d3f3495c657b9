"""Power, energy, temperature and throttling of a GPU while it works, from NVML."""

from __future__ import annotations

import ctypes
import statistics
import threading
import time
from typing import Any

THROTTLE = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


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
