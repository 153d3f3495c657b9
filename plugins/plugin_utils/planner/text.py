"""Print a plan on one screen: the decision, the reasons, what to watch for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 100
_LABELS = (("pytorch", "PyTorch"), ("tensorflow", "TensorFlow"), ("jax", "JAX"), ("keras", "Keras"))


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def _row(label: str, text: str) -> list[str]:
    return _wrap(text, f"  {label:<12}", " " * 14)


def _items(title: str, texts: Iterable[str]) -> list[str]:
    lines = [line for text in texts for line in _wrap(text, "  - ", "    ")]
    return ["", title, *lines] if lines else []


def head(plan: Mapping[str, Any]) -> str:
    """Return the line that names the machine."""
    system = plan["os"]
    secure = {True: "Secure Boot on", False: "Secure Boot off", None: ""}[system["secure_boot"]]
    kind = "" if system["virtualization"] in ("none", "") else system["virtualization"]
    name = f"{system['id'].capitalize()} {system['version']}".strip()
    words = [name, f"Linux {system['kernel']}", system["arch"], kind, secure]
    return f"{plan['host']}: {', '.join(word for word in words if word)}"


def _gpu(gpu: Mapping[str, Any]) -> str:
    parts = [gpu["name"] or gpu["chip"] or gpu["pci_id"]]
    if gpu["architecture"]:
        parts.append(f"{gpu['architecture']}, compute capability {gpu['compute_capability']}")
    if gpu["memory_mib"]:
        parts.append(f"{gpu['memory_mib'] / 1024:.0f} GiB")
    if gpu["role"] != "compute":
        parts.append({"display": "for the display only", "ignored": "left out"}[gpu["role"]])
    if gpu["note"]:
        parts.append(gpu["note"])
    return ", ".join(parts)


def _driver(plan: Mapping[str, Any]) -> list[str]:
    driver = plan["driver"]
    if driver is None:
        if plan["os"]["wsl"]:
            return _row("driver", "none: it belongs to Windows")
        return _row("driver", "none" if plan["ok"] else "none fits")
    build = {"prebuilt": "signed modules", "dkms": "modules built here (DKMS)"}[driver["provider"]]
    source = {"nvidia": "NVIDIA's repository"}.get(driver["source"], f"{driver['source'].capitalize()}'s archive")
    version = f" ({driver['version']})" if driver["version"] else ""
    lines = _row("driver", f"{driver['branch']} with {driver['modules']} modules{version}, {source}, {build}")
    return lines + _row("", " ".join([*driver["before"], *driver["packages"]]))


def _framework(label: str, entry: Mapping[str, Any]) -> list[str]:
    if entry["version"] is None:
        return _row(label, f"none: {entry['note']}" if entry["note"] else "none")
    where = "on the GPU" if entry["gpu"] else "on the CPU"
    if label == "Keras":
        return _row(label, f"{entry['version']} with {entry['note']}, {where}")
    requirements = " ".join(entry["requirements"] or entry["conda"])
    index = f" from {entry['index_url']}" if entry["index_url"] else ""
    return _row(label, f"{entry['version']} {entry['build']}, {where}, Python {entry['python']}: {requirements}{index}")


def render(plan: Mapping[str, Any]) -> str:
    """Return the plan as text, with the exclusions when the plan carries them."""
    lines = [head(plan)]
    if not plan["ok"]:
        lines += ["", "No plan fits."]
        for item in plan["refusals"]:
            if item["fatal"]:
                lines += _wrap(f"{item['message']}.", "  - ", "    ")
                lines += _wrap(item["remedy"], "    ", "    ")
        lines += _items("What would work", (_alternative(item) for item in plan["alternatives"]))
        lines += _items("GPUs", (_gpu(gpu) for gpu in plan["gpus"]))
        return "\n".join([*lines, *_excluded(plan)]) + "\n"
    for gpu in plan["gpus"]:
        lines += _row("GPU", _gpu(gpu))
    if not plan["gpus"]:
        lines += _row("GPU", "no NVIDIA GPU")
    lines += _driver(plan)
    if plan["cuda"]:
        lines += _row(
            "CUDA",
            f"{plan['cuda']['version']} ({plan['cuda']['source']}), for those who compile: "
            f"{' '.join(plan['cuda']['packages'])}",
        )
    if plan["cudnn"]:
        lines += _row("cuDNN", f"{plan['cudnn']['version']} {' '.join(plan['cudnn']['packages'])}")
    for name, label in _LABELS:
        lines += _framework(label, plan["frameworks"][name])
    lines += _items("Why", plan["reasons"])
    lines += _items("Not possible", (f"{item['message']}. {item['remedy']}" for item in plan["refusals"]))
    lines += _items("Watch for", (f"{item['message']}. {item['remedy']}" for item in plan["warnings"]))
    lines += _items("Also possible", (_alternative(item) for item in plan["alternatives"]))
    lines += _items("Advice", (item["message"] for item in plan["advice"]))
    return "\n".join([*lines, *_excluded(plan)]) + "\n"


def _alternative(item: Mapping[str, Any]) -> str:
    arguments = f" ({' '.join(item['arguments'])})" if item["arguments"] else ""
    return f"{item['change']}{arguments}: {item['summary']}"


def _excluded(plan: Mapping[str, Any]) -> list[str]:
    if "excluded" not in plan:
        return []
    lines = ["", "Excluded"]
    groups: dict[tuple[str, str], list[str]] = {}
    for item in plan["excluded"]:
        groups.setdefault((item["component"], item["candidate"]), []).append(item["reason"])
    component = ""
    for (name, candidate), reasons in groups.items():
        if name != component:
            lines.append(f"  {name}")
            component = name
        lines += _wrap(f"{candidate}: {'; '.join(dict.fromkeys(reasons))}", "    ", "      ")
    return lines if groups else [*lines, "  nothing"]
