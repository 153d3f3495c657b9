"""The host's tool: what its verbs print and how they end."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import kernels
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import gpusettings, hosttool


class Gpus:
    """A stand-in for nvidia-smi with one gpu that takes power limits and compute modes."""

    def __init__(self, **mishap: Any) -> None:
        self.calls = list[tuple[str, ...]]()
        self.power, self.mode, self.mishap = "350.00", "Default", mishap

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments)
        if self.mishap.get("no_driver"):
            return subprocess.CompletedProcess(arguments, 9, "NVIDIA-SMI has failed", "")
        if arguments[0].startswith("--query-gpu="):
            values = {"index": "0", "uuid": "GPU-a", "pci.bus_id": "0:1", "name": "RTX", "persistence_mode": "Enabled"}
            values.update({"power.limit": self.power, "power.min_limit": "100", "power.max_limit": "400"})
            values["compute_mode"] = self.mode
            return subprocess.CompletedProcess(
                arguments, 0, ", ".join(values.get(key, "[N/A]") for key in gpusettings.QUERY) + "\n", ""
            )
        if self.mishap.get("refuses") == arguments[2]:
            return subprocess.CompletedProcess(arguments, 4, "", "Insufficient Permissions")
        if arguments[2] == "-pl":
            self.power = f"{float(arguments[3]):.2f}"
        if arguments[2] == "-c":
            self.mode = "Exclusive_Process"
        return subprocess.CompletedProcess(arguments, 0, "", "")


def outcome(monkeypatch: pytest.MonkeyPatch, gpus: Gpus, verify: bool = False, **settings: Any) -> dict[str, Any]:
    monkeypatch.setattr(hosttool, "nvidia_smi", gpus)
    return hosttool.apply_settings(settings, verify)


SETTINGS = [{"power_limit": 900, "compute_mode": "exclusive_process"}, {"match": "GTX", "power_limit": 90}]


def test_settings_are_applied_clamped_and_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = Gpus()
    found = outcome(monkeypatch, gpus, settings=SETTINGS, persistence=True)
    assert found["ok"] and ("-i", "0", "-pl", "400") in gpus.calls
    assert found["notes"] == ["GPU 0 (RTX) allows 100 to 400 W: 900 W became 400 W", "no GPU matches 'GTX'"]


def test_verifying_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = Gpus()
    found = outcome(monkeypatch, gpus, verify=True, settings=SETTINGS)
    assert not found["ok"] and all(call[0].startswith("--query") for call in gpus.calls)
    assert found["errors"][0] == "GPU 0: power_limit is 350.00, wanted 400.00"


def test_a_setting_that_nvidia_smi_refuses_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    found = outcome(monkeypatch, Gpus(refuses="-pl"), settings=SETTINGS)
    assert found["errors"][0] == "GPU 0: power_limit: Insufficient Permissions"


def test_persistence_that_is_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = Gpus()
    monkeypatch.setattr(hosttool.gpusettings, "parse_query", lambda text: [_off(text)])
    assert outcome(monkeypatch, gpus, persistence=True)["errors"] == ["GPU 0: persistence mode is off"]
    assert outcome(monkeypatch, gpus, persistence=False)["ok"]


PARSE = gpusettings.parse_query


def _off(text: str) -> gpusettings.GpuState:
    return PARSE(text.replace("Enabled", "Disabled"))[0]


def test_apply_and_verify_end_with_a_status_and_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"settings": SETTINGS[:1], "persistence": True}))
    monkeypatch.setattr(hosttool, "nvidia_smi", Gpus())
    assert hosttool.main(["verify", "--settings", str(settings)]) == 1
    assert hosttool.main(["apply", "--settings", str(settings)]) == 0
    assert hosttool.main(["verify", "--settings", str(settings)]) == 0
    assert [json.loads(line)["ok"] for line in capsys.readouterr().out.splitlines()] == [False, True, True]
    monkeypatch.setattr(hosttool, "nvidia_smi", Gpus(no_driver=True))
    assert hosttool.main(["apply", "--settings", str(tmp_path / "none.json")]) == 1
    assert "nvidia-smi ended with 9: NVIDIA-SMI has failed" in capsys.readouterr().out


def kernel(release: str, version: str | None) -> kernels.Kernel:
    return kernels.Kernel(release, True, False, version, None, None)


def test_the_boot_menu_is_written_when_kernels_or_modules_change_and_only_then(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = tmp_path / "state/boot-default"
    monkeypatch.setattr(hosttool, "GUARD_MEMORY", memory)
    update = tmp_path / "update-grub"
    monkeypatch.setattr(hosttool, "UPDATE_GRUB", update)
    found = [kernel("6.8.0-1-generic", "580.1")]
    monkeypatch.setattr(kernels, "read_kernels", lambda: found)

    assert hosttool.main(["refresh"]) == 0
    assert "was written for: 6.8.0-1-generic 6.8.0-1-generic" in capsys.readouterr().out
    assert hosttool.main(["refresh"]) == 0 and capsys.readouterr().out == ""

    found.append(kernel("7.0.0-1-generic", None))
    update.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    update.chmod(0o755)
    assert hosttool.main(["refresh"]) == 1
    assert "update-grub failed: no space left" in capsys.readouterr().err
    assert memory.read_text() == "6.8.0-1-generic 6.8.0-1-generic\n", "so that the next run tries again"
    update.write_text("#!/bin/sh\n")
    assert hosttool.main(["refresh"]) == 0
    assert memory.read_text() == "6.8.0-1-generic 7.0.0-1-generic\n"


def test_an_unknown_verb_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        hosttool.main(["dance"])
    assert ended.value.code == 2
