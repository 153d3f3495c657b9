#!/usr/bin/python
"""Folders, small files and marked blocks, all of a role's in one call.

Not ansible.builtin.copy and its like: 120 settings of a workstation take 1.1 s in one call, 54 s as a task each and
69 s in loops (pipelined ssh). And every file is validated before the first is written.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Manage folders, small files and marked blocks in one call
description:
  - Makes folders, writes files whole and keeps a marked block in files that are somebody else's. One call for all of
    them, so that a run that changes nothing costs one connection.
  - Every file is validated by its O(files[].validate) before the first is written.
  - A file that dlbox did not write (neither its path nor its text names dlbox) is kept beside it before it is replaced
    or removed, and so is a file that gets a block.
options:
  folders:
    description: Folders to have, root's. Removed by nobody.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      mode: {description: Permissions., type: str, default: "0755"}
      group: {description: Group; one that does not exist yet counts as C(root) in check mode., type: str, default: ""}
  files:
    description: Files to have, root's, or not to have.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where. Folders above it are made., type: path, required: true}
      content: {description: All of it., type: str, default: ""}
      secret:
        description:
          - In place of O(files[].content), in no log and no diff. As base64, because Ansible looks for a secret in a
            log as it is, and a list shows line ends and quotation marks in another way.
        type: str
        default: ""
      mode: {description: Permissions., type: str, default: "0644"}
      present: {description: False removes the file., type: bool, default: true}
      beside: {description: Folder without which the file is not written., type: path}
      validate: {description: "Command that accepts the file, with V(%s) for its path.", type: str, default: ""}
      program: {description: A diff names the file and does not show it., type: bool, default: false}
  blocks:
    description: Files of others that are to have a block of ours, or not. Only those that exist are changed.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      content: {description: The lines between the two marks., type: str, default: ""}
      present: {description: False removes the block., type: bool, default: true}
  mark:
    description: What the lines before and after a block say, after V(# BEGIN) and V(# END).
    type: str
    default: managed by dlbox
extends_documentation_fragment: [dlbox.workstation.predictable]
"""

EXAMPLES = r"""
- name: Let every shell know conda
  dlbox.workstation.host_files:
    files:
      - {path: /etc/profile.d/dlbox-conda.sh, content: "{{ hook }}"}
      - {path: /etc/sudoers.d/50-dlbox, content: "{{ rules }}", mode: "0440", validate: visudo -cf %s}
    blocks:
      - {path: /etc/bash.bashrc, content: ". /etc/profile.d/dlbox-conda.sh"}
"""

RETURN = r"""
written:
  description: What was made, written or removed.
  type: list
  elements: str
  returned: success
"""

import base64
import grp
import os
import shlex
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import run_as
from ..module_utils.umask import with_umask

OURS = "dlbox"


def with_block(text: str, mark: str, content: str | None) -> str:
    """`text` with the marked block saying `content`, without it for None; the rest stays as it is."""
    begin, end = f"# BEGIN {mark}\n", f"# END {mark}\n"
    block = f"{begin}{content.rstrip()}\n{end}" if content is not None else ""
    padded = text if not text or text.endswith("\n") else f"{text}\n"
    start = padded.find(begin)
    stop = padded.find(end, start)
    if start < 0 or stop < 0:
        return f"{padded}{block}" if block else text
    return padded[:start] + block + padded[stop + len(end) :]


def group_id(name: str, check: bool) -> int:
    """The group's number, root's without a name; in check mode also for one that the run would make first."""
    try:
        return grp.getgrnam(name).gr_gid if name else os.getegid()
    except KeyError:
        if check:
            return os.getegid()
        raise


