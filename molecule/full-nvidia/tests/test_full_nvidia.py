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


def only(host, wanted: str) -> None:
    if not host.backend.get_pytest_id().rstrip("]").endswith(wanted):
        pytest.skip(f"is about {wanted}")


def status(host) -> dict:
    return json.loads(host.check_output("/usr/local/sbin/dlbox-nvidia status"))


def test_apt_is_consistent(host):
    assert host.check_output("dpkg --audit") == ""
    assert host.run("apt-get check").rc == 0


def test_dkms_built_the_real_module_for_the_real_kernel(host):
    only(host, "d12")
    found = status(host)
    (kernel,) = [kernel for kernel in found["kernels"] if kernel["bootable"]]
    assert kernel["provider"] == "dkms"
    assert kernel["module_version"].startswith("535.")
    assert kernel["module_version"] == found["library_version"]
    told = host.check_output(f"/sbin/modinfo -F version {kernel['module_path']}")
    assert told == kernel["module_version"], "kmod and dlbox read the same version"
    vermagic = host.check_output(f"/sbin/modinfo -F vermagic {kernel['module_path']}")
    assert vermagic.split()[0] == kernel["release"]


def test_nothing_of_the_failed_driver_is_left(host):
    only(host, "d13")
    listing = host.check_output("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' '*nvidia*'")
    assert not [line for line in listing.splitlines() if line.endswith((" installed", "configured", " unpacked"))]
    assert host.run("dkms status").stdout.strip() == ""


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
    assert host.run("dpkg-query -W nvidia-driver nvidia-kernel-dkms").rc != 0
