"""How Kubernetes writes amounts, and how much of a limit a pod asks for. Pure."""

from math import ceil

from pulumi_kubernetes import core

from components.budget import cpu_request
from components.model import Resources


def millicores(cpus: float) -> int:
    """Give a number of CPUs in thousandths."""
    return ceil(round(cpus * 1000, 3))


def requested(cpus: float) -> int:
    """Give the thousandths of a CPU that a container with this limit asks for."""
    return millicores(cpu_request(cpus))


def cpu(thousandths: int) -> str:
    """Write thousandths of a CPU."""
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory(mb: int) -> str:
    """Write MiB."""
    return f"{mb}Mi" if mb % 1024 else f"{mb // 1024}Gi"


def gigabytes(gb: int) -> str:
    """Write GiB."""
    return f"{gb}Gi"


def requirements(resources: Resources) -> core.v1.ResourceRequirementsArgs:
    """Give what a container asks for and what it may use.

    All of its memory is asked for: what a node promised twice, it takes back by killing.
    """
    return core.v1.ResourceRequirementsArgs(
        limits={"cpu": cpu(millicores(resources.cpus)), "memory": memory(resources.memory_mb)},
        requests={"cpu": cpu(requested(resources.cpus)), "memory": memory(resources.memory_mb)},
    )
