"""The command: see the package's text."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from .data import MNIST_FILE
from .measure import FRAMEWORKS, measure


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
    parser.add_argument("framework", choices=sorted(FRAMEWORKS))
    parser.add_argument("--json", action="store_true", help="print one line of JSON last (default: a summary)")
    parser.add_argument(
        "--quick", action="store_true", help="smaller and fewer runs, about half a minute per framework"
    )
    parser.add_argument(
        "--devices", default="cpu,gpu", help="cpu, gpu (all of them) or GPU numbers, separated by commas"
    )
    parser.add_argument("--data", default="/var/lib/dlbox/bench/data", help="folder that may hold " + MNIST_FILE)
    options = parser.parse_args(argv)
    # NVML counts GPUs in the order of the bus; this makes the frameworks do so, too.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    answer = measure(options.framework, options.quick, options.devices.split(","), options.data)
    print(json.dumps(answer) if options.json else summary(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
