"""uv itself, against two indexes on this machine: each package comes from the index that it belongs to."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import engine
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.credentials import Credential
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.definitions import EnvironmentSpec
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.sources import Sources

pytestmark = pytest.mark.skipif(not engine.uv_program().exists(), reason="uv comes with the tests' requirements")
PASSWORD = "t0ken/with:signs"


def wheel(folder, name, version, requires=()):
    """A wheel with nothing in it but what a resolver reads."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {text}\n" for text in requires)
    file = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{stem}.dist-info/METADATA", metadata)
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def link(file):
    return f'<a href="/{file.name}#sha256={hashlib.sha256(file.read_bytes()).hexdigest()}">{file.name}</a>'


def serve(folder, password=""):
    """(URL of an index of the wheels in `folder`, the paths that were asked for, the server)."""
    asked = []
    expected = "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if password and self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="private"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            page = re.fullmatch(r"/simple/([^/]+)/", self.path)
            if page:
                files = [f for f in folder.iterdir() if f.name.split("-")[0].replace("_", "-") == page[1]]
                links = (
                    f'<a href="/{f.name}#sha256={hashlib.sha256(f.read_bytes()).hexdigest()}">{f.name}</a>'
                    for f in files
                )
                body, kind = "".join(links).encode(), "text/html"
            else:
                file = folder / Path(self.path).name
                body, kind = (file.read_bytes() if file.is_file() else b""), "application/octet-stream"
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/simple", asked, server


@pytest.fixture
def world(tmp_path):
    """A public index, on which anybody may plant a package, and a private one with a password."""
    public, private = tmp_path / "public", tmp_path / "private"
    public.mkdir()
    private.mkdir()
    hashes = {
        "app": wheel(private, "acme-app", "1.0", ["acme-core>=1", "shared"]),
        "core": wheel(private, "acme-core", "1.0"),
        "shared": wheel(public, "shared", "1.0"),
        "evil": wheel(public, "acme-core", "99.0"),
    }
    wheel(public, "acme-app", "99.0")
    # Neither may the private index replace what is not its own.
    wheel(private, "shared", "99.0")
    servers = [serve(public), serve(private, PASSWORD)]
    yield {"public": servers[0], "private": servers[1], "hashes": hashes, "folder": tmp_path}
    for _, _, server in servers:
        server.shutdown()


def sources(world, **more):
    own = {"url": world["private"][0], "packages": ["acme-app", "Acme_Core"]}
    given = {
        "cache": str(world["folder"] / "cache"),
        "wheel_index_url": world["public"][0],
        "wheel_indexes": [own],
        "credentials": [Credential(own["url"], "ada", PASSWORD)],
    }
    return Sources(**{**given, **more})


def compiled(world, *wheels, **more):
    return engine.compile_wheels(
        EnvironmentSpec("case", "/nowhere", wheels=list(wheels)), sources(world, **more), "3.12.1", {}, ""
    )


def pins(text):
    return set(re.findall(r"^(\S+==\S+)", text, re.M))


def test_a_higher_version_planted_on_the_other_index_is_not_taken(world):
    text = compiled(world, "acme-app", "acme-core")
    assert pins(text) == {"acme-app==1.0", "acme-core==1.0", "shared==1.0"}
    assert world["hashes"]["core"] in text and world["hashes"]["evil"] not in text
    assert not [path for path in world["public"][1] if "acme" in path], "the public index does not learn private names"


def test_what_only_another_package_needs_comes_from_its_own_index_too(world):
    text = compiled(world, "acme-app")
    assert pins(text) == {"acme-app==1.0", "acme-core==1.0", "shared==1.0"}
    assert world["hashes"]["core"] in text and world["hashes"]["evil"] not in text


def test_a_private_package_that_only_another_one_needs_is_found(world):
    (world["folder"] / "public/acme_core-99.0-py3-none-any.whl").unlink()
    assert pins(compiled(world, "acme-app")) == {"acme-app==1.0", "acme-core==1.0", "shared==1.0"}


def test_a_named_package_that_nothing_needs_is_not_brought(world):
    assert pins(compiled(world, "shared")) == {"shared==1.0"}


def test_a_folder_is_an_index_of_its_own_as_well(world):
    own = [{"url": str(world["folder"] / "private"), "packages": ["acme-app", "acme-core"]}]
    text = compiled(world, "acme-app", wheel_indexes=own, credentials=[])
    assert pins(text) == {"acme-app==1.0", "acme-core==1.0", "shared==1.0"}
    offline = compiled(
        world,
        "acme-core",
        wheel_indexes=own,
        credentials=[],
        offline=True,
        find_links=[str(world["folder"] / "public")],
    )
    # Only folders of the owner's, which are all the same to uv then.
    assert pins(offline) == {"acme-core==99.0"}


def test_a_wrong_password_is_told_without_it(world):
    bad = [Credential(world["private"][0], "ada", "hunter2")]
    with pytest.raises(RuntimeError, match=r"401|authentication") as error:
        compiled(world, "acme-app", credentials=bad)
    assert "hunter2" not in str(error.value)


def test_no_password_is_in_an_argument_or_in_a_file(world, monkeypatch):
    seen = []
    run = engine.subprocess.run

    def recorded(words, **more):
        seen.append(words)
        return run(words, **more)

    monkeypatch.setattr(engine.subprocess, "run", recorded)
    text = compiled(world, "acme-app")
    told = [" ".join(map(str, words)) for words in seen] + [text]
    files = [path.read_bytes() for path in (world["folder"] / "cache").rglob("*") if path.is_file()]
    for form in (PASSWORD, "t0ken%2Fwith%3Asigns", base64.b64encode(f"ada:{PASSWORD}".encode()).decode()):
        assert not any(form in words for words in told)
        assert not any(form.encode() in data for data in files)
