"""Who owns what on a host: the labels and the first part of every physical name.

Pure. Labels of a volume or a network can never change, since that replaces it: whatever may differ from one release to
the next (a release, an attempt) is a label of containers alone, and is added by whoever makes the container.
"""

from dataclasses import dataclass

PROJECT = "slipway.project"
STACK = "slipway.stack"
COMPONENT = "slipway.component"
RELEASE = "slipway.release"
REVISION = "slipway.revision"
ATTEMPT = "slipway.attempt"
STORAGE = "slipway.storage"
DECLARED = "slipway.declared"
"""On a container: a hash of what was declared of it, see ``docker/declaration.py``."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The stack that owns a resource."""

    project: str
    """Name of the Django project: ``slipway:app.name``."""
    stack: str
    """Name of the stack."""

    @property
    def prefix(self) -> str:
        """First part of every physical name."""
        return f"{self.project}-{self.stack}"

    def named(self, role: str) -> str:
        """Give the physical name of the one thing with this role."""
        return f"{self.prefix}-{role}"

    def labels(self, component: str) -> dict[str, str]:
        """Give the labels of whatever belongs to a component."""
        return {PROJECT: self.project, STACK: self.stack, COMPONENT: component}


def process_role(name: str) -> str:
    """Name the component of a process that settings name."""
    return f"process-{name}"


def process_name(role: str) -> str | None:
    """Give the name in the settings of the process whose component it is; None for any other component."""
    prefix, _, name = role.partition("-")
    return name if prefix == "process" and name else None
