"""Each account's configuration and start folder; what is not listed any more is removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import run_as
from . import settings
from .server_files import CONFIG, Person, accounts, as_text, folder_of, right, settle_folders, shown, text_of

PAGE = "labconfig/page_config.json"
TLS = "tls.conf"


class ServerConfiguration:
    """The files of all accounts in one run of the module: collects what changes, and changes it unless `dry`."""

    def __init__(self, people: Mapping[str, Person], params: Mapping[str, Any], *, dry: bool) -> None:
        """`params` are the options of the module jupyter_servers."""
        self.people = people
        self.params = params
        self.dry = dry
        self.root = Path(params["config_dir"])
        self.links = {str(item.get("name") or Path(item["path"]).name): str(item["path"]) for item in params["links"]}
        self.taken: list[str] = []
        self.todo: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def configure(self, person: Person, hashed: str) -> None:
        """Write the account's configuration."""
        tls, port = self.params["tls"], int(self.params["ports"][person.name])
        server = settings.Server(
            user=person.name,
            start_folder=folder_of(self.params["start_folder"], person.home),
            behind_tls=tls,
            terminals=self.params["terminals"],
            default_kernel=self.params["default_kernel"],
            extensions=tuple(self.params["extensions"]),
            extra=self.params["settings"],
        )
        gid = person.account.pw_gid if person.account else 0
        # The password's hash is the account's to read; the rest is root's and no secret.
        files = [
            (CONFIG, as_text(settings.server_settings(server, hashed)), person.uid, gid, 0o400),
            (PAGE, as_text(settings.page_settings(server)), person.uid, gid, 0o400),
        ]
        if tls:
            endpoint = settings.tls_endpoint(person.name, port, self.params["certificate"], self.params["key"])
            files.append((TLS, endpoint, os.geteuid(), os.getegid(), 0o644))
        elif (person.folder / TLS).exists():
            self.record(person.folder / TLS, text_of(person.folder / TLS), "")
            if not self.dry:
                (person.folder / TLS).unlink()
        for name, text, uid, gid, mode in files:
            file = person.folder / name
            if right(file, text, uid, mode):
                continue
            before = text_of(file)
            self.record(file, *(side if name == TLS else shown(side) for side in (before, text)))
            if not self.dry and person.account:
                file.parent.mkdir(parents=True, exist_ok=True)
                for place in (self.root, person.folder, file.parent):
                    place.chmod(0o755)
                run_as.replace_file(file, text, mode, uid, gid)

    def start_folder(self, person: Person) -> None:
        """Make the account's start folder, without which the server would not start, and the links in it."""
        if person.account is None:
            return
        folder = Path(folder_of(self.params["start_folder"], person.home))
        try:
            found = settle_folders(run_as.account(person.name), folder, self.links, self.dry)
        except OSError as error:
            self.todo.append(
                f"start_folder is {self.params['start_folder']}: {person.name} cannot make {folder} or the "
                f"links in it ({error}). Make it, or choose a folder below the home."
            )
            return
        if found.folder:
            self.record(folder, "", "a folder\n")
        for link in found.links:
            self.record(Path(link), "", "a link\n")
        self.taken += found.taken

    def remove_unlisted(self) -> None:
        """Remove the configuration of accounts that are not listed, and their password, which opens nothing more."""
        for place in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            if (place / CONFIG).is_file() and place.name not in self.people:
                self.record(place, f"{place.name}\n", "")
                if not self.dry:
                    for name, account in accounts([place.name]).items():
                        run_as.remove_as(run_as.account(name), Path(account.pw_dir, self.params["password_file"]))
                    shutil.rmtree(place)
        if not self.people and self.root.is_dir() and not self.dry and not any(self.root.iterdir()):
            self.root.rmdir()

    def record(self, place: Path, before: str, after: str) -> None:
        """Record a change."""
        header = str(place)
        self.diffs.append({"before_header": header, "after_header": header, "before": before, "after": after})
