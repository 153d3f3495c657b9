"""What a person wrote survives: a change replaces the bytes of its own value, or is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.inventory import Inventory
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.yaml_text import EditError, YamlText, read, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW_MACHINE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HAND = """\
---
# Mine, do not touch.
dlbox_admins:   # who
  - name: ada       # me
    keys: [~/.ssh/id_ed25519.pub,
           "ssh-ed25519 AAAA ada@desk"]   # both
    shell: '/bin/bash'

  # the second one
  - {name: grace, keys: [keys/grace.pub]}
# Networks
dlbox_home_networks:
- 192.168.1.0/24  # upstairs
- fd00::/64

secret: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  6162
own: "{{ dlbox_admins | length }}"
empty:
# base_timezone: Europe/Berlin
# base_locale: en_US.UTF-8

# conda_environments:
#   - {name: jupyter}
#   - {name: pytorch}

last: 1
"""


@pytest.fixture
def text() -> YamlText:
    return YamlText(HAND)


def changed(new: str, old: str = HAND) -> tuple[list[str], list[str]]:
    """Lines that are gone, and that came."""
    before, after = old.splitlines(), new.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_a_value_is_replaced_where_it_stands(text: YamlText) -> None:
    text.set(["dlbox_admins", 0, "name"], "eve")
    assert text.text == HAND.replace("name: ada  ", "name: eve  ")
    text.set(["empty"], "yes")
    assert "empty: 'yes'\n# base_timezone" in text.text
    text.set(["dlbox_admins", 0, "shell"], "/bin/zsh")
    assert "    shell: /bin/zsh\n\n  # the second one\n" in text.text


def test_lists_grow_and_shrink_in_their_own_style(text: YamlText) -> None:
    text.append(["dlbox_home_networks"], "10.0.0.0/8")
    assert "- fd00::/64\n- 10.0.0.0/8\n\nsecret" in text.text
    text.append(["dlbox_admins", 0, "keys"], "two words")
    assert '"ssh-ed25519 AAAA ada@desk", two words]   # both' in text.text
    text.remove(["dlbox_admins", 0, "keys", 0])
    text.remove(["dlbox_home_networks", 0])
    assert changed(text.text) == (
        [
            "    keys: [~/.ssh/id_ed25519.pub,",
            '           "ssh-ed25519 AAAA ada@desk"]   # both',
            "- 192.168.1.0/24  # upstairs",
        ],
        ['    keys: ["ssh-ed25519 AAAA ada@desk", two words]   # both', "- 10.0.0.0/8"],
    )
    text.append(["dlbox_admins"], {"name": "kim"})
    assert "  - {name: grace, keys: [keys/grace.pub]}\n  - {name: kim}\n# Networks\n" in text.text
    text.remove(["dlbox_admins", 0])
    assert "dlbox_admins:   # who\n\n  # the second one\n  - {name: grace" in text.text


def test_the_last_item_leaves_an_empty_list() -> None:
    text = YamlText("a:\n  - 1\n  # end\nb: [2]\n")
    text.remove(["a", 0])
    text.remove(["b", 0])
    assert text.text == "a: []\n  # end\nb: []\n"
    text.append(["b"], "x, y")
    assert text.text.endswith("b: ['x, y']\n")


def test_a_new_key_comes_after_its_own_example_else_at_the_end(text: YamlText) -> None:
    text.add(["base_timezone"], "Europe/Rome", comment="not needed")
    assert "# base_timezone: Europe/Berlin\nbase_timezone: Europe/Rome\n# base_locale" in text.text
    text.add(["conda_environments"], [{"name": "jax"}], block=True)
    assert "#   - {name: pytorch}\nconda_environments:\n  - {name: jax}\n\nlast: 1\n" in text.text
    text.add(["dlbox_policy"], "newest", comment="Which versions.")
    assert text.text.endswith("last: 1\n\n# Which versions.\ndlbox_policy: newest\n")
    assert changed(text.text)[0] == []


def test_an_example_inside_of_another_value_is_no_place() -> None:
    text = YamlText("a:\n  - 1\n# b: 2\n  - 3\n")
    text.add(["b"], 4)
    assert text.text == "a:\n  - 1\n# b: 2\n  - 3\n\nb: 4\n"


def test_keys_of_inner_mappings() -> None:
    hosts = (
        "all:\n  hosts:\n    localhost:\n      ansible_connection: local\n\n    # bigbox:\n    #   ansible_user: ada\n"
    )
    text = YamlText(hosts)
    text.add(["all", "hosts", "bigbox"], {"ansible_host": "192.0.2.1"}, block=True)
    assert text.text == hosts.replace(" local\n", " local\n    bigbox:\n      ansible_host: 192.0.2.1\n")
    text.remove(["all", "hosts", "localhost"])
    assert text.data == {"all": {"hosts": {"bigbox": {"ansible_host": "192.0.2.1"}}}} and "# bigbox:" in text.text


def test_an_empty_file_and_one_without_an_end_of_line() -> None:
    for before in ("", "---\n", "---\n# mine", "a: 1"):
        text = YamlText(before)
        text.add(["b"], [1])
        assert text.text.startswith(before.rstrip("\n")) and text.text.endswith("b: [1]\n")


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("a: &x [1]\nb: *x\n", lambda text: text.set(["b"], 2)),
        ("a: &x [1]\nb: *x\n", lambda text: text.set(["a"], 2)),
        ("base: &b {c: 1}\nd:\n  <<: *b\n", lambda text: text.set(["d", "c"], 2)),
        ("a: {b: 1}\n", lambda text: text.add(["a", "c"], 2)),
        ("- 1\n", lambda text: text.add(["a"], 2)),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_alone_is_refused_and_left(text: str, change: object) -> None:
    edited = YamlText(text)
    with pytest.raises(EditError):
        change(edited)  # type: ignore[operator]
    assert edited.text == text


def test_windows_ends_of_lines_stay() -> None:
    text = YamlText("a:\r\n  - 1\r\nb: 2\r\n")
    text.append(["a"], 3)
    text.add(["c"], 4)
    assert text.text == "a:\r\n  - 1\r\n  - 3\r\nb: 2\r\n\r\nc: 4\r\n"


@pytest.mark.parametrize("text", ["a: [", "a: 1\n---\nb: 2\n", "a: b: c\n", "\tx"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="not YAML"):
        YamlText(text)


# --- a person's file is anything ----------------------------------------------------------------------------------
WORDS = st.text("abcdefgh_", min_size=1, max_size=6)
COMMENT = st.sampled_from(["", "  # a note", " # [x]: {y}", "   # - no item"])
SCALAR = st.one_of(
    st.integers(0, 99).map(str),
    WORDS,
    WORDS.map(lambda word: f'"{{{{ {word} }}}}"'),
    WORDS.map(lambda word: f"'{word}: # x'"),
    st.just(""),
)


@st.composite
def block(draw: st.DrawFn, indent: int = 0, depth: int = 2) -> list[str]:
    """Lines of a mapping as people lay them out, with comments and blank lines anywhere."""
    lines: list[str] = []
    pad = " " * indent
    for key in draw(st.lists(WORDS, min_size=1, max_size=4, unique=True)):
        lines += draw(st.lists(st.sampled_from(["", f"{pad}# before", "# at the edge"]), max_size=2))
        kind = draw(st.sampled_from(["scalar", "flow", "list", "mapping", "text"] if depth else ["scalar", "flow"]))
        note = draw(COMMENT)
        if kind == "scalar":
            lines.append(f"{pad}{key}:{draw(st.sampled_from([' ', '   ']))}{draw(SCALAR)}{note}".rstrip())
        elif kind == "flow":
            items = draw(st.lists(WORDS, max_size=3))
            lines.append(f"{pad}{key}: [{', '.join(items)}]{note}")
        elif kind == "text":
            lines += [f"{pad}{key}: |", f"{pad}  line", "", f"{pad}  # no comment"]
        elif kind == "list":
            lines.append(f"{pad}{key}:{note}")
            inner = pad + draw(st.sampled_from(["", "  "]))
            for item in draw(st.lists(WORDS, min_size=1, max_size=3)):
                lines.append(f"{inner}-{draw(st.sampled_from([' ', '   ']))}{item}{draw(COMMENT)}")
        else:
            lines.append(f"{pad}{key}:{note}")
            lines += draw(block(indent + draw(st.sampled_from([2, 4])), depth - 1))
    return lines


def common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@SLOW_MACHINE
@given(lines=block(), end=st.sampled_from(["\n", "\n\n# end", "\n\n# end\n"]), data=st.data())
def test_every_other_byte_of_any_file_stays(lines: list[str], end: str, data: st.DataObject) -> None:
    before = "---\n" + "\n".join(lines) + end
    text = YamlText(before)
    key = data.draw(st.sampled_from(sorted(text.data)))
    expected = dict(text.data)
    if isinstance(expected[key], list) and expected[key]:
        expected[key] = [*expected[key], "new item"]
        text.append([key], "new item")
        text.remove([key, len(expected[key]) - 1])
        # Added and taken away again: not one byte is another.
        assert text.text == before
        text.append([key], "new item")
    else:
        expected[key] = "new"
        text.set([key], "new")
    assert read(text.text) == expected and list(read(text.text)) == list(expected)
    # One place was changed: what stands before and after it is what stood there.
    same = common(before, text.text)
    rest = common(before[same:][::-1], text.text[same:][::-1])
    gone = before[same : len(before) - rest]
    assert gone in before.partition(f"{key}:")[2]
    outside = [line for line in before.splitlines() if line in ("# at the edge", "# end")]
    if not isinstance(read(before)[key], dict):
        assert [line for line in text.text.splitlines() if line in ("# at the edge", "# end")] == outside


@SLOW_MACHINE
@given(lines=block(), value=st.one_of(st.integers(), st.lists(WORDS), st.dictionaries(WORDS, WORDS)))
def test_what_is_added_leaves_every_byte_before_it(lines: list[str], value: object) -> None:
    before = "---\n" + "\n".join(lines) + "\n"
    text = YamlText(before)
    text.add(["Brand_new"], value, comment="It is new.", block=bool(value) and not isinstance(value, int))
    assert text.text.startswith(before)
    assert read(text.text) == {**read(before), "Brand_new": value}


OURS = """
# who
dlbox_admins:   # all of us
  - {name: ada, keys: [a.pub], sudo: nopasswd}  # me
  - name: grace
    keys: [b.pub]
