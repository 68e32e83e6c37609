"""Starting the plugin: what it loads."""

import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).resolve().parents[3] / "tools" / "airgap" / "kubernetes_plugin"


def test_it_starts_without_the_sdks() -> None:
    """A preview pays for Pulumi's protocol only: neither the Pulumi SDK nor the Kubernetes client is loaded."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", str(PLUGIN)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.terminate()
        loaded = {line.rpartition("|")[2].strip() for line in process.communicate(timeout=20)[1].splitlines()}
    assert "pulumi.runtime.proto.provider_pb2" in loaded
    assert not [name for name in loaded if name.startswith(("kubernetes", "urllib3", "requests", "pulumi.output"))]
