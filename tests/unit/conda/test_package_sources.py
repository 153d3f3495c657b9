"""Where packages come from: one index per package, and credentials in no URL that is written or shown."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.filter import conda_locks
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import credentials, engine, sources
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.credentials import Credential
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.definitions import EnvironmentSpec
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.sources import Sources
from hypothesis import given
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[3]
TORCH = "https://download.pytorch.org/whl/cu126"
SECRET = Credential("https://index.example/simple", "ada", "s3cret/token")


def request(*wheels, **more):
    return EnvironmentSpec(name="case", prefix="/opt/conda/envs/case", wheels=list(wheels), **more)


def sources_with(**more):
    return Sources(cache="/nowhere", **more)


class TestCredentials:
    def test_every_url_of_the_owner_loses_them_and_they_are_kept_by_url(self):
        given = {
            "channels": ["conda-forge", "https://ada:s3cret%2Ftoken@index.example/simple"],
            "mirrors": {"https://conda.example/forge": ["https://u:p@mirror.example/forge", "file:///srv/forge"]},
            "wheel_index_url": "",
            "wheel_indexes": [{"url": "https://b:t@own.example/simple", "packages": ["own"]}],
        }
        clean, found = credentials.split(given)
        assert clean["channels"] == ["conda-forge", "https://index.example/simple"]
        assert clean["mirrors"] == {
            "https://conda.example/forge": ["https://mirror.example/forge", "file:///srv/forge"]
        }
        assert clean["wheel_indexes"] == [{"url": "https://own.example/simple", "packages": ["own"]}]
        assert SECRET in found and len(found) == 3
        assert "@" not in json.dumps(clean)

    def test_the_filter_gives_the_role_both(self):
        out = conda_locks.conda_sources({"wheel_index_url": "https://ada:x@index.example/simple"})
        assert out["wheel_index_url"] == "https://index.example/simple"
        one = {"url": "https://index.example/simple", "username": "ada", "password": "x", "token": ""}
        assert out["credentials"] == [one]

    def test_a_name_that_stands_alone_is_a_secret(self):
        """Observed: the token of https://TOKEN@host/ was in the journal."""
        url, one = credentials.split_url("https://t0k%2Fen@index.example/simple")
        assert (url, one.username, one.password, one.token) == ("https://index.example/simple", "", "", "t0k/en")
        hidden = {name for name, option in credentials.CREDENTIALS["options"].items() if option.get("no_log")}
        assert hidden == {"password", "token"}
        assert credentials.redact(f"1 t0k/en 2 t0k%2Fen 3 {one.header()}", [one]).count(credentials.HIDDEN) == 3
        assert credentials.with_credential(url, [one]) == "https://t0k%2Fen:@index.example/simple"
        assert base64.b64decode(one.header().split()[1]) == b"t0k/en:"

    @pytest.mark.parametrize(
        ("url", "theirs"),
        [
            ("https://index.example/simple", True),
            ("https://index.example/simple/torch/", True),
            ("https://index.example/simple-other/", False),
            ("https://index.example.evil.example/simple", False),
            ("http://index.example/simple", False),
        ],
    )
    def test_a_credential_goes_to_its_own_place_only(self, url, theirs):
        assert (credentials.credential_for(url, [SECRET]) is SECRET) == theirs
        assert ("s3cret" in credentials.with_credential(url, [SECRET])) == theirs

    def test_rattler_gets_a_header_for_its_own_place_only(self):
        header = {"Authorization": "Basic " + base64.b64encode(b"ada:s3cret/token").decode()}
        assert credentials.headers("index.example", "/simple/noarch/x.conda", [SECRET]) == header
        assert credentials.headers("index.example", "/other/x.conda", [SECRET]) is None
        assert credentials.headers("evil.example", "/simple/x.conda", [SECRET]) is None

    @given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=30))
    def test_no_way_of_writing_a_password_is_left_in_a_text(self, password):
        one = Credential("https://index.example/simple", "ada", password)
        shown = credentials.with_credential(one.url, [one])
        told = credentials.redact(f"1 {password} 2 {shown} 3 {one.header()} 4", [one])
        assert shown.split("//")[1].split("@")[0].split(":")[1] not in told.replace("********", "")
        assert one.header().split()[1] not in told

    def test_credentials_of_no_variable_are_hidden_too(self):
        told = credentials.redact("error for https://bob:hunter2@elsewhere.example/x", [])
        assert "hunter2" not in told and "elsewhere.example/x" in told


