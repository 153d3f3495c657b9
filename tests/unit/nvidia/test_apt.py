"""apt's simulation is read and validated; dpkg's state and the versions on offer too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import aptsim
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Apt, Done, Failed, Refused, Request

SIMULATION = """\
Reading package lists...
Remv nvidia-driver-595-open [595.99.02-0ubuntu0.24.04.1]
Purg libnvidia-gl-595:amd64 [595.99.02-0ubuntu0.24.04.1]
Inst libnvidia-compute-580 [580.126.09-0ubuntu0.1] (580.178.04-0ubuntu0.24.04.1 Ubuntu:noble-security [amd64]) []
Inst nvidia-driver-580-open (580.178.04-0ubuntu0.24.04.1 Ubuntu:noble-updates, Ubuntu:noble-security [amd64])
Conf nvidia-driver-580-open (580.178.04-0ubuntu0.24.04.1 Ubuntu:noble-updates [amd64])
"""


def test_a_simulation_is_read() -> None:
    change = aptsim.parse_simulation(SIMULATION)
    assert change.remove == {
        "nvidia-driver-595-open": "595.99.02-0ubuntu0.24.04.1",
        "libnvidia-gl-595": "595.99.02-0ubuntu0.24.04.1",
    }
    assert change.install["nvidia-driver-580-open"][:2] == (None, "580.178.04-0ubuntu0.24.04.1")
    assert change.install["libnvidia-compute-580"][0] == "580.126.09-0ubuntu0.1"
    assert change.lines()[-1] == "install nvidia-driver-580-open 580.178.04-0ubuntu0.24.04.1"


def test_removals_and_installs_are_judged() -> None:
    change = aptsim.parse_simulation(SIMULATION)
    assert aptsim.unwanted_removals(change, ["^nvidia-driver-"]) == ["libnvidia-gl-595"]
    assert aptsim.forbidden_installs(change, ["^nvidia-driver", "^libnvidia"]) == ["nvidia-driver-580-open"]


@pytest.mark.parametrize(
    ("upstream", "picked"),
    [("9.10.2.21", "9.10.2.21-1"), ("9.10", "9.10.2.21-1"), ("9.1", None), ("9.27.0", "9.27.0.42-1")],
)
def test_an_upstream_version_picks_apts(upstream: str, picked: str | None) -> None:
    assert aptsim.pick_version(["9.27.0.42-1", "9.10.2.21-1"], upstream) == picked


@pytest.mark.parametrize(
    ("ending", "picked"),
    [
        ("+cuda13.0", "2.28.9-1+cuda13.0"),
        ("+cuda13.4", "2.29.2-1+cuda13.3"),
        ("+cuda13.2", "2.28.9-1+cuda13.0"),
        ("+cuda12.8", None),
        ("+cuda14.0", None),
    ],
)
def test_a_library_is_built_for_the_toolkit_or_one_before_it(ending: str, picked: str | None) -> None:
    """NVIDIA builds NCCL for some toolkits only: that of the same major version runs with the later ones."""
    versions = ["2.29.2-1+cuda13.3", "2.28.9-1+cuda13.0", "2.27.7-1+cuda12.9", "2.27.6-1+cuda12.9", "1.0"]
    assert aptsim.pick_built_for(versions, ending) == picked
    assert aptsim.pick_built_for(versions, "+cuda12.9") == "2.27.7-1+cuda12.9"


class Script:
    """A runner that answers from a table of (word in the command, answer) and notes what was run."""

    def __init__(self, *answers: tuple[str, Done]) -> None:
        self.answers, self.calls = answers, list[list[str]]()

    def __call__(self, argv: Sequence[str]) -> Done:
        self.calls.append(list(argv))
        line = " ".join(argv)
        return next((answer for word, answer in self.answers if word in line), Done(0, "", ""))


def test_a_removal_that_nobody_asked_for_stops_the_transaction() -> None:
    apt = Apt(Script(("--simulate", Done(0, "Remv ubuntu-desktop [1.0]\n", ""))))
    request = Request(install=["nvidia-driver-580"])
    with pytest.raises(Refused, match="ubuntu-desktop"):
        apt.validate(request, apt.simulate(request))


def test_what_was_asked_to_go_may_go() -> None:
    apt = Apt(Script(("--simulate", Done(0, "Remv g++-12 [1.0]\n", ""))))
    request = Request(install=[], remove=["g++-12"])
    apt.validate(request, apt.simulate(request))


def test_apts_own_explanation_is_passed_on() -> None:
    text = "noise\nThe following packages have unmet dependencies:\n a : Depends: x\nE: Unable to correct\n"
    with pytest.raises(Refused, match="unmet dependencies"):
        Apt(Script(("--simulate", Done(100, text, "")))).simulate(Request(install=["nvidia-driver-580"]))


def test_nothing_is_installed_when_the_download_fails() -> None:
    script = Script(("--download-only", Done(100, "", "E: Failed to fetch http://mirror.example/x")))
    with pytest.raises(Failed, match="nothing was changed"):
        Apt(script).execute(Request(install=["x"]))
    assert all("--download-only" in call for call in script.calls)
