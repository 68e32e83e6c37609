"""How much a stack may take of a cluster, and what a container gets that says nothing. Pure.

The quota is what the settings need, with room: it does not steer, it stops what has gone wrong.
"""

from collections.abc import Mapping

from pulumi_kubernetes import core

from components.budget import Budget
from components.kubernetes.quantities import cpu, gigabytes, memory, millicores


def hard(budget: Budget) -> Mapping[str, str]:
    """Give the limits of a namespace."""
    return {
        "limits.cpu": cpu(millicores(budget.cpus_limit)),
        "limits.memory": memory(budget.memory_mb_limit),
        "requests.cpu": cpu(millicores(budget.cpus_request)),
        "requests.memory": memory(budget.memory_mb_request),
        "pods": str(budget.pods),
        "persistentvolumeclaims": str(budget.claims),
        "requests.storage": gigabytes(budget.storage_gb),
    }


def container() -> core.v1.LimitRangeItemArgs:
    """Give what a container gets that somebody starts by hand: a quota admits none without limits."""
    return core.v1.LimitRangeItemArgs(
        type="Container",
        default={"cpu": "500m", "memory": "256Mi"},
        default_request={"cpu": "25m", "memory": "64Mi"},
    )
