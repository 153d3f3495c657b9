"""The part of ./dlbox bench that has root's rights on the host: it keeps figures and data, and starts measurements.

The measurements run as the environment's owner or as a fresh account. Like the doctor's probe it travels as text, with
`module_utils/run_as.py`. Its argument is one of {"do": "fetch", "url", "file", "sha256"}, {"do": "measure", "prefix",
"words", "seconds", "program"} and {"do": "keep", "folder", "name", "record"}; it prints one line of JSON, with "error"
where it failed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import urllib.request
import zlib
from pathlib import Path
from typing import Any

from ...module_utils import run_as


def made(folder: str) -> Path:
    """The folder, made where it is missing. Raises OSError where somebody else than root could lead it elsewhere."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    problem = run_as.root_only(place) if os.geteuid() == 0 else ""
    if problem:
        raise OSError(problem)
    return place


def fetch(given: dict[str, Any]) -> dict[str, Any]:
    """Get MNIST once: {"mnist": "present", "fetched", or why not}. A wrong checksum leaves what there was."""
    path = made(str(Path(given["file"]).parent)) / Path(given["file"]).name
    url, expected = given["url"], given["sha256"]
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == expected:
        return {"mnist": "present"}
    try:
        # Not by Ansible's open_url, which the sanity test replace-urlopen wants: the program travels without Ansible.
        with urllib.request.build_opener().open(url, timeout=15) as answer:
            content = answer.read(64 << 20)
    except OSError as error:
        return {"mnist": f"not to be had from {url}: {error}"}
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        return {"mnist": f"{url} has the checksum {found}, expected {expected}; not used"}
    run_as.replace_file(path, content.decode("utf-8", "surrogateescape"), 0o644)  # byte for byte
    return {"mnist": "fetched"}


def variables(prefix: str, who: run_as.Account) -> dict[str, str]:
    """The environment's own variables, such as Keras' backend: what `conda env config vars set` wrote."""
    try:
        found = json.loads(run_as.read_as(who, f"{prefix}/conda-meta/state"))["env_vars"]
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def measure(given: dict[str, Any]) -> dict[str, Any]:
    """The answer of the program in one environment's Python."""
    prefix = given["prefix"]
    who = run_as.account_for(prefix)
    argv = [*run_as.isolated_python(f"{prefix}/bin/python"), "-c", given["program"], *given["words"]]
    done = run_as.run(argv, who, environment=variables(prefix, who), timeout=given["seconds"], limit=16 << 20)
    for line in reversed(done.out.splitlines()):
        if line.startswith("{"):
            try:
                return dict(json.loads(line))
            except RecursionError:
                return {"error": "its answer is nested too deeply"}
    return {"error": (done.err.strip().splitlines() or [f"ended with code {done.rc} and no answer"])[-1]}


def keep(given: dict[str, Any]) -> dict[str, Any]:
    """Write the record."""
    run_as.replace_file(made(given["folder"]) / given["name"], json.dumps(given["record"]), 0o644)
    return {}


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked; an error as a sentence."""
    os.umask(0o022)
    os.chdir("/")
    try:
        return {"fetch": fetch, "measure": measure, "keep": keep}[given["do"]](given)
    except (OSError, ValueError) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))))))
