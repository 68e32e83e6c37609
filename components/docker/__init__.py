"""The Docker target: every component with the Args of ``components/args.py``, as containers on one Docker host."""

from components.docker.app_image import AppImage
from components.docker.collected_static import CollectedStatic
from components.docker.edge import Edge
from components.docker.migration import Migration
from components.docker.networks import Networks
from components.docker.postgres import Postgres
from components.docker.process import Process
from components.docker.pulled_image import PulledImage
from components.docker.redis import Redis
from components.docker.secret_files import SecretFiles
from components.docker.service import Service
from components.docker.static_files import StaticFiles
from components.docker.storage import Storage
from components.docker.switch import Switch
from components.docker.web import Web

__all__ = [
    "AppImage",
    "CollectedStatic",
    "Edge",
    "Migration",
    "Networks",
    "Postgres",
    "Process",
    "PulledImage",
    "Redis",
    "SecretFiles",
    "Service",
    "StaticFiles",
    "Storage",
    "Switch",
    "Web",
]
