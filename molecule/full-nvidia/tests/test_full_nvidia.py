"""Debian's real packages: a module that was built, a build that failed, a program that was compiled."""

from __future__ import annotations

import json

import pytest

PROGRAM = r"""
#include <cstdio>
__global__ void twice(int *value) { *value *= 2; }
int main() {
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  std::printf("%s\n", cudaGetErrorString(status));
  return status == cudaSuccess ? 0 : 3;
}
"""


def name(host) -> str:
    return host.backend.get_pytest_id().rpartition("-")[2].rstrip("]")


def only(host, *names: str) -> None:
    if name(host) not in names:
        pytest.skip(f"is about {', '.join(names)}")


def status(host) -> dict:
    return json.loads(host.check_output("/usr/local/sbin/dlbox-nvidia status"))


def test_apt_is_consistent(host):
    assert host.check_output("dpkg --audit") == ""
    assert host.run("apt-get check").rc == 0


def test_dkms_built_the_real_module_for_the_real_kernel(host):
    only(host, "d12", "d13")
    found = status(host)
    (kernel,) = [kernel for kernel in found["kernels"] if kernel["bootable"]]
    assert kernel["provider"] == "dkms"
    assert kernel["module_version"].startswith("535." if name(host) == "d12" else "550.")
    assert kernel["module_version"] == found["library_version"]
    told = host.check_output(f"/sbin/modinfo -F version {kernel['module_path']}")
    assert told == kernel["module_version"], "kmod and dlbox read the same version"
    vermagic = host.check_output(f"/sbin/modinfo -F vermagic {kernel['module_path']}")
    assert vermagic.split()[0] == kernel["release"]
    assert host.check_output(f"/sbin/modinfo -F license {kernel['module_path']}") == "NVIDIA", "the proprietary flavour"


def test_the_real_userspace_of_the_same_version_is_there(host):
    only(host, "d12", "d13")
    found = status(host)
    assert {"libcuda1", "nvidia-smi", "nvidia-persistenced"} <= set(found["packages"])
    assert set(found["packages"]) <= set(found["held"])
    # The real command, without a module to talk to.
    assert host.run("nvidia-smi").rc != 0


def test_the_initramfs_of_initramfs_tools_has_the_blacklist(host):
    only(host, "d12")
    listing = host.check_output("lsinitramfs /boot/initrd.img-*")
    assert "etc/modprobe.d/dlbox-nvidia.conf" in listing and "/nouveau.ko" not in listing


def test_the_initramfs_of_dracut_has_no_nouveau(host):
    only(host, "d13")
    (kernel,) = [kernel["release"] for kernel in status(host)["kernels"] if kernel["bootable"]]
    assert "/nouveau.ko" not in host.check_output(f"lsinitrd /boot/initrd.img-{kernel}")
    # On a machine with the GPU a module of dracut's asks for nouveau; here a stand-in of one does.
    module = "/usr/lib/dracut/modules.d/99probe"
    setup = "check() { return 0; }\ninstallkernel() { hostonly= instmods nouveau; }\n"
    host.check_output(f"mkdir -p {module}; printf '#!/bin/bash\n{setup}' > {module}/module-setup.sh")
    make = f"dracut --quiet --force --no-hostonly --no-compress --modules 'base probe' /tmp/initrd {kernel}"
    try:
        host.check_output(make)
        assert "/nouveau.ko" not in host.check_output("lsinitrd /tmp/initrd")
        # The control: without the role's file the same command takes nouveau in.
        file = "/etc/dracut.conf.d/dlbox-nvidia.conf"
        host.check_output(f"mv {file} /tmp/; {make}; mv /tmp/dlbox-nvidia.conf {file}")
        assert "/nouveau.ko" in host.check_output("lsinitrd /tmp/initrd")
    finally:
        host.check_output(f"rm -r {module}")


def test_nvcc_compiles_and_links_a_program(host):
    only(host, "nvcc")
    host.check_output(f"mkdir -p /tmp/t; printf '%s' '{PROGRAM}' > /tmp/t/twice.cu")
    host.check_output("bash -lc 'cd /tmp/t && nvcc -o twice twice.cu'")
    # Without a GPU it runs as far as the runtime's own answer: no driver, or no device.
    done = host.run("/tmp/t/twice")
    assert done.rc == 3 and ("driver" in done.stdout or "no CUDA-capable device" in done.stdout)
    host.check_output("bash -lc 'cd /tmp/t && nvcc -arch=sm_90 -cubin twice.cu'")


def test_the_toolkit_brought_no_driver(host):
    only(host, "nvcc")
    listing = host.check_output("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' '*nvidia*'").splitlines()
    there = {line.split()[0] for line in listing if line.endswith(" installed")}
    assert "nvidia-cuda-toolkit" in there
    assert not there & {"nvidia-driver", "nvidia-kernel-dkms", "nvidia-open-kernel-dkms", "nvidia-smi"}
