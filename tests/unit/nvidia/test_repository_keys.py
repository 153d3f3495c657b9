"""Each of NVIDIA's repositories has the key that signs it, pinned by its whole fingerprint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles/nvidia_repository"
VARS: dict[str, Any] = yaml.safe_load((ROLE / "vars/main.yml").read_text())


def key(name: str) -> dict[str, str]:
    """Return a repository's key, following the reference in the role's variables."""
    (reference,) = re.findall(r"\w+", VARS["__nvidia_repository_keys"][name])
    return dict(VARS[reference])


@pytest.mark.parametrize("name", VARS["__nvidia_repository_keys"])
def test_a_key_is_pinned_by_its_whole_fingerprint(name: str) -> None:
    assert re.fullmatch(r"[0-9A-F]{40}", key(name)["fingerprint"])
    short = key(name)["file"].removesuffix(".pub").upper()
    assert key(name)["fingerprint"].endswith(short), "the file is named for the key"


def test_debian_13_has_the_key_that_its_apt_takes_and_the_older_releases_the_older_one() -> None:
    older = {key(name)["fingerprint"] for name in ("ubuntu2204", "ubuntu2404", "debian12", "wsl-ubuntu")}
    assert len(older) == 1 and key("debian13")["fingerprint"] not in older


def test_a_release_whose_key_is_not_confirmed_has_none() -> None:
    assert "ubuntu2604" not in VARS["__nvidia_repository_keys"], "the run stops and asks the owner for it"
