"""After runs that were cut off, the machine is whole: no package is left in between, and everything works."""

from __future__ import annotations


def test_no_package_is_half_installed(host):
    assert host.check_output("dpkg --audit") == ""
    assert host.run("apt-get check").succeeded
    assert host.run("dpkg --verify git git-man tmux").stdout == ""


def test_the_run_waited_for_the_other_apt(host):
    """dpkg answers at once that it is locked, which ended the run."""
    assert host.file("/var/lib/dpkg/status").mtime >= host.file("/run/first-boot-upgrades-ended").mtime


def test_what_was_being_installed_works(host):
    for tool in ("git --version", "tmux -V", "rsync --version", "vim --version"):
        assert host.run(tool).succeeded, tool


def test_the_rest_of_the_run_happened(host):
    assert "deep-learning workstation" in host.check_output("run-parts /etc/update-motd.d")
    assert "SystemMaxUse=1G" in host.check_output("systemd-analyze cat-config systemd/journald.conf")
