"""Whether a namespace may be taken: one that is there already and is not ours stays as it is.

The plugin takes over what it finds under a name, so that a killed update can go on. For a namespace of somebody else,
that must not happen. Only a stack that was never deployed is asked: afterwards, the state says what is ours.
"""

import pulumi

from components import state
from components.labels import PROJECT, STACK
from components.model import Settings
from components.problems import Problem, SettingsError, config_set, full_key

_KEY = ("kubernetes", "namespace")
_TIMEOUT_SECONDS = 5


def check(settings: Settings) -> None:
    """Refuse a namespace that belongs to somebody else.

    A cluster that does not answer is nobody's fault here: a preview works without one, and an update says it itself.

    Raises:
        SettingsError: if it is there, and its labels do not name this stack.
    """
    if state.deployed():
        return
    labels = _labels(settings.kubernetes.context, settings.kubernetes.namespace or "")
    problem = find(labels, settings, pulumi.get_stack())
    if problem is not None:
        raise SettingsError(pulumi.get_stack(), [problem])


def find(labels: dict[str, str] | None, settings: Settings, stack: str) -> Problem | None:
    """Say what is wrong with a namespace that has these labels; None for one that is not there."""
    if labels is None or (labels.get(PROJECT), labels.get(STACK)) == (settings.app.name, stack):
        return None
    if PROJECT in labels:
        whose = f"that belongs to stack {labels.get(STACK)} of {labels[PROJECT]}"
    else:
        whose = "that somebody else has made"
    namespace = settings.kubernetes.namespace or ""
    return Problem(
        key=full_key(_KEY),
        found=f"{namespace}, a namespace {whose}",
        allowed="a namespace that is not there yet, or one of this stack",
        mend=config_set(_KEY, f"{namespace[:50]}-slipway", stack),
    )


def _labels(context: str | None, namespace: str) -> dict[str, str] | None:
    """Ask the cluster for the labels of a namespace; None if there is none, or no answer."""
    # Half a second, for one question in the life of a stack.
    import urllib3  # noqa: PLC0415 - see above
    from kubernetes import client, config  # type: ignore[import-untyped] # noqa: PLC0415 - see above; it has no types

    try:
        api = client.CoreV1Api(config.new_client_from_config(context=context))
        api.api_client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        found = api.read_namespace(namespace, _request_timeout=_TIMEOUT_SECONDS)
    except (client.ApiException, config.ConfigException, urllib3.exceptions.HTTPError, OSError):
        return None
    return dict(found.metadata.labels or {})
