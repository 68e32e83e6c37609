"""The database as a ``Cluster`` of CloudNativePG, an operator that the cluster has to have. Pure.

The operator makes the pods, the claims and the Services, and replaces a primary that fails. Who talks to whom is in
``components/flows.py``.
"""

from typing import Any

from pulumi import CustomTimeouts, Input

from components.args import ManagedPostgresArgs
from components.kubernetes import quantities, roles

API_VERSION, KIND = "postgresql.cnpg.io/v1", "Cluster"

HOST = f"{roles.POSTGRES}-rw"
"""The Service that the operator points at the primary."""

SECRET = "postgres-user"  # noqa: S105 - a name
"""The Secret of the app's user. A fixed name, since the operator changes the password to what it says."""

WAIT_FOR = {"pulumi.com/waitFor": "condition=Ready"}
"""What the plugin waits for: that the operator says that all instances are there."""

TIMEOUTS = CustomTimeouts(create="600s", update="600s")
"""How long a first instance, or a change of each in turn, may take."""

_OPERATORS = frozenset({"huge_pages", "max_worker_processes", "max_parallel_workers"})
"""Parameters that are left to the operator, which sets them by what the nodes have."""


def spec(args: ManagedPostgresArgs, secret: Input[str]) -> dict[str, Any]:
    """Give the specification of the database; ``secret`` names its user and the password."""
    amounts = quantities.requirements(args.resources)
    return {
        "instances": args.instances,
        "imageName": args.image,
        "inheritedMetadata": {"labels": args.owner.labels(roles.POSTGRES)},
        "bootstrap": {
            "initdb": {
                "database": args.database,
                "owner": args.database,
                "secret": {"name": secret},
                "dataChecksums": True,
            }
        },
        "postgresql": {
            "parameters": {name: value for name, value in args.parameters.items() if name not in _OPERATORS}
        },
        "resources": {"limits": amounts.limits, "requests": amounts.requests},
        "storage": {
            "size": quantities.gigabytes(args.size_gb),
            **({"storageClass": args.storage_class} if args.storage_class else {}),
        },
        "primaryUpdateStrategy": "unsupervised",
    }