class TestIndexes:
    def test_only_the_frameworks_packages_come_from_its_index(self):
        found = sources.indexes(request("torch==2.9.1", framework="pytorch", index_url=TORCH), sources_with())
        where = {name: sources.index_of(name, found).url for name in ("torch", "TorchVision", "numpy", "filelock")}
        assert where == {"torch": TORCH, "TorchVision": TORCH, "numpy": "", "filelock": ""}

    def test_the_owners_index_comes_first_for_what_it_names(self):
        own = [{"url": "https://own.example/simple", "packages": ["torch", "Acme_Core"]}]
        wanted = request("torch", framework="pytorch", index_url=TORCH)
        found = sources.indexes(wanted, sources_with(wheel_indexes=own))
        assert sources.index_of("torch", found).url == sources.index_of("acme.core", found).url == own[0]["url"]
        assert sources.index_of("torchvision", found).url == TORCH

    def test_every_pin_is_installed_from_its_own_index(self):
        found = sources.indexes(request("torch", framework="pytorch", index_url=TORCH), sources_with())
        pins = {"numpy==2.4.0": "aa", "torch==2.9.1+cu126": "bb", "zipp==3": "cc"}
        text = "".join(f"{pin} \\\n    --hash=sha256:{digest}\n" for pin, digest in pins.items())
        parts = {index.name: pins for index, pins in engine.by_index(text, found).items()}
        assert parts["framework"] == "torch==2.9.1+cu126 \\\n    --hash=sha256:bb\n"
        assert "torch" not in parts["default"] and parts["default"].count("--hash") == 2

    def test_no_credential_and_no_second_index_is_among_the_arguments(self):
        given = sources_with(wheel_index_url=SECRET.url, credentials=[SECRET], find_links=["/srv/wheels"])
        options, variables = engine.uv_sources(sources.indexes(request("six"), given), given)
        assert "s3cret" not in " ".join(options) and "unsafe-best-match" not in options and "--index" not in options
        assert variables == {"UV_INDEX_DEFAULT_USERNAME": "ada", "UV_INDEX_DEFAULT_PASSWORD": "s3cret/token"}

    def test_a_page_with_credentials_is_named_in_the_environment(self):
        given = sources_with(find_links=[SECRET.url], credentials=[SECRET])
        options, variables = engine.uv_sources(sources.indexes(request("six"), given), given)
        assert SECRET.url not in options and "s3cret" in variables["UV_FIND_LINKS"]

    def test_a_requirement_cannot_leave_its_place_in_the_project(self):
        found = sources.indexes(request("torch==2.9.1", framework="pytorch", index_url=TORCH), sources_with())
        text = engine.project(request('six"\n[tool.uv]\nindex-url = "https://evil.example'), [], "3.12.1", found)
        assert "\n[tool.uv]\n" not in text and text.count("explicit = true") == 1


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"wheel_index_url": "ftp://x.example/simple"}, "wheel_index_url"),
        ({"wheel_index_url": "https://x.example/a b"}, "without blanks"),
        ({"wheel_index_url": "https://x.example/simple\n--index-url"}, "without blanks"),
        ({"wheel_index_url": "https://u:hunter2@x.example/simple"}, "beside it"),
        ({"mirrors": {"https://a.example": ["https://b.example/t/tk-1234/c"]}}, "token in its path"),
        ({"wheel_indexes": [{"url": "https://x.example/simple"}]}, "needs `packages`"),
        ({"wheel_indexes": [{"url": "https://x.example/s", "packages": []}]}, "needs `packages`"),
        (
            {"wheel_indexes": [{"url": f"https://{x}.example/s", "packages": ["Own_1"]} for x in "ab"]},
            "own-1 is named for two indexes",
        ),
    ],
)
def test_what_cannot_be_a_source_is_said(more, part):
    told = "\n".join(sources.source_problems(sources_with(**more), ["conda-forge"]))
    assert part in told and "hunter2" not in told


def test_ordinary_sources_are_no_problem():
    given = sources_with(
        mirrors={"https://conda.anaconda.org/conda-forge": ["https://m.example/forge", "file:///srv/channel"]},
        wheel_index_url="https://m.example/simple",
        wheel_indexes=[{"url": "/srv/own", "packages": ["own"]}],
        wheel_mirrors={"https://download.pytorch.org/whl/": "http://127.0.0.1:8900/torch/"},
        find_links=["/srv/wheels", "https://m.example/page"],
    )
    assert sources.source_problems(given, ["conda-forge", "conda-forge/label/dev", "file:///srv/channel"]) == []
