"""The plan's driver becomes one transaction for this host's kernels, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host.dpkg import Package
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import driver, names
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Apt, Done, Failed, Refused

OLD, NEW = "580.126.09-0ubuntu0.1", "580.178.04-0ubuntu0.24.04.1"
KERNELS = {"generic": "6.8.0-149-generic", "generic-hwe-24.04": "7.0.0-43-generic"}


class Host:
    """A stand-in for dpkg, apt and dkms: packages that are there, versions on offer, kernels that get a module.

    installed: name to (version, want, status). offered: name to candidate version. simulated: apt's answer, else every
    named package is installed and every name with a minus removed.
    """

    def __init__(self, root: Path, offered: dict[str, str], kernels: dict[str, bool] | None = None) -> None:
        self.root, self.offered = root, offered
        self.installed: dict[str, tuple[str, str, str]] = {}
        self.calls = list[list[str]]()
        self.simulated: Done | None = None
        self.failing = False
        self.built = set[str]()
        self.buildable = set[str]()
        for release, headers in (kernels or dict.fromkeys(KERNELS.values(), True)).items():
            (root / "boot").mkdir(exist_ok=True)
            (root / f"boot/vmlinuz-{release}").touch()
            (root / "lib/modules" / release / ("build" if headers else "kernel")).mkdir(parents=True)
        for flavour in KERNELS:
            self.installed[f"linux-image-{flavour}"] = ("1", "install", "installed")

    def have(self, *packages: str, version: str = OLD, want: str = "hold", status: str = "installed") -> None:
        self.installed.update(dict.fromkeys(packages, (version, want, status)))

    def packages(self) -> dict[str, Package]:
        return {name: Package(name, *known) for name, known in self.installed.items()}

    def __call__(self, argv: Sequence[str]) -> Done:
        self.calls.append(list(argv))
        if argv[:2] == ["apt-cache", "policy"]:
            known = [name for name in argv[2:] if name in self.offered]
            return Done(0, "".join(f"{name}:\n  Candidate: {self.offered[name]}\n" for name in known), "")
        if argv[:2] == ["apt-cache", "depends"]:
            found = [
                f"  Depends: {name.removesuffix(flavour)}{release}\n"
                for name in argv[2:]
                for flavour, release in KERNELS.items()
                if name.endswith(f"-{flavour}")
            ]
            return Done(0, "".join(found), "")
        if argv[0] == "apt-get" and "--simulate" in argv:
            return self.simulated or Done(0, "".join(self._lines(argv)), "")
        if argv[0] == "apt-get" and "install" in argv and "--download-only" not in argv:
            return self._install(argv)
        if argv[:2] == ["dkms", "status"]:
            return Done(0, "".join(f"nvidia/580.178.04, {release}, x86_64: installed\n" for release in self.built), "")
        if argv[:2] == ["dkms", "autoinstall"]:
            self.built |= {argv[3]} & self.buildable
        if argv[0] == "apt-mark":
            for name in argv[2:]:
                self.installed[name] = (self.installed[name][0], argv[1].replace("un", ""), "installed")
        return Done(0, "", "")

    def _lines(self, argv: Sequence[str]) -> list[str]:
        lines = []
        for word in argv[argv.index("install") + 1 :]:
            name = word.removesuffix("-")
            if word.endswith("-"):
                lines += [f"Remv {name} [{self.installed[name][0]}]\n"] if name in self.installed else []
            elif self.installed.get(name, ("",))[0] != self.offered.get(name):
                old = f" [{self.installed[name][0]}]" if name in self.installed else ""
                lines.append(f"Inst {name}{old} ({self.offered[name]} Ubuntu:24.04 [amd64])\n")
        return lines

    def _install(self, argv: Sequence[str]) -> Done:
        if self.failing and "--fix-broken" not in argv:
            return Done(100, "", "E: Sub-process /usr/bin/dpkg returned an error code (1)\n")
        for line in self._lines(argv):
            words = line.split()
            if words[0] == "Remv":
                del self.installed[words[1]]
            else:
                self.installed[words[1]] = (self.offered[words[1]], "install", "installed")
        return Done(0, "", "")

    def ran(self, *words: str) -> bool:
        return any(all(word in call for word in words) for call in self.calls)


def archive(label: str = "580", version: str = NEW) -> dict[str, str]:
    """What Ubuntu's archive has of a branch in both flavours."""
    out = [f"nvidia-utils-{label}", f"libnvidia-compute-{label}", f"nvidia-kernel-common-{label}"]
    for suffix in (label, f"{label}-open"):
        out += [f"nvidia-driver-{suffix}", f"nvidia-dkms-{suffix}", f"nvidia-headless-no-dkms-{suffix}"]
        out += [f"linux-modules-nvidia-{suffix}-{target}" for target in (*KERNELS, *KERNELS.values())]
    return {**dict.fromkeys(out, version), "dkms": "3", **{f"linux-headers-{flavour}": "1" for flavour in KERNELS}}


