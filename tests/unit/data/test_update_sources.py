"""Reading the sources: wheels by range, indexes, packages; and changing a table where it stands."""

from __future__ import annotations

import io
import json
import lzma
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from update_data import archive, command, edit, render, wheels
from update_data.web import RemoteFile, SourceUnreachable, get

FILES: dict[str, bytes] = {}


class Server(BaseHTTPRequestHandler):
    """Serves FILES, with ranges."""

    def do_GET(self) -> None:
        content = FILES.get(self.path)
        if content is None:
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        first, last = 0, len(content) - 1
        if wanted and not self.path.startswith("/whole/"):
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end), last)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(content[first : last + 1])
        sent.append(last + 1 - first)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


sent: list[int] = []


@pytest.fixture
def server() -> Iterator[str]:
    FILES.clear()
    sent.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_address[1]}"
        one.shutdown()
        thread.join()


def wheel(members: dict[str, str | bytes], padding: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("big.so", bytes(padding))
        for name, text in members.items():
            file.writestr(name, text)
    return stream.getvalue()


TORCH: dict[str, str | bytes] = {
    "torch/lib/libtorch_python.so": b"\x7fELF\0sm_\0compute_%d\0sm_75 sm_80 sm_90 sm_90a sm_100f compute_120\0\xff",
    "torch/version.py": "debug = False\ncuda: Optional[str] = '13.2'\ngit_version = 'x'\n",
    "torch-2.15.0.dist-info/METADATA": "Name: torch\n"
    "Requires-Dist: nvidia-cudnn-cu13==9.26.0.51; sys_platform == 'linux'\n"
    "Requires-Dist: cuda-toolkit[nvrtc]==13.2.2\nRequires-Dist: numpy\n",
}
BUILD_INFO = (
    "import collections\n\nbuild_info = collections.OrderedDict([('cpu_compiler', '/usr/bin/clang'), "
    "('cuda_compute_capabilities', ['sm_60', 'sm_70', 'sm_80', 'sm_89', 'compute_90']), ('cuda_version', '12.5.1'), "
    "('cudnn_version', '9'), ('is_cuda_build', True)])\n"
)
PAGE = """<!DOCTYPE html><a href="torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl#sha256=0"
 data-requires-python="&gt;=3.11">torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl</a>
<a href="torch-2.15.0-cp312-cp312-manylinux_2_28_x86_64.whl">torch-2.15.0-cp312-cp312-manylinux_2_28_x86_64.whl</a>
<a href="x.whl">torch-2.15.0-cp314-cp314t-manylinux_2_28_x86_64.whl</a>
<a href="x.whl">torch-2.15.0-cp312-cp312-manylinux_2_28_aarch64.whl</a>
<a href="x.whl">torch-2.15.0-cp313-cp313-macosx_14_0_arm64.whl</a>
<a href="x.whl" data-yanked="broken">torch-2.15.0-cp313-cp313-manylinux_2_28_x86_64.whl</a>
<a href="x.tar.gz">torch-2.15.0.tar.gz</a> <a href="x.whl">torch-2.16.0-cp312-cp312-manylinux_2_28_x86_64.whl</a>"""
TABLE = """# Builds.
source = "PYPI"
checked = 2026-11-20

[[build]]
version = "2.15.0"
build = "cu130" # what PyPI has
cuda = "13.0"
pythons = ["3.11"]
requirements = ["torch==2.15.0"]

[[build]]
version = "2.15.0"
build = "cu126"
cuda = "12.6"
index_url = "https://elsewhere.example/"
pythons = ["3.11"]
requirements = ["torch==2.15.0+cu126"]
"""


def test_pages_of_an_index_are_read_in_both_forms() -> None:
    found = wheels.parse_index(PAGE, "http://index.example/torch/")
    assert wheels.pythons(found, "2.15.0", "x86_64") == ["3.11", "3.12"]
    assert wheels.pythons(found, "2.15.0", "aarch64") == ["3.12"]
    assert wheels.pythons(found, "2.14.0", "x86_64") == []
    name = "jax-0.12.0-py3-none-any.whl"
    text = json.dumps(
        {"files": [{"filename": name, "url": f"https://files.example/{name}", "requires-python": ">=3.12,<3.15"}]}
    )
    (one,) = wheels.parse_index(text, "http://index.example/jax/")
    assert one.url == f"https://files.example/{name}" and wheels.pythons([one], "0.12.0", "aarch64") == [
        "3.12",
        "3.13",
        "3.14",
    ]


def test_a_member_of_a_wheel_costs_a_block_or_two(server: str) -> None:
    FILES["/torch.whl"] = wheel(TORCH, padding=4 * RemoteFile.BLOCK)
    texts = wheels.members(f"{server}/torch.whl", lambda name: name == "torch/version.py")
    assert wheels.parse_torch_version(texts["torch/version.py"].decode()) == "13.2"
    assert sum(sent) <= 2 * RemoteFile.BLOCK + 1 < len(FILES["/torch.whl"])


def test_a_server_without_ranges_or_files_is_unreachable(server: str) -> None:
    FILES["/whole/x.whl"] = wheel(TORCH)
    FILES["/broken.whl"] = b"not a zip"
    for path in ("whole/x.whl", "broken.whl", "absent.whl"):
        with pytest.raises(SourceUnreachable, match=path):
            wheels.members(f"{server}/{path}", lambda _: True)
    for address in (f"{server}/absent", "file:///etc/passwd", "http://127.0.0.1:9/"):
        with pytest.raises(SourceUnreachable):
            get(address)


def test_what_wheels_say_of_their_build() -> None:
    assert wheels.parse_metadata(str(TORCH["torch-2.15.0.dist-info/METADATA"])) == ("13.2", "9.26.0.51")
    assert wheels.parse_metadata("Requires-Dist: nvidia-cuda-runtime-cu12==12.8.90\n") == ("12.8", None)
    assert wheels.parse_metadata("Requires-Dist: nvidia-cudnn-cu12<10,>=9.3\n") == (None, None)
    assert (
        wheels.parse_torch_version("cuda = '12.6'\n") == "12.6" and wheels.parse_torch_version("cuda = None\n") is None
    )
    assert wheels.parse_tensorflow_info(BUILD_INFO) == ("12.5", [60, 70, 80, 89], 90)
    assert wheels.parse_torch_library(bytes(TORCH["torch/lib/libtorch_python.so"])) == ([75, 80, 90, 100], 120)
    assert wheels.parse_torch_library(b"\0sm_75 sm_80 \0") == ([75, 80], 0)
    assert wheels.parse_torch_library(b"\0sm_\0 no GPU") == ([], 0)
    with pytest.raises(ValueError, match="no build_info"):
        wheels.parse_tensorflow_info("")


def test_builds_of_the_index_are_renewed_and_others_kept(server: str) -> None:
    import tomllib

    FILES["/torch/"] = PAGE.encode()
    FILES["/torch/torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl"] = wheel(TORCH)
    new, remarks = wheels.renew(TABLE, tomllib.loads(TABLE)["build"], wheels.PackageIndex(server), deep=False)
    first, second = tomllib.loads(new)["build"]
    assert first["pythons"] == ["3.11", "3.12"] and first["cuda"] == "13.2" and first["cudnn"] == "9.26.0.51"
    assert first["code"] == [75, 80, 90, 100] and first["ptx"] == 120
    assert second == tomllib.loads(TABLE)["build"][1] and new.startswith("# Builds.")
    assert remarks == ["torch 2.16.0 is on the index, the newest in the table is 2.15.0: add a [[build]]"]
    assert wheels.PackageIndex(server).newest("torch") == Version("2.16.0")


def test_values_change_where_they_stand() -> None:
    text = '# head\na = 1\n\n[t]\n# why\nb = [\n  "x",\n  "y",\n]\nc = 2\n\n# next\n[u]\nb = ["z"]\n'
    assert edit.set_values(text, "[t]", {"b": ["w"], "d": True}) == (
        '# head\na = 1\n\n[t]\n# why\nb = ["w"]\nc = 2\nd = true\n\n# next\n[u]\nb = ["z"]\n'
    )
    assert edit.set_values(text, "", {"a": 3}).startswith("# head\na = 3\n")
    assert edit.set_values(text, "[u]", {"b": ["z"]}) == text


PACKAGES = """Package: nvidia-driver
Version: 550.163.01-2
Depends: nvidia-driver-libs

Package: nvidia-kernel-dkms
Version: 550.163.01-2

Package: linux-image-amd64
Version: 6.12.117-1
Depends: linux-image-6.12.117+deb13-amd64 (= 6.12.117-1)
"""
TRANSLATION = """Package: nvidia-kernel-dkms
Description-md5: 0
Description-en: NVIDIA binary kernel module DKMS source
 This package builds the NVIDIA binary kernel modules.
 .
 Building the kernel modules has been tested up to Linux 6.15.
"""


def test_a_release_is_renewed_from_its_archive(server: str) -> None:
    system = render.read()[1]["debian-13"]
    for ending, suite in archive.DEBIAN_SUITES:
        for component in ("main", *system.release.driver_components):
            base = f"/debian{ending}/dists/trixie{suite}/{component}"
            FILES[f"{base}/binary-amd64/Packages.xz"] = lzma.compress(PACKAGES.encode() if not suite else b"")
            FILES[f"{base}/i18n/Translation-en.xz"] = lzma.compress(TRANSLATION.encode())
    FILES["/debian-security/dists/trixie-security/non-free/binary-amd64/Packages.xz"] = lzma.compress(
        b"Package: nvidia-driver\nVersion: 550.170.02-1~deb13u1\n"
    )
    packages = archive.read_release(system, f"{server}/debian")
    text = (render.SOURCES / "systems/debian-13.toml").read_text(encoding="utf-8")
    new, remarks = archive.renew(text, system, packages)
    assert 'version = "550.170.02"' in new and 'tested_linux = "6.15"' in new
    assert 'default = "6.12.117+deb13-amd64"' in new
    assert any("no nvidia-tesla-535-driver" in line for line in remarks)


@pytest.mark.parametrize(("version", "wanted"), [
    ("550.163.01-2", "550.163.01"), ("1:535.309.01-0+deb12u1", "535.309.01"), ("9.0.0.312~cuda12+1-1", "9.0.0.312"),
])  # fmt: skip
def test_upstream_versions(version: str, wanted: str) -> None:
    assert archive.upstream(version) == wanted


def test_the_newest_of_several_suites_counts() -> None:
    old, new = {"p": {"Version": "6.12.9-1", "Long": "text"}}, {"p": {"Version": "6.12.10-1"}}
    for suites in ([old, new], [new, old]):
        assert archive._newest(suites)["p"]["Version"] == "6.12.10-1"


def test_toolkits_of_nvidias_repository() -> None:
    text = "Package: cuda-toolkit-13-0\n\nPackage: cuda-toolkit-12-9\n\nPackage: cuda-toolkit-12-config-common\n"
    assert archive.toolkits_of(archive.parse_packages(text)) == ["12.9", "13.0"]


def test_a_silent_source_keeps_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    data = Path(shutil.copytree(render.SOURCES, tmp_path / "data"))
    arguments = ["--data", str(data), "--module", str(tmp_path / "tables.py"), "--roles", str(tmp_path)]
    silent = ["--only", "wheels", "--index", "http://127.0.0.1:9/simple", "--only", "archive"]
    silent += ["--mirror", "debian=http://127.0.0.1:9/debian", "--mirror", "ubuntu=http://127.0.0.1:9/ubuntu"]
    assert command.main([*arguments, *silent]) == 3
    said = capsys.readouterr().err
    assert "pytorch.toml not renewed, its tables are kept" in said and "debian-13 not renewed" in said
    for file in render.SOURCES.rglob("*.toml"):
        assert (data / file.relative_to(render.SOURCES)).read_text() == file.read_text()