dlbox_home_networks:
- 10.0.0.0/8   # upstairs
- fd00::/8
base_timezone: "Europe/Rome"   # here
""".splitlines()


@SLOW_MACHINE
@given(
    before=block(),
    after=block(),
    name=st.sampled_from(["ada", "eve"]),
    keys=st.lists(st.sampled_from(["a.pub", "c.pub", "d.pub"]), min_size=1, max_size=3, unique=True),
    networks=st.lists(st.sampled_from(["10.0.0.0/8", "fd00::/8", "192.168.0.0/16"]), max_size=3, unique=True),
    zone=st.sampled_from(["Europe/Rome", "Etc/UTC"]),
)
def test_answers_change_nothing_else_of_an_inventory(
    before: list[str], after: list[str], name: str, keys: list[str], networks: list[str], zone: str
) -> None:
    keys_of = {line.partition(":")[0] for line in before if not line.startswith((" ", "#", "-"))}
    after = (
        [] if keys_of & {line.partition(":")[0] for line in after if not line.startswith((" ", "#", "-"))} else after
    )
    text = "\n".join(["---", *before, *OURS, *after, ""])
    with tempfile.TemporaryDirectory() as folder:
        owner = Path(folder) / "group_vars/all/owner.yml"
        owner.parent.mkdir(parents=True)
        owner.write_text(text)
        (Path(folder) / "hosts.yml").write_text("all: {hosts: {localhost: {}}}\n")
        inventory = Inventory(Path(folder))
        inventory.set_admin(name, keys, "localhost")
        inventory.set("dlbox_home_networks", networks, "localhost")
        inventory.set("base_timezone", zone, "localhost")
        inventory.write()
        written_text = owner.read_text()
    found, expected = read(written_text), read(text)
    for values, wanted in ((expected["dlbox_admins"][0]["keys"], keys), (expected["dlbox_home_networks"], networks)):
        values[:] = [one for one in values if one in wanted] + [one for one in wanted if one not in values]
    expected["dlbox_admins"][0]["name"], expected["base_timezone"] = name, zone
    assert found == expected and list(found) == list(expected)
    start, end = text.index("\n# who"), text.index(OURS[-1]) + len(OURS[-1])
    assert written_text.startswith(text[:start]) and written_text.endswith(text[end:])
    for comment in ("# who", "# all of us", "# me", "  - name: grace\n    keys: [b.pub]\n", "# here"):
        assert comment in written_text
    assert ("# upstairs" in written_text) is ("10.0.0.0/8" in networks)
    if found == read(text):
        assert written_text == text


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@SLOW_MACHINE
@given(VALUES)
def test_what_is_written_is_one_line_and_reads_the_same(value: object) -> None:
    assert len(written(value).splitlines()) < 2 and read(written(value)) == value
