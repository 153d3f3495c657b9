"""From declarations and a plan to requests."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import definitions
from hypothesis import given
from hypothesis import strategies as st

SHIPPED = {
    "base": {"python": "", "kernel": False, "optional": ["conda"]},
    "pytorch": {"framework": "pytorch", "requirements": ["torch"], "wheels": ["numpy", "ipykernel"]},
    "tensorflow": {"framework": "tensorflow", "requirements": ["tensorflow"], "variables": {"A": "1"}},
    "keras": {"framework": "keras", "requirements": ["keras", "torch"]},
    "datascience": {"wheels": ["numpy", "pandas"]},
}
GPU = {"usable": True, "architecture": "ada"}
PLAN = {
    "gpus": [GPU],
    "cuda": {"version": "12.9"},
    "frameworks": {
        "pytorch": {
            "version": "2.15.0",
            "build": "cu130",
            "python": "3.13",
            "requirements": ["torch==2.15.0"],
            "companions": ["torchvision==0.30.0"],
            "index_url": "https://download.pytorch.org/whl/cu130",
            "gpu": True,
        },
        "tensorflow": {"version": None, "requirements": [], "note": "not for this GPU"},
        "keras": {"version": "3.15.1", "backend": "pytorch", "requirements": ["keras==3.15.1", "torch==2.15.0"]},
    },
    "refusals": [{"component": "tensorflow", "message": "No TensorFlow runs on it.", "remedy": "Take PyTorch."}],
}


def resolve(*entries, plan=None, channels=("conda-forge",)):
    return definitions.resolve(list(entries), SHIPPED, plan or {}, "/opt/conda", list(channels), "3.12")


def one(entry, plan=None):
    requests, _, problems = resolve(entry, plan=plan)
    assert not problems
    return requests[0]


def test_the_plan_decides_a_frameworks_wheels_python_and_index():
    request = one({"name": "pytorch"}, PLAN)
    assert request.wheels == ["torch==2.15.0", "torchvision==0.30.0", "numpy", "ipykernel"]
    assert (request.python, request.build, request.gpu, request.cuda) == ("3.13", "cu130", True, "12.9")
    assert request.index_url == "https://download.pytorch.org/whl/cu130" and request.architectures == ["ada"]
    assert request.prefix == "/opt/conda/envs/pytorch"


@pytest.mark.parametrize(("planned", "machine"), [("aarch64", ""), ("", "aarch64"), ("x86_64", "aarch64")])
def test_nothing_is_chosen_for_another_cpu(planned, machine):
    plan = {**PLAN, "os": {"arch": planned}} if planned else {}
    requests, _, problems = definitions.resolve(
        [{"name": "pytorch"}, {"name": "base"}], SHIPPED, plan, "/opt/conda", ["conda-forge"], "3.12", machine
    )
    assert requests == []
    assert problems == [
        "conda_environments: this host's CPU is aarch64, and packages are chosen for x86_64 only; "
        "set it to [] and conda_base to false"
    ]


def test_what_is_removed_can_be_removed_from_any_cpu():
    absent = definitions.resolve(
        [{"name": "pytorch", "state": "absent"}], SHIPPED, {}, "/opt/conda", [], "3.12", "aarch64"
    )
    assert absent == ([], ["pytorch"], [])


def test_without_a_plan_the_indexs_default_is_taken_and_said():
    request = one({"name": "pytorch"})
    assert request.wheels[0] == "torch" and request.python == "3.12" and "no plan" in request.note


def test_without_a_usable_gpu_the_cpu_build_is_said():
    chosen = {"version": "2.15.0", "build": "cpu", "requirements": ["torch==2.15.0+cpu"], "gpu": False}
    request = one({"name": "pytorch"}, {"gpus": [{"usable": False}], "frameworks": {"pytorch": chosen}})
    assert request.note == "no usable GPU: the CPU build" and request.cuda == "" and request.generation() == ["none"]


def test_a_framework_that_the_plan_refuses_is_refused_with_its_reason():
    assert one({"name": "tensorflow"}, PLAN).refused == "No TensorFlow runs on it. Take PyTorch."


def test_the_owners_word_comes_before_the_plans():
    request = one(
        {"name": "pytorch", "python": "3.12", "extra_wheels": ["torch==2.14.1", "timm"], "variables": {"B": 2}}, PLAN
    )
    assert request.python == "3.12" and "torch==2.14.1" in request.wheels and "torch==2.15.0" not in request.wheels
    assert request.variables == {"B": "2"}
    assert one({"name": "tensorflow", "variables": {"B": "2"}}).variables == {"A": "1", "B": "2"}


def test_keras_is_told_its_backend():
    assert one({"name": "keras"}, PLAN).variables == {"KERAS_BACKEND": "torch"}


def test_a_jupyter_kernel_has_ipykernel_once():
    assert one({"name": "mine", "wheels": ["polars"]}).wheels == ["polars", "ipykernel"]
    assert one({"name": "mine", "conda": ["ipykernel"]}).wheels == []
    assert one({"name": "mine", "kernel": False}).wheels == []


def test_base_is_the_root_and_cannot_go():
    assert one({"name": "base"}).prefix == "/opt/conda" and one({"name": "base"}).specs() == ["python >=3.10", "pip"]
    assert "cannot be absent" in resolve({"name": "base", "state": "absent"})[2][0]


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ({"name": "x", "framework": "pytorch", "wheels": ["tensorflow[and-cuda]>=2.20"]}, "pytorch and tensorflow"),
        ({"name": "x", "wheels": ["torch", "jax[cuda13]"]}, "jax and pytorch"),
        ({"name": "keras", "extra_wheels": ["torch"]}, "backend that the plan chose"),
        ({"name": "../etc"}, "cannot be a folder's name"),
        ({"name": "x", "python": 3.12}, "in quotes"),
        ({"name": "x", "python": "3"}, 'such as "3.12"'),
        ({"name": "x", "wheels": "numpy"}, "a list"),
        ({"name": "x", "packages": []}, "'packages' is not a key"),
        ({"name": "x", "state": "gone"}, "present or absent"),
        ({"name": "x", "definition": "cuda"}, "shipped are base, datascience"),
        ({"name": "x", "framework": "theano"}, "expected one of"),
        ({"title": "x"}, "with at least `name`"),
        ("x", "not an environment"),
    ],
)
def test_what_cannot_be_is_refused_in_words(entry, part):
    problems = resolve(entry)[2]
    assert len(problems) == 1 and part in problems[0]


def test_all_problems_are_told_at_once():
    assert (
        len(
            resolve(
                {"name": "x", "python": 3}, {"name": "y", "wheels": 1}, {"name": "z"}, {"name": "z"}, channels=["main"]
            )[2]
        )
        == 4
    )


@pytest.mark.parametrize(
    ("channel", "bad"),
    [
        ("defaults", True),
        ("main", True),
        ("r", True),
        ("https://repo.anaconda.com/pkgs/main", True),
        ("https://conda.anaconda.org/anaconda", True),
        ("conda-forge", False),
        ("https://conda.anaconda.org/conda-forge", False),
        ("https://mirror.example.org/main", False),
        ("file:///srv/main", False),
    ],
)
def test_the_defaults_channel_is_refused(channel, bad):
    assert bool(resolve({"name": "x"}, channels=[channel])[2]) is bad


def test_one_framework_per_environment_may_stand_beside_another_environment():
    assert not resolve({"name": "pytorch"}, {"name": "tensorflow"}, plan=PLAN)[2]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Torch==2.1", "torch"),
        ("tensorflow[and-cuda]>2", "tensorflow"),
        ("scikit_learn ; python_version<'4'", "scikit-learn"),
        ("", ""),
    ],
)
def test_requirement_names(text, name):
    assert definitions.requirement_name(text) == name


@given(st.text(alphabet="abcAB-_.", min_size=1))
def test_names_are_normal_once_and_for_all(name):
    assert definitions.normal(definitions.normal(name)) == definitions.normal(name)


@given(
    st.lists(st.sampled_from(["numpy", "pandas==2", "polars"]), unique=True),
    st.lists(st.sampled_from(["numpy==1", "six"])),
)
def test_a_later_requirement_replaces_an_earlier_one(base, more):
    both = definitions.merged(base, more)
    assert [w for w in both if w in more] == list(more)
    if "numpy==1" in more:
        assert "numpy" not in both


def test_the_digest_is_of_what_is_solved_for_only():
    first, second = (
        one({"name": "mine", "wheels": ["six"]}),
        one({"name": "mine", "wheels": ["six"], "description": "x"}),
    )
    assert first.digest() == second.digest() != one({"name": "mine", "wheels": ["six<2"]}).digest()
