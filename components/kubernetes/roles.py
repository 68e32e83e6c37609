"""The fixed names inside of a stack's namespace. Pure. A changed one would leave what has the old one behind."""

WEB = "web"
"""The Deployment of the web processes, and the Service that asks those of them that can serve."""

WEB_PODS = "web-pods"
"""The Service whose name gives the address of each web process that can serve."""

EDGE = "edge"
"""The Deployment of nginx and its Service."""

POSTGRES = "postgres"
"""The database's StatefulSet, Service and claim."""

REDIS = "redis"
"""The cache's StatefulSet, Service and claim."""

ACCOUNT = "slipway"
"""The ServiceAccount of every pod: it has no token and no rights."""

TLS = "edge-tls"
"""The certificate that a Gateway refers to by its name."""


def pods(role: str) -> str:
    """Give the name of the Service that a StatefulSet's pods have their names from."""
    return f"{role}-pods"
