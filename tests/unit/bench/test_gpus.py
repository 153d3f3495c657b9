"""What is measured of GPUs: NVML's readings, one against the CPU, two together.

No GPU is here, so two stand-ins take its place: a library with NVML's functions, called as ctypes calls the real one,
and a framework with two devices. What the program makes of their answers is the program's own.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program import measure
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench.program.meter import Meter

POWER_CAP, HEAT = 0x4, 0x40


class Nvml:
    """libnvidia-ml.so.1 at the boundary of ctypes: a GPU at 140 and 160 W by turns that grows hotter."""

    def __init__(self, counts_energy: bool = True, reasons: int = 0) -> None:
        self.calls = 0
        self.counts_energy, self.reasons = counts_energy, reasons
        self.born = time.perf_counter()

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, _index: int, _handle: Any) -> int:
        return 0

    def nvmlSystemGetDriverVersion(self, text: Any, _size: int) -> int:
        text.value = b"580.178.04"
        return 0

    def nvmlDeviceGetPowerUsage(self, _handle: Any, value: Any) -> int:
        self.calls += 1
        value._obj.value = 160000 if self.calls % 2 else 140000
        return 0

    def nvmlDeviceGetTemperature(self, _handle: Any, sensor: int, value: Any) -> int:
        assert sensor == 0
        value._obj.value = 40 + min(self.calls, 11)
        return 0

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, _handle: Any, value: Any) -> int:
        value._obj.value = self.reasons
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, _handle: Any, value: Any) -> int:
        if not self.counts_energy:
            return 3  # NVML_ERROR_NOT_SUPPORTED
        value._obj.value = int((time.perf_counter() - self.born) * 150_000)  # 150 W, in millijoules
        return 0


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[[Nvml], Nvml]:
    def use(library: Nvml) -> Nvml:
        monkeypatch.setattr(ctypes, "CDLL", lambda name: {"libnvidia-ml.so.1": library}[name])
        return library

    return use


@pytest.mark.parametrize("counts_energy", [True, False], ids=["by its counter", "from the power"])
def test_power_energy_heat_and_throttling_are_read(nvml: Callable[[Nvml], Nvml], counts_energy: bool) -> None:
    library = nvml(Nvml(counts_energy, POWER_CAP | HEAT))
    meter = Meter(0)
    began = time.perf_counter()
    with meter:
        time.sleep(0.4)
    found = meter.result()
    seconds = time.perf_counter() - began
    assert found is not None
    assert 140 <= found["power_w"] <= 160 and found["power_w_max"] == 160
    assert found["energy_j"] == pytest.approx(150 * seconds, rel=0.2)
    assert found["temperature_c"] == 40 + min(library.calls, 11)
    assert found["throttled"] == ["power cap", "heat (hardware)"]
    assert meter.driver() == "580.178.04"


def test_a_gpu_without_power_readings_gives_none(nvml: Callable[[Nvml], Nvml], monkeypatch: pytest.MonkeyPatch) -> None:
    library = nvml(Nvml())
    monkeypatch.setattr(library, "nvmlDeviceGetPowerUsage", lambda _handle, _value: 3)
    meter = Meter(0)
    with meter:
        pass
    assert meter.result() is None


class TwoGpus:
    """A framework with two devices, each of which trains ten times as fast as the CPU."""

    version, build = "1.0", "stand-in"

    def gpus(self) -> list[str]:
        return ["RTX 3090", "GTX 1080 Ti"]

    def trainer(self, index: int | None, _train: Any, _test: Any) -> tuple[Callable[[], None], Callable[[], float]]:
        return (lambda: time.sleep(0.1 if index is None else 0.01)), lambda: 0.98

    def formats(self, index: int | None) -> list[str]:
        return ["fp32", "tf32", "bf16", "fp16"] if index == 0 else ["fp32", "fp16"]

    def product(self, _index: int | None, _size: int, _kind: str) -> Callable[[int], None]:
        return lambda times: time.sleep(0.0001 * times)

    def copies(self, _index: int | None, count: int) -> Iterator[tuple[str, int, Callable[[int], None]]]:
        for kind in ("host to device", "device to host", "on the device"):
            yield kind, count, lambda times: time.sleep(0.0001 * times)

    def all_reduce(self, count: int) -> tuple[float, Callable[[int], None]]:
        return float(count), lambda times: time.sleep(0.0001 * times)


@pytest.fixture
def answer(nvml: Callable[[Nvml], Nvml], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    nvml(Nvml())
    monkeypatch.setitem(measure.FRAMEWORKS, "torch", TwoGpus)
    data = ([0] * 12800, [0] * 12800)
    monkeypatch.setattr(measure, "data_set", lambda *_: ({"name": "stand-in"}, data, data))
    return lambda *devices: measure.measure("torch", True, list(devices), "/nowhere")


def test_each_gpu_is_compared_with_the_cpu_and_both_work_together(answer: Callable[..., dict[str, Any]]) -> None:
    found = answer("cpu", "gpu")
    assert found["notes"] == []
    cpu, first, second = found["devices"]
    assert [d["device"] for d in found["devices"]] == ["CPU", "GPU 0", "GPU 1"]
    assert first["name"] == "RTX 3090" and second["name"] == "GTX 1080 Ti"
    assert "times_cpu" not in cpu and "power_w" not in cpu["lenet"]
    for gpu in (first, second):
        rate = gpu["lenet"]["samples_per_second"]["median"]
        assert gpu["times_cpu"] == rate / cpu["lenet"]["samples_per_second"]["median"] > 1
        # 150 W for as long as an epoch takes, however long that is on a busy machine.
        assert gpu["lenet"]["energy_j_per_epoch"] == pytest.approx(150 * gpu["lenet"]["samples"] / rate, rel=0.5)
        assert "energy_j" not in gpu["lenet"] and gpu["lenet"]["temperature_c"] > 40
        assert gpu["bandwidth_gb_s"].keys() == {"host to device", "device to host", "on the device"}
    assert set(first["matmul"]["tflops"]) == {"fp32", "tf32", "bf16", "fp16"}
    assert set(second["matmul"]["tflops"]) == {"fp32", "fp16"}
    assert found["nccl"]["median"] > 0 and found["driver"] == "580.178.04"


def test_one_gpu_alone_is_measured_when_asked_for(answer: Callable[..., dict[str, Any]]) -> None:
    found = answer("1")
    assert [d["device"] for d in found["devices"]] == ["GPU 1"] and found["nccl"] is None
