"""A host that answers with something else than the probe's evidence harms no other host of the inventory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import doctor
import pytest
import report
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import runner
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import kept

FRAME = {"errors": {}, "root": True, "time": 1.0}
Plant = Callable[[str], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Return a function that makes an inventory of a host whose Python gives the answer, and of this machine."""

    def inventory(answer: str) -> Path:
        (tmp_path / "answer").write_text(f"{runner.MARK}{answer}\n")
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
        python.chmod(0o755)
        path = tmp_path / "hosts.json"
        hosts = {"evil": {"ansible_python_interpreter": str(python)}, "good": {}}
        path.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}))
        return path

    return inventory


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"errors": {}, "time": 1}),
        "[1,2]",
        "[" * 200_000,
        json.dumps({**FRAME, "plan": {"warnings": [1]}}),
        json.dumps({**FRAME, "plan": [], "os_release": 3, "addresses": {"a": 1}, "bench_runs": 7}),
        json.dumps({**FRAME, "time": 10**400}),
    ],
    ids=["frame", "list", "deep", "plan", "parts", "time"],
)
def test_the_other_hosts_are_examined_and_shown(
    plant: Plant, answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory, output = str(plant(answer)), tmp_path / "reports"
    common = ["-i", inventory, "--output", str(output)]
    assert doctor.main([*common, "--quick", "--only", "system"]) in (0, 1, 2)
    assert "\ngood\n" in capsys.readouterr().out
    doctor.main([*common, "--quick", "--only", "system", "--host", "good"])
    assert report.main(common) == 0
    capsys.readouterr()
    assert {path.name for path in output.glob("*.html")} == {"index.html", "good.html", "evil.html"}


@pytest.mark.parametrize(
    "answer", [[], 3, {}, {**FRAME, "errors": []}, {**FRAME, "root": "yes"}, {**FRAME, "time": None}]
)
def test_what_the_probe_never_answers_is_no_evidence(answer: object) -> None:
    with pytest.raises(runner.HostUnreachable, match=r"not the probe's: no proper '(errors|root|time)' in it"):
        runner.received(answer)


def test_what_is_no_record_of_a_benchmark_is_not_kept() -> None:
    """Observed: one such record of a host's left nothing of the host on its page."""
    told = kept.of_evidence({**FRAME, "bench_runs": [{"quick": False, "results": [{"environment": {}}]}, None, 3]})
    assert told["runs"] == []
