"""Names, labels and annotations of every object. Pure."""

from collections.abc import Mapping

from pulumi import Input
from pulumi_kubernetes import meta

from components.labels import Owner

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""The plugin does not wait. For Services, where waiting costs 10 s each time and proves nothing; for claims, which a
storage class may bind only once a pod uses them; for Ingress, whose status not every controller sets."""

REPLACE_UNREADY = {"pulumi.com/replaceUnready": "true"}
"""A Job that failed is made again by the next update, also where nothing of it has changed."""


def of(
    owner: Owner,
    component: str,
    namespace: Input[str] | None,
    *,
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> meta.v1.ObjectMetaArgs:
    """Give the metadata of an object.

    Args:
        owner: the stack.
        component: what it belongs to.
        namespace: where it is. None for what is in no namespace.
        name: a fixed name. None for an automatic one, so that another content is another object beside the old one.
        annotations: what the plugin or a controller is told about it.
    """
    return meta.v1.ObjectMetaArgs(
        name=name, namespace=namespace, labels=owner.labels(component), annotations=annotations or None
    )


def selector(owner: Owner, component: str) -> meta.v1.LabelSelectorArgs:
    """Give the selector of a component's pods: nothing in it ever changes, since that replaces what selects."""
    return meta.v1.LabelSelectorArgs(match_labels=owner.labels(component))