class Work:
    """One call: what it touches, and the diffs."""

    def __init__(self, module: AnsibleModule) -> None:
        """Nothing is done yet."""
        self.module = module
        self.check: bool = module.check_mode
        self.written: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def note(self, path: Path, before: str, after: str) -> None:
        """Record a change, before it is made. Raises PermissionError where others could lead root elsewhere."""
        if os.geteuid() == 0 and (problem := run_as.root_places(path)):
            raise PermissionError(f"{path} is left alone: {problem}. Root writes only where root alone can write")
        self.written.append(str(path))
        header = str(path)
        self.diffs.append({"before_header": header, "after_header": header, "before": before, "after": after})

    def folder(self, path: Path, mode: int, group: str) -> None:
        """Have a folder of root's."""
        gid = group_id(group, self.check)
        said = "missing\n"
        if path.is_dir():
            state = path.stat()
            # Where a group is only announced, its number is not known: that the folder is there is enough.
            same_group = state.st_gid == gid or (self.check and bool(group) and gid == os.getegid())
            if (state.st_uid, state.st_mode & 0o7777) == (os.geteuid(), mode) and same_group:
                return
            said = f"{state.st_uid}:{state.st_gid} {state.st_mode & 0o7777:04o}\n"
        self.note(path, said, f"{os.geteuid()}:{gid} {mode:04o}\n")
        if not self.check:
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, os.geteuid(), gid)
            path.chmod(mode)

    def validate(self, item: dict[str, Any]) -> None:
        """End the module when the file's own program refuses it."""
        trial = Path(self.module.tmpdir, f"{Path(item['path']).name}.trial")
        trial.write_text(item["content"])
        trial.chmod(0o600)
        command = [word.replace("%s", str(trial)) for word in shlex.split(item["validate"])]
        rc, out, err = self.module.run_command(command)
        if rc != 0:
            said = (out + err).strip()
            self.module.fail_json(msg=f"{item['path']} is not written: {' '.join(command)} says {said}")

    def file(self, item: dict[str, Any]) -> None:
        """Have a file of root's, or none."""
        path, mode = Path(item["path"]), int(item["mode"], 8)
        before = path.read_text(errors="replace") if path.is_file() else None
        content = text_of(item) if wanted(item) else None
        if content is None and before is None:
            return
        if content is not None and before == content:
            state = path.stat()
            if (state.st_uid, state.st_mode & 0o7777) == (os.geteuid(), mode):
                return
        hidden = item["program"] or item["secret"]
        self.note(path, "" if hidden else before or "", "" if hidden else content or "")
        if self.check:
            return
        if before is not None and OURS not in f"{path}{before}":
            self.module.backup_local(str(path))
        if content is None:
            path.unlink()
            return
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Never readable by others than its mode allows, not for a moment.
        run_as.replace_file(path, content, mode)

    def block(self, path: Path, mark: str, content: str | None) -> None:
        """Have the block in a file that is there, or none for None."""
        if not path.is_file():
            return
        before = path.read_text(errors="surrogateescape")
        after = with_block(before, mark, content)
        if after != before:
            self.note(path, before, after)
            if not self.check:
                self.module.backup_local(str(path))
                self.replace(path, after)

    def replace(self, path: Path, content: str) -> None:
        """Write a file so that it is the old or the new one; an existing one keeps its owner and mode."""
        fresh = Path(self.module.tmpdir, path.name)
        fresh.write_text(content, errors="surrogateescape")
        self.module.atomic_move(str(fresh), str(path))


def text_of(item: dict[str, Any]) -> str:
    """What a file is to say."""
    return base64.b64decode(item["secret"]).decode() if item["secret"] else str(item["content"])


def wanted(item: dict[str, Any]) -> bool:
    """Whether a file is to be there."""
    return bool(item["present"] and (not item["beside"] or Path(item["beside"]).is_dir()))


def holds(path: Path, content: str) -> bool:
    """Whether the file says this already."""
    return path.is_file() and path.read_text(errors="replace") == content


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Run the module."""
    path = {"type": "path", "required": True}
    content = {"type": "str", "default": ""}
    present = {"type": "bool", "default": True}
    folders = {"path": path, "mode": {"type": "str", "default": "0755"}, "group": {"type": "str", "default": ""}}
    files = {
        "path": path,
        "content": content,
        "secret": {"type": "str", "default": "", "no_log": True},
        "mode": {"type": "str", "default": "0644"},
        "present": present,
        "beside": {"type": "path"},
        "validate": {"type": "str", "default": ""},
        "program": {"type": "bool", "default": False},
    }
    blocks = {"path": path, "content": content, "present": present}
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folders},
            "files": {"type": "list", "elements": "dict", "default": [], "options": files},
            "blocks": {"type": "list", "elements": "dict", "default": [], "options": blocks},
            "mark": {"type": "str", "default": "managed by dlbox"},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    work = Work(module)
    try:
        # In check mode the program that validates may not be installed yet.
        if not module.check_mode:
            for item in given["files"]:
                if item["validate"] and wanted(item) and not holds(Path(item["path"]), item["content"]):
                    work.validate(item)
        for item in given["folders"]:
            work.folder(Path(item["path"]), int(item["mode"], 8), item["group"])
        for item in given["files"]:
            work.file(item)
        for item in given["blocks"]:
            work.block(Path(item["path"]), given["mark"], item["content"] if item["present"] else None)
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"not all folders and files could be written: {error}", written=work.written)
    module.exit_json(changed=bool(work.written), written=work.written, diff=work.diffs)


if __name__ == "__main__":
    main()
