"""The row of this target in the table of ``components/deployment.py``."""

from components import target
from components.kubernetes import (
    app_image,
    collected_static,
    edge,
    managed_postgres,
    migration,
    namespace,
    ownership,
    postgres,
    process,
    pulled_image,
    redis,
    secret_files,
    service,
    static_files,
    storage,
    switch,
    web,
)

ROW = target.Target(
    networks=namespace.Namespace,
    storage=storage.Storage,
    # nginx gets its configuration from its own component; nobody writes it later.
    configuration=None,
    secret_files=secret_files.SecretFiles,
    app_image=app_image.AppImage,
    pulled_image=pulled_image.PulledImage,
    postgres=postgres.Postgres,
    managed_postgres=managed_postgres.ManagedPostgres,
    redis=redis.Redis,
    service=service.Service,
    migration=migration.Migration,
    static_files=static_files.StaticFiles,
    collected_static=collected_static.CollectedStatic,
    web=web.Web,
    process=process.Process,
    edge=edge.Edge,
    switch=switch.Switch,
    # A step that failed is made again by the plugin.
    attempts=dict,
    service_host=service.host,
    check=ownership.check,
)
"""The components of the Kubernetes target."""
