"""The cluster that the user has already: whether a kubeconfig names one that answers."""

import os
from pathlib import Path

from tools.airgap.cluster import place

ANSWER_SECONDS = 5
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
"""What the client says to a kubeconfig that is none."""


def kubeconfig() -> str | None:
    """Which kubeconfig the user has: what KUBECONFIG names, or the usual file. Ours does not count."""
    chosen = os.environ.get("KUBECONFIG")
    if chosen:
        return None if chosen == str(place.kubeconfig()) else chosen
    usual = Path.home() / ".kube" / "config"
    return str(usual) if usual.is_file() else None


def answers(files: str) -> str | None:
    """Ask the current context's cluster for its version: "CONTEXT, VERSION", or nothing if nobody answers."""
    from kubernetes import client, config  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; half a second, for who has a kubeconfig alone
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above
    from yaml import YAMLError  # noqa: PLC0415 - as above

    try:
        _, current = config.list_kube_config_contexts(config_file=files)
        api = config.new_client_from_config(config_file=files)
        api.rest_client.pool_manager.connection_pool_kw["retries"] = False
        version = client.VersionApi(api).get_code(_request_timeout=ANSWER_SECONDS)
    except (config.ConfigException, client.ApiException, HTTPError, YAMLError, OSError, *MALFORMED):
        return None
    return f"{current['name']}, Kubernetes {version.git_version.removeprefix('v')}"
