"""Locks: what is refused, what is pinned, what differs."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import lockfile
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.definitions import EnvironmentSpec

WHEELS = """\
torch==2.15.0+cu130 \\
    --hash=sha256:aa
numpy==2.5.5 \\
    --hash=sha256:bb
nvidia-cudnn-cu13==9.26.0.1 \\
    --hash=sha256:cc
typing-extensions==4.16.0 ; python_version < "3.13" \\
    --hash=sha256:dd
"""


def request(**more):
    given = {
        "name": "pytorch",
        "prefix": "/opt/conda/envs/pytorch",
        "framework": "pytorch",
        "build": "cu130",
        "architectures": ["ada"],
    }
    return EnvironmentSpec(**{**given, "wheels": ["torch==2.15.0+cu130"], "declared": {"wheels": []}, **more})


def test_a_lock_survives_being_written_and_read():
    lock = lockfile.make(request(), "conda text", WHEELS)
    read = lockfile.parse("pytorch", lock.texts())
    assert read.digest() == lock.digest() and read.meta["request"] == request().digest()
    lockfile.refuse_foreign(read, request())


@pytest.mark.parametrize("file", lockfile.FILES)
def test_a_lock_without_one_of_its_files_is_refused(file):
    texts = lockfile.make(request(), "c", WHEELS).texts()
    del texts[file]
    with pytest.raises(lockfile.LockError, match=f"no {file}"):
        lockfile.parse("pytorch", texts)


@pytest.mark.parametrize(
    ("file", "text", "part"),
    [
        ("wheels.txt", "numpy==1", "sha256 differs"),
        ("lock.json", "{", "not JSON"),
        ("lock.json", '{"schema": 9}', "schema 9"),
    ],
)
def test_a_changed_lock_is_refused(file, text, part):
    texts = {**lockfile.make(request(), "c", WHEELS).texts(), file: text}
    with pytest.raises(lockfile.LockError, match=part):
        lockfile.parse("pytorch", texts)


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ({}, True),
        # The plan of next year chooses another build for the same GPU: the lock still holds.
        ({"build": "cu132", "wheels": ["torch==2.18"]}, True),
        # Another generation that the same build serves.
        ({"architectures": ["ampere"]}, True),
        ({"architectures": ["pascal"], "build": "cu126"}, False),
        ({"architectures": ["ada", "pascal"], "build": "cu126"}, False),
        ({"architectures": [], "build": "cpu"}, False),
    ],
)
def test_a_lock_holds_for_its_gpu_generation(host, good):
    lock = lockfile.make(request(), "c", WHEELS)
    if good:
        lockfile.refuse_foreign(lock, request(**host))
    else:
        with pytest.raises(lockfile.LockError, match="made for the GPU generation ada"):
            lockfile.refuse_foreign(lock, request(**host))


def test_a_gpu_does_not_matter_where_no_framework_does():
    lock = lockfile.make(request(framework="", build="", architectures=[]), "c", "")
    lockfile.refuse_foreign(lock, request(framework="", build="", architectures=["ada"]))


def test_a_lock_older_than_its_declaration_is_refused_with_both():
    lock = lockfile.make(request(), "c", WHEELS)
    with pytest.raises(
        lockfile.LockError, match=r"older than its declaration.*wheels: locked \[\], declared \['timm'\]"
    ):
        lockfile.refuse_foreign(lock, request(declared={"wheels": ["timm"]}))


def test_pins_are_read_from_requirements():
    assert lockfile.pins(WHEELS) == {
        "torch": "2.15.0+cu130",
        "numpy": "2.5.5",
        "nvidia-cudnn-cu13": "9.26.0.1",
        "typing-extensions": "4.16.0",
    }


@pytest.mark.parametrize(
    ("names", "twice"),
    [
        (["nvidia-cudnn-cu12", "nvidia-cudnn-cu13"], ["nvidia-cudnn"]),
        (["nvidia-cublas", "nvidia-cublas-cu12"], ["nvidia-cublas"]),
        (["nvidia-cublas", "nvidia-cudnn-cu13"], []),
        (["nvidia-cublas-cu12", "nvidia-cudnn-cu12"], []),
        (["numpy", "cudax-cu12"], []),
    ],
)
def test_two_cuda_generations_in_one_lock_are_seen(names, twice):
    assert lockfile.two_cudas("".join(f"{name}==1\n" for name in names)) == twice


def test_constraints_guard_what_was_asked_for_and_a_frameworks_libraries():
    assert lockfile.constraints(request(), WHEELS) == "nvidia-cudnn-cu13==9.26.0.1\ntorch==2.15.0+cu130\n"
    plain = request(framework="", wheels=["numpy==2.5.5", "typing-extensions"])
    assert lockfile.constraints(plain, WHEELS) == "numpy==2.5.5\n"


def test_difference():
    assert lockfile.difference({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == {
        "added": ["c"],
        "removed": ["a"],
        "changed": ["b"],
    }


def test_lock_json_says_what_it_is_for():
    meta = json.loads(lockfile.make(request(), "c", "").texts()["lock.json"])
    assert (meta["build"], meta["generation"], meta["framework"]) == ("cu130", ["ada"], "pytorch")
