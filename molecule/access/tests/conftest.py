"""Runs all cases of the lock-out suite beside each other: they mostly wait."""

from __future__ import annotations

import concurrent.futures
import os
import tempfile
from collections.abc import Iterator

import cases
import docker
import pytest


def network(engine: docker.DockerClient) -> tuple[docker.models.networks.Network, str]:
    """A network on which addresses can be chosen, so that a restarted host keeps its own; and how they begin."""
    for left in engine.containers.list(all=True, filters={"name": "^dlbox-access-case-"}):
        left.remove(force=True)
    for old in engine.networks.list(names=[cases.NETWORK]):
        old.remove()
    probe = engine.networks.create(cases.NETWORK)
    probe.reload()
    subnet = probe.attrs["IPAM"]["Config"][0]["Subnet"]
    probe.remove()
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
    return engine.networks.create(cases.NETWORK, ipam=pool), subnet.rsplit(".", 1)[0]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, concurrent.futures.Future[None]]]:
    """The cases that were selected, each running in a container of its own."""
    engine = docker.from_env(timeout=120)
    made, prefix = network(engine)
    keep = bool(os.environ.get("ACCESS_KEEP"))

    def run(number: int, case: cases.Case) -> None:
        template, address = f"dlbox-access-{case.on}", f"{prefix}.{10 + number}"
        with tempfile.TemporaryDirectory(prefix="cp-") as sockets:
            box = cases.Box(engine, f"dlbox-access-case-{case.name}", template, address, sockets)
            box.strategy = cases.launchers_strategy() if case.mitogen else {}
            try:
                case.function(box)
            finally:
                if not keep:
                    box.remove()

    selected = [item.callspec.params["case"] for item in request.session.items if "outcomes" in item.fixturenames]
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("ACCESS_WORKERS", "3"))) as pool:
        yield {case.name: pool.submit(run, number, case) for number, case in enumerate(selected)}
    if not keep:
        made.remove()
