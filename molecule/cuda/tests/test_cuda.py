"""Toolkits as a person at the shell finds them."""

from __future__ import annotations

import pytest


def only(host, wanted: str) -> None:
    if wanted not in host.backend.get_pytest_id():
        pytest.skip(f"is about {wanted}")


def installed(host) -> dict[str, str]:
    lines = host.check_output("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n'").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines if line.endswith(" installed")}


def test_nvcc_is_on_the_path_of_login_shells_and_of_no_others(host):
    release = "13.0" if "u2404" in host.backend.get_pytest_id() else "12.9"
    assert f"release {release}," in host.check_output("bash -lc 'nvcc --version'")
    assert host.check_output("sh -lc 'nvcc --version'").startswith("Cuda compilation tools, release " + release)
    assert host.check_output("bash -lc '. /etc/profile; echo $PATH'").count("/usr/local/cuda/bin") == 1


def test_no_library_path_is_set(host):
    assert host.check_output("bash -lc 'echo ${LD_LIBRARY_PATH-unset}'") == "unset"
    assert host.run("grep -r LD_LIBRARY_PATH= /etc/profile.d /etc/environment /etc/environment.d").rc != 0


def test_no_driver_came_along(host):
    drivers = [
        name for name in installed(host) if name.startswith(("nvidia-", "libnvidia-", "cuda-drivers", "cuda-runtime"))
    ]
    assert drivers == []


def test_two_toolkits_live_side_by_side_and_the_default_can_be_changed(host):
    only(host, "u2404")
    assert {"cuda-toolkit-12-9", "cuda-toolkit-13-0"} <= set(installed(host))
    assert host.file("/usr/local/cuda").is_symlink
    host.check_output("update-alternatives --set cuda /usr/local/cuda-12.9")
    assert "release 12.9," in host.check_output("bash -lc 'nvcc --version'")
    host.check_output("update-alternatives --set cuda /usr/local/cuda-13.0")


def test_cudnn_is_the_plans_and_matches_the_toolkit(host):
    found = installed(host)
    if "u2404" in host.backend.get_pytest_id():
        assert found["libcudnn9-cuda-13"] == "9.27.0.42-1"
        assert found["libnccl2"].endswith("+cuda13.0")
    else:
        assert found["libcudnn9-cuda-12"] == found["libcudnn9-dev-cuda-12"] == "9.10.2.21-1"
        assert "libnccl2" not in found


def test_nothing_of_it_moves_by_apt_upgrade(host):
    assert "Inst" not in host.check_output("apt-get -s dist-upgrade")
    held = host.check_output("apt-mark showhold").split()
    assert any(name.startswith("cuda-toolkit-") for name in held)
    assert any(name.startswith("libcudnn9-cuda-") for name in held)
