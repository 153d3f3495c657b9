"""base: asked of the machine, not of the files that the role wrote."""

from __future__ import annotations

import json


def test_compilers_and_tools_work(host):
    assert host.run("git --version").succeeded
    if host.backend.get_hostname().endswith("d13"):
        program = r"printf 'int main(void){return 7;}' | cc -x c -o /tmp/seven - && /tmp/seven"
        assert host.run(program).rc == 7
        for tool in ("cmake", "ncdu", "htop", "jq", "lspci"):
            assert host.exists(tool), tool


def test_clock_shows_the_owners_time_zone(host):
    assert host.check_output("date -d 2026-07-01T12:00:00Z +%Z") == "CEST"
    assert host.file("/etc/timezone").content_string == "Europe/Berlin\n"


def test_locale_works_where_one_was_asked_for(host):
    if not host.backend.get_hostname().endswith("d12"):
        assert "de_DE" not in host.check_output("cat /etc/default/locale 2>/dev/null || true")
        return
    assert host.check_output("LC_ALL=de_DE.UTF-8 locale decimal_point") == ","
    assert "LANG=de_DE.UTF-8" in host.check_output("bash -lc 'cat /etc/default/locale'")


def test_time_service_is_enabled(host):
    assert host.service("systemd-timesyncd").is_enabled


def test_security_updates_install_themselves_and_do_not_reboot(host):
    settings = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in settings
    assert host.run("unattended-upgrade --dry-run").succeeded


def test_journal_runs_within_its_limit(host):
    assert host.service("systemd-journald").is_running
    settings = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    effective = [line for line in settings.splitlines() if line.startswith("SystemMaxUse=")]
    assert effective[-1] == "SystemMaxUse=200M"


def test_message_of_the_day_names_the_gpu(host):
    text = host.check_output("run-parts /etc/update-motd.d")
    assert "GeForce GTX 960" in text and "branch 580" in text


def test_plan_is_kept_as_json(host):
    plan = json.loads(host.file("/var/lib/dlbox/plan.json").content_string)
    assert plan["driver"]["branch"] == "580"
