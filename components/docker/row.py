"""The row of this target in the table of ``components/deployment.py``."""

from components import docker, target
from components.docker import attempts, service

ROW = target.Target(
    networks=docker.Networks,
    storage=docker.Storage,
    configuration=docker.Storage,
    secret_files=docker.SecretFiles,
    app_image=docker.AppImage,
    pulled_image=docker.PulledImage,
    postgres=docker.Postgres,
    managed_postgres=None,
    redis=docker.Redis,
    service=docker.Service,
    migration=docker.Migration,
    static_files=docker.StaticFiles,
    collected_static=docker.CollectedStatic,
    web=docker.Web,
    process=docker.Process,
    edge=docker.Edge,
    switch=docker.Switch,
    attempts=attempts.load,
    service_host=service.host,
    check=lambda _settings: None,
)
"""The components of the Docker target."""
