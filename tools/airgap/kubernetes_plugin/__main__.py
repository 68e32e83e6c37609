"""Start the plugin: `python tools/airgap/kubernetes_plugin ENGINE_ADDRESS`. Prints the port that it serves on."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    engine = os.getppid()
    if not __package__:  # started as a directory, which Python then puts on the path instead of the repository
        sys.path[0] = str(Path(__file__).resolve().parents[3])
    from tools.airgap.plugin.start import hollow, without_the_sdk

    without_the_sdk()
    hollow("kubernetes", "kubernetes.client", "kubernetes.client.models", "kubernetes.config")  # 0.9 s if loaded whole
    from tools.airgap.kubernetes_plugin.server import serve

    serve(sys.argv[1] if len(sys.argv) > 1 else None, engine)
