"""A host's data as the doctor and two benchmark runs leave it: a machine with one GPU, one failure, two warnings."""

from __future__ import annotations

from typing import Any


def spread(median: float, wide: float = 0.03) -> dict[str, Any]:
    return {"median": median, "low": median * (1 - wide), "high": median * (1 + wide), "runs": 5}


def device(name: str, gpu: bool, samples: float) -> dict[str, Any]:
    lenet: dict[str, Any] = {
        "samples_per_second": spread(samples),
        "accuracy": 0.987,
        "epochs": 6,
        "batch": 256,
        "samples": 59904,
        "first_epoch_s": 1.5,
    }
    if gpu:
        lenet |= {
            "power_w": 142.0,
            "power_w_max": 161.0,
            "energy_j_per_epoch": 44.0,
            "temperature_c": 51,
            "throttled": [],
        }
        tflops = {"fp32": spread(51.2), "tf32": spread(402.0), "bf16": spread(771.0), "fp16": spread(744.0)}
    else:
        tflops = {"fp32": spread(0.92)}
    found: dict[str, Any] = {
        "device": "GPU 0" if gpu else "CPU",
        "name": name,
        "lenet": lenet,
        "matmul": {"size": 8192, "tflops": tflops},
    }
    if gpu:
        copies = {"host to device": spread(54.9), "device to host": spread(52.1), "on the device": spread(3900.0)}
        found |= {"bandwidth_gb_s": copies, "times_cpu": 38.1}
    return found


def without_copies(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "bandwidth_gb_s"}


def result(environment: str, framework: str, version: str, gpu: float) -> dict[str, Any]:
    devices = [device("AMD EPYC 9354", False, 9200.0), device("NVIDIA H200", True, gpu)]
    return {
        "schema": 1,
        "framework": framework,
        "version": version,
        "build": "CUDA 13.0",
        "python": "3.12.12",
        "environment": environment,
        "quick": False,
        "data": {"name": "MNIST", "train": 60000, "test": 10000},
        "devices": devices if framework == "torch" else [without_copies(found) for found in devices],
        "nccl": None,
        "notes": [],
        "driver": "580.178.04",
        "cpu_threads": 16,
        "seconds": 61.0,
    }


def record(date: str, driver: str, gpu: float) -> dict[str, Any]:
    return {
        "schema": 1,
        "date": date,
        "host": "box",
        "driver": driver,
        "kernel": "6.8.0-149-generic",
        "gpus": ["NVIDIA H200"],
        "quick": False,
        "mnist": "present",
        "results": [result("pytorch", "torch", "2.15.0", gpu), result("jax", "jax", "0.12.0", gpu * 1.2)],
        "failures": [],
    }


def check(name: str, result: str, observed: str, remedy: str = "") -> dict[str, str]:
    return {
        "name": name,
        "area": name.split(".")[0],
        "result": result,
        "observed": observed,
        "remedy": remedy,
        "date": "2026-11-20 12:00 UTC",
    }


CHECKS = [
    check("gpu.present", "ok", "1 NVIDIA GPU(s): 0000:01:00.0"),
    check("gpu.versions-match", "ok", "both 580.178.04"),
    check("gpu.persistence", "warn", "persistence is off on GPU 0", "sudo systemctl enable --now nvidia-persistenced"),
    check("apt.keys", "ok", "10 key files are valid"),
    check("apt.nvidia-origin", "ok", "14 packages from the distribution"),
    check("environments.imports[pytorch]", "ok", "torch 2.15.0+cu130"),
    check("environments.imports[jax]", "ok", "jax 0.12.0"),
    check("environments.kernel[pytorch]", "ok", "kernel pytorch: torch 2.15.0+cu130"),
    check("jupyter.password[ada]", "ok", "a request without credentials gets 403"),
    check("jupyter.listens[ada]", "ok", "127.0.0.1:8888"),
    check("ssh.audit", "ok", "0 failures, 0 warnings"),
    check("ssh.passwords", "ok", "keys only, under every Match block"),
    check("ssh.root", "ok", "PermitRootLogin no"),
    check("firewall.active", "ok", "active, 3 rules, default deny"),
    check(
        "firewall.outside", "fail", "open from laptop and in no rule of the list: 7777 (python3)", "Find who opened it"
    ),
    check("system.disk[/]", "ok", "812 GiB of 1.8 TiB free"),
    check("system.reboot", "warn", "kernel 6.8.0-150-generic is installed, 6.8.0-149-generic runs", "Reboot"),
    check("system.swap", "na", "no swap is configured"),
    check("system.drives[/dev/nvme0]", "ok", "healthy"),
]
DATA: dict[str, Any] = {
    "host": "box",
    "date": "2026-11-20 12:00 UTC",
    "facts": {
        "system": "Ubuntu 24.04.3 LTS",
        "kernel": "6.8.0-149-generic",
        "driver": "580.178.04",
        "packages": {"NVIDIA driver": "580.178.04-0ubuntu0.24.04.1 (14 packages)", "Firewall": "0.36.2-6"},
        "gpus": ["NVIDIA H200, 140 GiB"],
        "memory": 134217728000,
        "addresses": ["192.168.1.20"],
        "virtualization": "none",
    },
    "plan": {
        "ok": True,
        "gpus": [{"slot": "0000:01:00.0", "name": "NVIDIA H200"}],
        "driver": {
            "branch": "580",
            "version": "580.178.04",
            "modules": "open",
            "source": "ubuntu",
            "provider": "prebuilt",
        },
        "cuda": {"version": "13.0", "source": "nvidia"},
        "cudnn": None,
        "frameworks": {
            "pytorch": {"version": "2.15.0", "build": "cu130", "gpu": True, "note": ""},
            "tensorflow": {"version": None, "build": None, "gpu": False, "note": "no wheel for this GPU"},
        },
        "warnings": [{"code": "old", "message": "the BIOS is from 2019", "remedy": "Update it"}],
        "refusals": [],
    },
    "checks": CHECKS,
    "outside": {"open": [22, 7777], "from": "laptop"},
    "bench": record("2026-11-20T11:50:00Z", "580.178.04", 350000.0),
    "bench_before": record("2026-10-02T09:00:00Z", "580.105.08", 310000.0),
    "unreachable": "",
}
