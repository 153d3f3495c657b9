"""Run ansible-test's sanity tests over the collection as its archive has it, with the Python that runs this.

ansible-test makes a virtual environment per test that needs packages, pinned by ansible-core's own files. They stay in
.cache/sanity, which serves as its home, so that only the first run downloads anything.

Exit status: ansible-test's.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

PROJECT = Path(__file__).resolve().parents[1]
LEFT_OUT = {
    "pep8": "ruff does it, with lines of 120 characters",
    "pylint": "ruff and mypy do it",
    "shellcheck": "the step `shell` does it",
    "yamllint": "the step `yaml` does it",
}
#: Which index pip asks, and how it gets there. Nothing that would change what it installs, or where.
PIP_SETTINGS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "cert",
    "client-cert",
    "trusted-host",
    "proxy",
)


def pip_settings(environment: Mapping[str, str], user_home: Path) -> dict[str, str]:
    """PIP_SETTINGS as pip would take them from the user's files and variables, neither of which ansible-test passes on.

    The machine's own files are read by pip in any home.
    """
    files = configparser.RawConfigParser()
    configuration = Path(environment.get("XDG_CONFIG_HOME") or user_home / ".config")
    files.read([user_home / ".pip/pip.conf", configuration / "pip/pip.conf", environment.get("PIP_CONFIG_FILE", "")])
    proxy = environment.get("https_proxy") or environment.get("HTTPS_PROXY")
    settings = {"proxy": proxy} if proxy else {}
    for section in ("global", "install"):
        if files.has_section(section):
            settings |= {name: value for name, value in files.items(section) if name in PIP_SETTINGS}
    for name in PIP_SETTINGS:
        if value := environment.get("PIP_" + name.upper().replace("-", "_")):
            settings[name] = value
    return settings


def prepare_home(home: Path) -> None:
    """Give ansible-test a home with pip's settings, the user's passwords for indexes, and its get-pip.py."""
    # The file is named after the version of pip, which only ansible-test itself knows.
    from ansible_test._internal.python_requirements import get_venv_packages

    version = get_venv_packages(SimpleNamespace(version=f"{sys.version_info.major}.{sys.version_info.minor}"))["pip"]
    get_pip = home / f".ansible/test/cache/get_pip_{version.replace('.', '_')}.py"
    get_pip.parent.mkdir(parents=True, exist_ok=True)
    get_pip.write_text((PROJECT / "scripts" / "sanity_pip.py").read_text())
    settings = configparser.RawConfigParser()
    settings["global"] = pip_settings(os.environ, Path.home())
    file = home / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    # An index's URL may hold a password.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        settings.write(out)
    netrc = home / ".netrc"
    netrc.unlink(missing_ok=True)
    netrc.symlink_to(Path.home() / ".netrc")


def main() -> int:
    """Build the archive, unpack it where ansible-test looks for collections, test it there."""
    home = PROJECT / ".cache" / "sanity"
    prepare_home(home)
    # Not below the project: ansible-test would ask its git for the files, which knows of none in .cache.
    with tempfile.TemporaryDirectory(prefix="dlbox-sanity-") as folder:
        subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", folder, PROJECT], check=True)
        collection = Path(folder, "ansible_collections", "dlbox", "workstation")
        shutil.unpack_archive(next(Path(folder).glob("*.tar.gz")), collection)
        command = ["ansible-test", "sanity", "--python", f"{sys.version_info.major}.{sys.version_info.minor}"]
        command += [word for name in LEFT_OUT for word in ("--skip-test", name)]
        return subprocess.run(command, cwd=collection, env={**os.environ, "HOME": str(home)}).returncode


if __name__ == "__main__":
    sys.exit(main())
