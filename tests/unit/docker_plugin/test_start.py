"""Starting the plugin: what it loads and when it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

PLUGIN = Path(__file__).resolve().parents[3] / "tools" / "airgap" / "docker_plugin"


def test_it_starts_without_the_sdks() -> None:
    """A preview pays for Pulumi's protocol only: neither the Pulumi SDK nor the Docker SDK is loaded at the start."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", str(PLUGIN)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.terminate()
        loaded = {line.rpartition("|")[2].strip() for line in process.communicate(timeout=20)[1].splitlines()}
    assert "pulumi.runtime.proto.provider_pb2" in loaded
    assert not loaded & {"pulumi", "pulumi.runtime", "docker", "requests"}


def test_it_ends_with_the_engine(tmp_path: Path) -> None:
    """An engine that is killed leaves no plugin behind."""
    started = subprocess.run(
        [
            "/bin/sh",
            "-c",
            '"$0" "$1" > "$2" & while ! [ -s "$2" ]; do sleep 0.1; done; echo $!',
            sys.executable,
            str(PLUGIN),
            str(tmp_path / "port"),
        ],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=20,
    )
    process = int(started.stdout)
    limit = time.monotonic() + 20
    while time.monotonic() < limit and _runs(process):
        time.sleep(0.1)
    assert not _runs(process)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