SIGNED = ["nvidia-driver-580-open", *(f"linux-modules-nvidia-580-open-{flavour}" for flavour in KERNELS)]
BUILT = ["nvidia-driver-580-open", "nvidia-dkms-580-open", *(f"linux-headers-{flavour}" for flavour in KERNELS)]


def asked(host: Host, check: bool = False, provider: str = "prebuilt", **given: Any) -> driver.Result:
    """Carry out a plan for branch 580 with open modules of Ubuntu's; `given` changes the set or the order."""
    planned = {"branch": "580", "modules": "open", "source": "ubuntu"}
    planned.update({key: given.pop(key) for key in list(given) if key in names.DriverSet.__dataclass_fields__})
    given.setdefault("packages", BUILT if provider == "dkms" else SIGNED)
    given.setdefault("running_kernel", KERNELS["generic"])
    order = driver.Order(names.DriverSet(**planned), provider=provider, **given)
    return driver.Driver(Apt(host, host.packages), order, host.root).apply(check)


def requests(host: Host) -> list[list[str]]:
    """The names of every apt run that changed something, in order."""
    runs = [call for call in host.calls if call[0] == "apt-get" and "--yes" in call and "--download-only" not in call]
    return [call[call.index("install") + 1 :] for call in runs]


def test_apt_is_asked_for_the_plans_packages_and_no_others(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    found = asked(host)
    assert found.changed and found.provider == "prebuilt"
    assert found.install == SIGNED and requests(host) == [SIGNED]
    assert not host.ran("dkms", "autoinstall")
    assert host.installed["nvidia-driver-580-open"][1] == "hold"
    assert not asked(host).changed, "the second run has nothing to do"


def test_check_mode_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    found = asked(host, check=True)
    assert found.changed and f"install nvidia-driver-580-open {NEW}" in found.changes
    assert not any(call[0] in ("apt-mark", "dpkg") or "--yes" in call for call in host.calls)


def test_a_metapackage_of_another_release_does_not_change_how_modules_get_there(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.installed["linux-image-generic-hwe-22.04"] = ("1", "install", "installed")
    found = asked(host)
    assert found.provider == "prebuilt" and requests(host) == [SIGNED]


def test_the_running_kernels_headers_are_asked_for_too(tmp_path: Path) -> None:
    running = f"linux-headers-{KERNELS['generic']}"
    host = Host(tmp_path, {**archive(), running: "1"})
    host.buildable = set(KERNELS.values())
    asked(host, provider="dkms", kernel_headers=running)
    assert requests(host) == [[*BUILT, running]]


def test_headers_that_the_archive_dropped_are_refused_before_anything(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    gone = "linux-headers-6.8.0-31-generic"
    with pytest.raises(Refused, match=rf"{gone}.*nothing was changed.*full-upgrade"):
        asked(host, provider="dkms", kernel_headers=gone)
    assert requests(host) == []
    host.have(gone, version="1", want="install")
    host.offered[gone] = "1"
    host.buildable = set(KERNELS.values())
    assert asked(host, provider="dkms", kernel_headers=gone).changed, "installed is enough"


def test_a_branch_change_removes_every_part_of_the_other(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-driver-595-open", "libnvidia-compute-595", version="595.99.02-1")
    host.have("nvidia-settings", version="550-1", want="install")
    found = asked(host)
    assert found.remove == ["libnvidia-compute-595", "nvidia-driver-595-open"]
    assert "nvidia-settings" in host.installed


def test_a_flavour_change_within_the_branch_keeps_the_userspace(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-driver-580", "nvidia-dkms-580", "nvidia-utils-580", version=NEW)
    assert asked(host).remove == ["nvidia-dkms-580", "nvidia-driver-580"]


def test_an_upgrade_moves_what_is_held_and_names_nothing_twice(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-driver-580-open", "nvidia-utils-580", "libnvidia-compute-580", "nvidia-kernel-common-580")
    found = asked(host)
    assert {version for name, (version, *_rest) in host.installed.items() if "nvidia" in name} == {NEW}
    assert len(found.install) == len(set(found.install))


def test_an_owner_who_wants_no_upgrade_gets_none(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    asked(host)
    host.have("nvidia-driver-580-open", "libnvidia-compute-580", version=OLD)
    assert asked(host, upgrade=False).changes == []


def test_what_would_go_besides_the_driver_stops_it(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.simulated = Done(0, f"Remv ubuntu-desktop [1]\nInst nvidia-driver-580-open ({NEW} U [amd64])\n", "")
    with pytest.raises(Refused, match=r"would also remove ubuntu-desktop; nothing was changed.*may_remove"):
        asked(host)
    assert asked(host, check=True, may_remove=["^ubuntu-desktop$"]).changed


def test_two_branches_are_never_left_mixed(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.simulated = Done(0, "Inst libnvidia-gl-595 (595.99.02-1 NVIDIA [amd64])\n", "")
    with pytest.raises(
        Refused, match=r"parts of another branch than 580 \(open modules\) would be there: libnvidia-gl-595"
    ):
        asked(host)


def test_a_failed_transaction_is_undone_and_carries_the_compilers_line(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.failing = True
    log = tmp_path / "var/lib/dkms/nvidia/580.178.04/build/make.log"
    log.parent.mkdir(parents=True)
    log.write_text("DKMS make.log for kernel 7.0.0-43-generic\nnv-pci.c:237: error: too few arguments\n")
    host.built = {KERNELS["generic"]}
    with pytest.raises(Failed) as failed:
        asked(host, provider="dkms")
    assert "the transaction was undone and apt is consistent" in str(failed.value)
    assert "7.0.0-43-generic" in str(failed.value) and "error: too few arguments" in str(failed.value)
    assert host.ran("apt-get", "--fix-broken") and host.ran("dpkg", "--audit")


def test_every_kernel_gets_its_build(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.buildable = set(KERNELS.values())
    assert asked(host, provider="dkms").provider == "dkms"
    assert host.built == set(KERNELS.values())


def test_a_build_that_fails_for_one_kernel_is_an_error(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.buildable = {KERNELS["generic"]}
    with pytest.raises(Failed, match=r"does not build for kernel 7\.0\.0-43-generic: no make\.log"):
        asked(host, provider="dkms")


def test_a_kernel_without_headers_stops_it_only_where_it_matters(tmp_path: Path) -> None:
    kernels = {"6.8.0-31-generic": False, **dict.fromkeys(KERNELS.values(), True)}
    host = Host(tmp_path, archive(), kernels)
    host.buildable = set(KERNELS.values())
    found = asked(host, provider="dkms")
    assert "kernel 6.8.0-31-generic has no headers (linux-headers-6.8.0-31-generic)" in found.notes[-1]
    with pytest.raises(Failed, match=r"linux-headers-6\.8\.0-31-generic.*install them, or remove that kernel"):
        asked(host, provider="dkms", running_kernel="6.8.0-31-generic")


def test_half_configured_packages_are_finished_first(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-utils-580", version=NEW, want="install", status="half-configured")
    found = asked(host)
    assert found.notes[0] == "an aborted run had left half configured: nvidia-utils-580"
    assert host.ran("dpkg", "--configure", "-a")


def test_userspace_alone_brings_no_module(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    found = asked(host, provider="", packages=["nvidia-utils-580", "libnvidia-compute-580"])
    assert found.provider is None and found.install == ["nvidia-utils-580", "libnvidia-compute-580"]


def test_the_owners_extra_packages_come_in_the_same_transaction(tmp_path: Path) -> None:
    host = Host(tmp_path, {**archive(), "nvidia-settings": "1"})
    asked(host, extra_packages=["nvidia-settings"])
    assert requests(host) == [[*SIGNED, "nvidia-settings"]]


def test_nvidias_pinning_package_comes_first_and_alone(tmp_path: Path) -> None:
    offered = {"nvidia-driver-pinning-620": "620-1", "nvidia-open": "620.14.02-1", "dkms": "3"}
    host = Host(tmp_path, {**offered, **{f"linux-headers-{flavour}": "1" for flavour in KERNELS}})
    host.buildable = set(KERNELS.values())
    host.have("nvidia-driver-pinning-595", version="595-1", want="install")
    headers = [f"linux-headers-{flavour}" for flavour in KERNELS]
    before = ["nvidia-driver-pinning-620"]
    asked(host, False, "dkms", branch="620", source="nvidia", before=before, packages=["nvidia-open", *headers])
    first = next(call for call in host.calls if "--yes" in call)
    assert first[-2:] == ["nvidia-driver-pinning-620", "nvidia-driver-pinning-595-"]
    assert "nvidia-driver-pinning-595" not in host.installed and "nvidia-open" in host.installed
    assert requests(host)[1] == ["nvidia-open", *headers]


def test_a_pinning_package_that_the_repository_lacks_is_refused_before_anything(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.simulated = Done(100, "", "E: Unable to locate package nvidia-driver-pinning-620\n")
    with pytest.raises(Refused, match="Unable to locate package nvidia-driver-pinning-620"):
        asked(host, before=["nvidia-driver-pinning-620"])
    assert requests(host) == []


@pytest.mark.parametrize("upgrade", [True, False])
def test_names_without_branch_move_to_the_other_branch(tmp_path: Path, upgrade: bool) -> None:
    unsuffixed = ["nvidia-open", "nvidia-driver-open", "nvidia-dkms-open", "libnvidia-compute"]
    offered = dict.fromkeys([*unsuffixed, "nvidia-driver-pinning-615"], "615.71.09-1ubuntu1")
    host = Host(tmp_path, {**offered, "dkms": "3", **{f"linux-headers-{flavour}": "1" for flavour in KERNELS}})
    host.buildable = set(KERNELS.values())
    host.have(*unsuffixed, version="595.91.07-1ubuntu1")
    wanted = ["nvidia-open", *(f"linux-headers-{flavour}" for flavour in KERNELS)]
    given = {"packages": wanted, "before": ["nvidia-driver-pinning-615"], "upgrade": upgrade}
    found = asked(host, provider="dkms", branch="615", source="nvidia", **given)
    assert found.remove == [], "nvidia-open of 615 depends on names that 595 has too"
    assert {host.installed[name][0] for name in unsuffixed} == {"615.71.09-1ubuntu1"}


def test_before_the_sources_are_written_check_mode_does_not_fail(tmp_path: Path) -> None:
    host = Host(tmp_path, {})
    host.simulated = Done(100, "", "E: Unable to locate package nvidia-driver-580-open\n")
    found = asked(host, check=True, sources_pending=True)
    assert found.changed and "not simulated" in found.notes[-1]
    with pytest.raises(Refused, match="Unable to locate package"):
        asked(host, check=True)


def test_check_mode_before_the_preferences_are_written_does_not_judge_by_the_old_ones(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-open", "libnvidia-compute", version="595.99.02-1")
    host.simulated = Done(0, "", "")
    found = asked(host, check=True, branch="620", source="nvidia", packages=["nvidia-open"], sources_pending=True)
    assert found.changed and "not simulated" in found.notes[-1]
    with pytest.raises(Refused, match="parts of another branch"):
        asked(host, check=True, branch="620", source="nvidia", packages=["nvidia-open"])


def test_signed_modules_take_the_place_of_built_ones(tmp_path: Path) -> None:
    host = Host(tmp_path, archive())
    host.have("nvidia-driver-580-open", "nvidia-dkms-580-open", version=NEW)
    found = asked(host)
    assert found.provider == "prebuilt" and found.remove == ["nvidia-dkms-580-open"]
