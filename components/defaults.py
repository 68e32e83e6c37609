"""What a stack gets where its file says nothing: one table for all, and one for each kind of environment.

Data alone. A default is a promise: changing one changes what runs for everybody who did not say otherwise.
"""

from typing import Any

COMMON: dict[str, Any] = {
    "target": "docker",
    "app": {
        "ref": None,
        "directory": None,
        "python_path": [],
        "python": "3.13",
        "dockerfile": None,
        "health_path": "/healthz",
        "environment": {},
        "files": {},
    },
    "dependencies": {
        "installer": None,
        "files": [],
        "extras": [],
        "groups": [],
        "packages": [],
        "constraints": [],
        "build_constraints": [],
        "exclude_newer": None,
        "index": None,
        "netrc": False,
        "ssh_hosts": [],
    },
    "build": {"packages": [], "runtime_packages": [], "commands": [], "collect_static": "build", "environment": {}},
    "assets": {
        "directory": None,
        "node": "24",
        "image": None,
        "install": None,
        "build": [],
        "inputs": [],
        "outputs": [],
    },
    "web": {
        "server": "gunicorn",
        "worker_class": None,
        "command": None,
        "threads": 4,
        "startup_seconds": 60,
        "stop_grace_seconds": 35,
        "resources": {"memory_mb": 512, "cpus": 1.0},
    },
    "edge": {
        "gateway": None,
        "address": "127.0.0.1",
        "image": "nginx:1.26",
        "max_body_mb": 25,
        "timeout_seconds": 30,
        "hosts": [],
        "websockets": [],
        "routes": {},
        "headers": {},
        "redirects": {},
        "basic_auth": None,
        "noindex": False,
        "locations": {},
        "resources": {"memory_mb": 128, "cpus": 0.5},
    },
    "processes": {},
    "static": {"serve": "nginx", "url": "/static/", "root": None},
    "media": {"root": "/app/media", "url": "/media/", "internal": False},
    "volumes": {},
    "release": {"migrate": True, "commands": [], "once": {}, "timeout_seconds": 900},
    "health": {"check": "page", "status": "200-399", "startup_path": None, "command": None},
    "services": {},
    "postgres": {"provider": "slipway", "image": "postgres:17", "resources": {"memory_mb": 512, "cpus": 1.0}},
    "redis": {"provider": "slipway", "image": "redis:8.0", "resources": {"memory_mb": 128, "cpus": 0.5}},
    "promoted": {"image": None, "release": None, "stack": None},
    "kubernetes": {
        "context": None,
        "pull_secret": False,
        "ingress_class": None,
        "gateway": None,
        "tls": "none",
        "issuer": None,
        "storage_class": None,
        "storage": {
            "postgres_gb": 10,
            "redis_gb": 1,
            "media_gb": 10,
            "static_gb": 1,
            "shared_access": "ReadWriteOnce",
            "shared_class": None,
        },
        "autoscale": {"enabled": False, "min": 2, "max": 10, "cpu_percent": 70},
        "instances": 1,
    },
    "review": {
        "domain": "localhost",
        "ttl_hours": 48,
        "max_environments": 10,
        "max_memory_mb": 16384,
        "gateway": {
            "name": "review",
            "address": "127.0.0.1",
            "port": 8090,
            "image": "nginx:1.26",
            "resources": {"memory_mb": 64, "cpus": 0.5},
        },
        "seed": {"fixture": None, "command": None, "dump": None},
    },
}
"""The same for every kind."""

ENTRIES: dict[str, dict[str, Any]] = {
    "processes": {
        "schedule": None,
        "singleton": False,
        "health_command": None,
        "startup_seconds": 30,
        "replicas": 1,
        "port": None,
        "stop_grace_seconds": 35,
        "resources": {"memory_mb": 256, "cpus": 0.5},
    },
    "services": {
        "entrypoint": [],
        "command": [],
        "environment": {},
        "files": {},
        "writable": [],
        "read_only": True,
        "volumes": {},
        "size_gb": 10,
        "ports": {},
        "health_command": [],
        "health_tcp": True,
        "startup_seconds": 60,
        "stop_grace_seconds": 30,
        "resources": {"memory_mb": 256, "cpus": 0.5},
        "url": None,
    },
    "volumes": {"processes": [], "read_only": False, "size_gb": 10},
}
"""What each entry of a group gets whose names the stack's file chooses."""

BY_KIND: dict[str, dict[str, Any]] = {
    "dev": {
        "domain": "localhost",
        "web": {"replicas": 1},
        "edge": {"port": 8080},
        "data": {"protect": False},
        "kubernetes": {"expose": "none", "edge_replicas": 1},
    },
    "staging": {
        "web": {"replicas": 2},
        "edge": {"port": 8081},
        "data": {"protect": False},
        "kubernetes": {"expose": "ingress", "edge_replicas": 2},
    },
    "prod": {
        "web": {"replicas": 3},
        "edge": {"port": 8082},
        "data": {"protect": True},
        "kubernetes": {"expose": "ingress", "edge_replicas": 2},
    },
    "review": {
        "domain": "localhost",
        "web": {"replicas": 1, "resources": {"memory_mb": 256, "cpus": 0.5}},
        "edge": {"port": 8083, "noindex": True, "resources": {"memory_mb": 64, "cpus": 0.25}},
        "postgres": {"resources": {"memory_mb": 256, "cpus": 0.5}},
        "redis": {"resources": {"memory_mb": 64, "cpus": 0.25}},
        "data": {"protect": False},
        "kubernetes": {"expose": "none", "edge_replicas": 1},
    },
}
"""What a kind adds to COMMON or says instead."""

DERIVED: dict[tuple[str, ...], str] = {
    ("app", "name"): "the name of the folder or the repository of `slipway:app.source`",
    ("app", "wsgi_module"): "`wsgi:application` beside the settings module",
    ("app", "asgi_module"): "`asgi:application` beside the settings module",
    ("build", "base_image"): "`python:VERSION-slim` with `slipway:app.python`",
    ("build", "ca_bundle"): "the file that `SSL_CERT_FILE` names, if that is set: it belongs to the machine",
    ("kubernetes", "namespace"): "`NAME-STACK` with `slipway:app.name` and the name of the stack",
    ("kubernetes", "registry"): "what `SLIPWAY_REGISTRY` says, if that is set: it belongs to the machine",
}
"""What follows from another value, in words; components/settings.py derives it."""
