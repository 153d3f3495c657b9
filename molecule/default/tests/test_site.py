"""What an owner gets from one run, asked of the machine from the inside; the doctor's suite asks the rest."""

from __future__ import annotations

import re

import pytest

LAB = "http://127.0.0.1:8888"


def effective_sshd(host):
    lines = host.check_output("/usr/sbin/sshd -T -C user=ada,host=laptop,addr=192.0.2.7").lower().splitlines()
    return dict(line.partition(" ")[::2] for line in lines)


def test_login_is_by_key_only_and_never_as_root(host):
    settings = effective_sshd(host)
    assert settings["passwordauthentication"] == "no"
    assert settings["kbdinteractiveauthentication"] == "no"
    assert settings["permitrootlogin"] == "no"
    assert settings["pubkeyauthentication"] == "yes"
    assert settings["allowusers"] == "ada"


def test_firewall_is_on_in_the_kernel_with_ssh_allowed(host):
    rules = host.check_output("iptables-save")
    assert "-P INPUT DROP" in rules.replace(":INPUT DROP", "-P INPUT DROP")
    assert any("--dport 22" in line and "ufw-user" in line for line in rules.splitlines())


def test_environments_work_for_an_ordinary_user(host):
    version = "su - ada -c '/opt/conda/envs/tools/bin/python -c \"import numpy; print(numpy.arange(4).sum())\"'"
    assert host.check_output(version) == "6"


def test_jupyterlab_answers_on_loopback_only_and_wants_its_password(host):
    curl = "/opt/conda/envs/jupyter/bin/python - <<'PY'\nimport sys, urllib.request, urllib.error\n{}\nPY"
    login = curl.format(f"print(urllib.request.urlopen('{LAB}/login').status)")
    assert host.check_output(login) == "200"
    api = curl.format(
        f"try:\n    urllib.request.urlopen('{LAB}/api/kernelspecs')\nexcept urllib.error.HTTPError as error:\n"
        "    print(error.code)"
    )
    assert host.check_output(api) == "403"
    listening = [line.split()[3] for line in host.check_output("ss -Hltn").splitlines()]
    assert [address for address in listening if address.endswith(":8888")] == ["127.0.0.1:8888", "[::1]:8888"]


def test_a_machine_without_a_gpu_gets_no_driver(host):
    installed = host.check_output("dpkg-query -W -f '${Package}\\n'").splitlines()
    assert not [package for package in installed if package.startswith(("nvidia-driver", "cuda-", "libcudnn"))]


def test_the_owners_hooks_ran_beside_their_stages(host):
    """molecule/default/inventory/hooks: before the packages of base, and after the environments."""
    assert host.file("/var/tmp/before-base").content_string == "none\n"
    assert host.package("tmux").is_installed
    assert host.file("/var/tmp/after-environments").content_string == "a file of the owner's\n"


def test_one_transaction_of_apt_brought_what_the_roles_need(host):
    """base's tmux, the firewall's ufw and the environments' python3-venv; the GPU's driver has its own."""
    history = host.file("/var/log/apt/history.log").content_string.splitlines()
    asked = {"tmux", "ufw", "python3-venv"}
    installed = [set(re.findall(r"([a-z0-9.+-]+):\w+ \(", line)) for line in history if line.startswith("Install:")]
    assert [packages & asked for packages in installed if packages & asked] == [asked]


def clients(host):
    """Which servers the proxy was asked for, by client and port of the proxy; as tinyproxy logs it."""
    found = {}
    for port in (3128, 3129):
        client = ""
        for line in host.check_output(f"cat /var/log/tinyproxy/{port}.log").splitlines():
            if match := re.search(r"Connect \(file descriptor \d+\): (\S+)", line):
                client = match[1]
            elif match := re.search(r"Request \(file descriptor \d+\): \w+ (?:\w+://)?([^ :/]+)", line):
                found.setdefault((client, port), set()).add(match[1])
    return found


def test_all_downloads_of_the_two_hosts_went_through_the_proxy(host):
    """They have no other way. apt asks its own servers, pip and uv an index."""
    if not host.backend.host.endswith("-d13"):
        pytest.skip("this is the proxy")
    sources = host.check_output("apt-get update --print-uris")
    servers = set(re.findall(r"https?://([^/ ]+)/", sources))
    asked = clients(host)
    for client in (("fd00:d1b0::12", 3128), ("fd00:d1b0::24", 3129)):
        assert asked[client] & servers and asked[client] - servers, asked


def test_packages_come_through_the_proxy_after_the_run_too(host):
    if not host.backend.host.endswith(("-d12", "-u2404")):
        pytest.skip("this host has a way of its own")
    assert host.run("ip route get 192.0.2.1").rc != 0
    host.check_output("unattended-upgrade --dry-run && apt-get -o APT::Update::Error-Mode=any update")


def test_the_proxys_password_is_where_root_alone_reads_it(host):
    if not host.backend.host.endswith("-d12"):
        pytest.skip("the other proxy has no password")
    hits = host.run(
        "grep -rlI pr0xy-s3cret /etc /opt /var /home /root /srv /tmp --exclude-dir=conda-channel"
    ).stdout.split()
    assert hits == ["/etc/apt/auth.conf.d/dlbox-proxy.conf"]
    assert host.file(hits[0]).mode == 0o600 and host.file(hits[0]).user == "root"
    assert "pr0xy-s3cret" not in host.check_output("journalctl --no-pager")
    # What accounts ask of apt goes on without it.
    assert host.run("su - ada -c 'apt-cache policy tmux'").stderr == ""


def test_a_strict_umask_hides_nothing_from_accounts(host):
    if not host.backend.host.endswith("-d12"):
        pytest.skip("the others have the usual umask")
    assert host.check_output("su - ada -c umask") == "0027"
    hidden = "find /opt/conda /opt/dlbox /etc/apt /usr/local /etc/profile.d -xdev ! -perm -o=r ! -type l"
    assert [
        path
        for path in host.check_output(hidden).splitlines()
        if not path.startswith(("/opt/conda/.cache", "/etc/apt/auth.conf.d"))
    ] == []
