"""What tests marked `servers` need of the machine: programs and free ports."""

from __future__ import annotations

import os
import shutil
import socket


def program(name: str) -> str:
    """Path of an installed program; daemons lie where an ordinary user does not look."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is missing; run make test-servers"
    return found


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
