"""What the host does, asked of the host: apt, GRUB's own menu, systemd, the login message, the stand-in cards."""

from __future__ import annotations

import json

import pytest

TOOL = "/usr/local/sbin/dlbox-nvidia"


def name(host) -> str:
    return host.backend.get_pytest_id().rpartition("-")[2].rstrip("]")


def only(host, *names: str) -> None:
    if name(host) not in names:
        pytest.skip(f"is about {', '.join(names)}")


def versions(host) -> dict[str, str]:
    lines = host.check_output("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n'").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines if line.endswith(" installed")}


def test_apt_is_consistent(host):
    assert host.check_output("dpkg --audit") == ""
    assert host.run("apt-get check").rc == 0


def test_the_driver_does_not_move_by_apt_upgrade(host):
    assert "nvidia" not in "".join(
        line for line in host.check_output("apt-get -s dist-upgrade").splitlines() if line.startswith(("Inst", "Remv"))
    )


def test_unattended_upgrades_have_the_exclusion(host):
    told = host.check_output("apt-config dump Unattended-Upgrade::Package-Blacklist")
    for prefix in ("^nvidia-", "^libnvidia-", "^linux-modules-nvidia-", "^cuda-"):
        assert f'"{prefix}"' in told


def test_debians_own_userspace_is_there(host):
    only(host, "d13")
    found = versions(host)
    assert found["libcuda1"].startswith("550.") and found["nvidia-smi"].startswith("550.")
    assert "nvidia-kernel-dkms" not in found
    status = json.loads(host.check_output(f"{TOOL} status"))
    assert status["library_version"] == found["libcuda1"].partition("-")[0]
    # The real command, without a module to talk to.
    assert host.run("nvidia-smi").rc != 0


def test_grubs_default_is_the_newest_kernel_with_a_module(host):
    only(host, "u2404")
    menu = "/boot/grub/grub.cfg"
    assert 'set default="0"' in host.file(menu).content_string, "every kernel has a module: GRUB decides"
    with host_kernel(host, "7.0.0-99-generic"):
        host.check_output(f"{TOOL} refresh")
        text = host.file(menu).content_string
        chosen = next(line for line in text.splitlines() if 'set default="gnulinux' in line).split('"')[1]
        submenu, entry = chosen.split(">")
        assert f"'{submenu}'" in text and f"'{entry}'" in text, "ids that the menu really has"
        assert "7.0.0-43-generic" in entry
        assert "7.0.0-99-generic has no NVIDIA module" in host.check_output("/etc/update-motd.d/97-dlbox-nvidia")
    host.check_output(f"{TOOL} refresh")
    assert 'set default="0"' in host.file(menu).content_string


class host_kernel:
    """A kernel without module, for the time of a test."""

    def __init__(self, host, release: str) -> None:
        self.host, self.release = host, release

    def __enter__(self) -> None:
        self.host.check_output(f"touch /boot/vmlinuz-{self.release}; mkdir -p /lib/modules/{self.release}")

    def __exit__(self, *_error: object) -> None:
        self.host.check_output(f"rm -r /boot/vmlinuz-{self.release} /lib/modules/{self.release}")


def test_settings_of_the_cards_are_applied_and_clamped(host):
    only(host, "u2404")
    data = json.loads(host.check_output("cat /etc/dlbox-test/gpu.json"))
    cards = data["cards"]
    assert cards[0]["power.limit"] == "600.00", "900 W were asked for"
    assert [card["compute_mode"] for card in cards] == ["Exclusive_Process"] * 2
    assert cards[1]["clocks.applications.memory"] == "7000" and cards[1]["clocks.applications.graphics"] == "3120"
    assert ["-lgc", "210,3120"] in data["calls"]
    assert [card["persistence_mode"] for card in cards] == ["Enabled"] * 2


def test_a_setting_that_somebody_changed_is_put_right_at_the_next_start(host):
    only(host, "u2404")
    done = host.run(f"{TOOL} verify")
    assert done.rc == 1, "the stories changed it"
    assert json.loads(done.stdout)["errors"] == ["GPU 1: power_limit is 300.00, wanted 250.00"]
    host.check_output(f"{TOOL} apply")
    assert host.run(f"{TOOL} verify").rc == 0


def test_settings_say_what_nvidia_smi_says_when_there_is_no_driver(host):
    only(host, "u2404")
    host.check_output("rm /etc/dlbox-test/gpu.json")
    done = host.run(f"{TOOL} verify")
    assert done.rc == 1 and "couldn't communicate with the NVIDIA driver" in done.stdout


def test_persistence_is_on_and_survives(host):
    only(host, "u2404", "u2604")
    unit = host.check_output("systemctl show nvidia-persistenced -p ExecStart -p StopWhenUnneeded -p UnitFileState")
    assert "--persistence-mode" in unit and "--no-persistence-mode" not in unit
    assert "StopWhenUnneeded=no" in unit and "UnitFileState=enabled" in unit


def test_nouveau_and_nova_are_kept_out_and_the_initramfs_knows(host):
    only(host, "u2404", "u2604", "u2204")
    text = host.file("/etc/modprobe.d/dlbox-nvidia.conf").content_string
    for module in ("nouveau", "nova", "nova_core"):
        assert f"blacklist {module}\n" in text
    assert "update-initramfs -u -k all" in host.file("/etc/dlbox-test/initramfs.log").content_string
    assert host.file("/etc/dracut.conf.d/dlbox-nvidia.conf").exists == (name(host) == "u2604")


def test_built_modules_under_secure_boot_wait_for_the_owner(host):
    only(host, "u2604")
    assert "nvidia-dkms-580" in versions(host)
    assert "linux-headers-generic" in versions(host)
    key = host.file("/var/lib/shim-signed/mok/MOK.priv")
    assert key.mode == 0o600 and key.user == "root"


def test_the_password_is_in_no_log(host):
    only(host, "u2604")
    # Staged, seen by the stories and enrolled: afterwards it is nowhere on the host.
    assert not host.file("/var/lib/dlbox/nvidia/mok-password").exists


def test_components_come_from_the_mirror_that_was_named(host):
    only(host, "u2604")
    text = host.file("/etc/apt/sources.list.d/dlbox-components.sources").content_string
    assert "URIs: http://127.0.0.1:8000/ubuntu\nSuites: resolute resolute-security\nComponents: multiverse\n" in text
    assert "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.asc" in text


def test_no_other_branch_is_left(host):
    status = json.loads(host.check_output(f"{TOOL} status"))
    assert status["branches"] == ["550" if name(host) == "d13" else "580"]
    assert status["half_configured"] == []
