"""What scripts/sanity.py hands to ansible-test, which passes on neither variables nor the user's home."""

from __future__ import annotations

from pathlib import Path

import sanity


def test_pip_asks_the_users_index_and_a_variable_wins_over_the_files(tmp_path: Path) -> None:
    legacy, present, named = tmp_path / ".pip/pip.conf", tmp_path / ".config/pip/pip.conf", tmp_path / "named.conf"
    for file, text in (
        (legacy, "[global]\nindex-url = https://legacy.example/simple\ncert = /etc/legacy.pem\n"),
        (present, "[global]\nindex-url = https://present.example/simple\nextra-index-url = file:///srv/wheels\n"),
        (named, "[install]\nfind-links = /srv/links\n[global]\nproxy = http://named.example:3128\n"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    environment = {
        "PIP_CONFIG_FILE": str(named),
        "PIP_INDEX_URL": "https://ada:100%25@variable.example/simple",
        "https_proxy": "http://shell.example:3128",
    }
    assert sanity.pip_settings(environment, tmp_path) == {
        "index-url": "https://ada:100%25@variable.example/simple",
        "extra-index-url": "file:///srv/wheels",
        "find-links": "/srv/links",
        "cert": "/etc/legacy.pem",
        "proxy": "http://named.example:3128",
    }


def test_what_would_change_the_pinned_requirements_is_left_behind(tmp_path: Path) -> None:
    configuration = tmp_path / "xdg/pip/pip.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("[global]\nuser = true\nconstraint = /srv/constraints.txt\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "PIP_REQUIRE_HASHES": "1", "PIP_TARGET": "/srv"}
    assert sanity.pip_settings(environment, tmp_path) == {}


def test_ansible_test_finds_its_bootstrap_script_and_nobody_else_reads_the_index_url(tmp_path: Path) -> None:
    sanity.prepare_home(tmp_path)
    sanity.prepare_home(tmp_path)  # a second run, over what the first one left
    (bootstrap,) = (tmp_path / ".ansible/test/cache").iterdir()
    assert bootstrap.name.startswith("get_pip_2") and "ensurepip" in bootstrap.read_text()
    assert (tmp_path / ".config/pip/pip.conf").stat().st_mode & 0o777 == 0o600
