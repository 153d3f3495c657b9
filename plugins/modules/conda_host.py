#!/usr/bin/python
"""The folders, files and marked blocks around the environments, in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_host
short_description: Folders, small files and marked blocks around the environments, in one call
description:
  - Makes folders, writes files whole and keeps a marked block in files that are somebody else's. One call for all of
    them, so that a run that changes nothing costs one connection.
  - A block's file is changed only where it exists, and a copy of it is kept beside it.
options:
  folders:
    description: Folders to have; C(path), C(mode) such as V(0755), C(group) (V(root) when empty). Removed by nobody.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      mode: {description: Permissions., type: str, default: "0755"}
      group: {description: Group; one that does not exist yet counts as C(root) in check mode., type: str, default: ""}
  files:
    description: Files to have, or not.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      content: {description: All of it., type: str, default: ""}
      present: {description: False removes the file., type: bool, default: true}
      beside: {description: Folder without which the file is not written., type: path}
  blocks:
    description: Files of others that are to have a block of ours, or not.
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
    default: conda, managed by dlbox
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: dlbox
"""

EXAMPLES = r"""
- name: Let every shell know conda
  conda_host:
    files:
      - {path: /etc/profile.d/dlbox-conda.sh, content: "{{ hook }}"}
    blocks:
      - {path: /etc/bash.bashrc, content: ". /etc/profile.d/dlbox-conda.sh"}
"""

RETURN = r"""
touched:
  description: What was made, written or removed.
  type: list
  elements: str
  returned: success
"""

import grp
import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule


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
        self.touched: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def note(self, path: Path, before: str, after: str) -> None:
        """Record a change."""
        self.touched.append(str(path))
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

    def file(self, path: Path, content: str | None) -> None:
        """Have a file of root's with this content, or none for None."""
        before = path.read_text(errors="replace") if path.is_file() else None
        if content is None:
            if before is not None:
                self.note(path, before, "")
                if not self.check:
                    path.unlink()
            return
        state = path.stat() if before is not None else None
        if before == content and state and (state.st_uid, state.st_mode & 0o7777) == (os.geteuid(), 0o644):
            return
        self.note(path, before or "", content)
        if not self.check:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.replace(path, content)
            os.chown(path, os.geteuid(), os.getegid())
            path.chmod(0o644)

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


def main() -> None:
    """Run the module."""
    path = {"type": "path", "required": True}
    content = {"type": "str", "default": ""}
    present = {"type": "bool", "default": True}
    folders = {"path": path, "mode": {"type": "str", "default": "0755"}, "group": {"type": "str", "default": ""}}
    files = {"path": path, "content": content, "present": present, "beside": {"type": "path"}}
    blocks = {"path": path, "content": content, "present": present}
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folders},
            "files": {"type": "list", "elements": "dict", "default": [], "options": files},
            "blocks": {"type": "list", "elements": "dict", "default": [], "options": blocks},
            "mark": {"type": "str", "default": "conda, managed by dlbox"},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    work = Work(module)
    try:
        for item in given["folders"]:
            work.folder(Path(item["path"]), int(item["mode"], 8), item["group"])
        for item in given["files"]:
            wanted = item["present"] and (not item["beside"] or Path(item["beside"]).is_dir())
            work.file(Path(item["path"]), item["content"] if wanted else None)
        for item in given["blocks"]:
            work.block(Path(item["path"]), given["mark"], item["content"] if item["present"] else None)
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"the folders and shells of conda cannot be set up: {error}")
    module.exit_json(changed=bool(work.touched), touched=work.touched, diff=work.diffs)


if __name__ == "__main__":
    main()
