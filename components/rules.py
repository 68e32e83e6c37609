"""Rules between settings: what one value asks of another, and what a target cannot follow.

Each rule gives problems and changes nothing. What one value may be by itself is in its type (``components/model.py``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components import environment, template
from components.health import ranges
from components.keys import KEYS, Path_
from components.model import (
    App,
    Check,
    Expose,
    Health,
    Kind,
    Kubernetes,
    Postgres,
    PostgresProvider,
    Process,
    Server,
    Target,
    TlsFrom,
    Web,
)
from components.problems import Problem, config_rm, config_set, full_key, show
from components.resolved import FILE, REGISTRY_VARIABLE, Resolved, at


@dataclass(frozen=True, kw_only=True)
class Only:
    """A setting that one target alone can follow."""

    target: Target
    """The target."""
    instead: str
    """What there is on other targets, in words."""
    value: str | None = None
    """The value that it is about; None for all."""


ONLY_ON: Mapping[Path_, Only] = {
    ("edge", "address"): Only(
        target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"
    ),
    ("edge", "port"): Only(target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"),
    ("kubernetes",): Only(target=Target.KUBERNETES, instead="nothing below this key"),
    ("postgres", "provider"): Only(
        target=Target.KUBERNETES,
        instead=f"one of {PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}",
        value=PostgresProvider.CLOUDNATIVE_PG,
    ),
}
"""What is refused where a stack's file says it for another target. Everything else means the same on all of them."""


def applies(path: Path_, target: Target) -> bool:
    """Whether a target has a setting."""
    ways = (ONLY_ON.get(path[:end]) for end in range(1, len(path) + 1))
    return all(only.target is target or only.value is not None for only in ways if only is not None)


def only_on(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find what a stack's file says for another target than its own."""
    target = resolved.parts.get("target")
    for path, only in ONLY_ON.items():
        said = [each for each, source in resolved.sources.items() if source == FILE and each[: len(path)] == path]
        meant = only.value is None or at(resolved.values, path) == only.value
        if isinstance(target, Target) and target is not only.target and said and meant:
            yield Problem(
                key=full_key(path),
                found=f"{show(only.value)}, which is for target {only.target}"
                if only.value
                else f"a setting for target {only.target}",
                allowed=f"with target {target}: {only.instead}",
                mend=config_rm(path, stack),
            )


def _required(path: Path_, why: str, stack: str) -> Problem:
    """Say that a value is needed, since another one is what it is."""
    key = KEYS[path]
    return Problem(
        key=key.name, found="nothing", allowed=f"{key.allowed}; {why}", mend=config_set(path, key.example, stack)
    )


def of_cluster(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong between the settings of a cluster."""
    cluster = parts.get("kubernetes")
    if not isinstance(cluster, Kubernetes) or parts.get("target") is not Target.KUBERNETES:
        return
    if cluster.registry is None:
        why = f"the cluster pulls the app's image from it ({REGISTRY_VARIABLE} in the environment says it too)"
        yield _required(("kubernetes", "registry"), why, stack)
    if cluster.expose is Expose.GATEWAY and cluster.gateway is None:
        yield _required(("kubernetes", "gateway"), "slipway:kubernetes.expose is gateway", stack)
    if cluster.tls is TlsFrom.CERT_MANAGER and cluster.issuer is None:
        yield _required(("kubernetes", "issuer"), "slipway:kubernetes.tls is cert_manager", stack)
    if cluster.tls is not TlsFrom.NONE and cluster.expose not in {Expose.INGRESS, Expose.GATEWAY}:
        yield Problem(
            key=full_key(("kubernetes", "tls")),
            found=show(cluster.tls),
            allowed=f"none, since TLS ends in an Ingress or a Gateway and slipway:kubernetes.expose is {cluster.expose}",
            mend=config_set(("kubernetes", "expose"), Expose.INGRESS, stack),
        )
    scale = cluster.autoscale
    if scale.min > scale.max:
        path = ("kubernetes", "autoscale", "max")
        yield Problem(
            key=full_key(path),
            found=show(scale.max),
            allowed=f"at least slipway:kubernetes.autoscale.min ({scale.min})",
            mend=config_set(path, scale.min, stack),
        )
    postgres = parts.get("postgres")
    if cluster.instances > 1 and isinstance(postgres, Postgres) and postgres.provider is PostgresProvider.SLIPWAY:
        yield Problem(
            key=full_key(("kubernetes", "instances")),
            found=show(cluster.instances),
            allowed="1, unless slipway:postgres.provider is cloudnative-pg",
            mend=config_set(("postgres", "provider"), PostgresProvider.CLOUDNATIVE_PG, stack),
        )


_LEAST_MEMORY = {"web": 128, "postgres": 128, "redis": 32, "edge": 32}
"""MiB below which the process does not start reliably."""

OURS = frozenset(
    {
        "DJANGO_SETTINGS_MODULE",
        "SLIPWAY_RELEASE",
        *(name + end for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL") for end in ("", "_FILE")),
    }
)
"""Environment variables that Slipway sets."""


SECRET_VARIABLES = frozenset({"SECRET_KEY", "DATABASE_URL", "REDIS_URL"})
"""Those of them that a project may read from its environment, if what they say is a secret there too."""


def _variables(app: App, stack: str) -> Iterator[Problem]:
    """Find variables that are not the project's to set."""
    for name in sorted(OURS & set(app.environment)):
        path: Path_ = ("app", "environment", name)
        if name not in SECRET_VARIABLES:
            found, allowed = "a variable that Slipway sets itself", f"any name but {', '.join(sorted(OURS))}"
        elif template.is_plain(app.environment[name]):
            found = "a value in clear (not shown)"
            allowed = f"a value that names a secret, such as {_USUAL[name]}"
        else:
            continue
        yield Problem(key=full_key(path), found=found, allowed=allowed, mend=config_rm(path, stack))


_USUAL = {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}", "REDIS_URL": "${redis.url}"}


def _templates(app: App, stack: str) -> Iterator[Problem]:
    """Find names that mean nothing, and values that nobody could hand to the process."""
    for group, texts in (("environment", app.environment), ("files", app.files)):
        for name, text in texts.items():
            path: Path_ = ("app", group, name)
            for each in template.references(text):
                if not template.is_known(each):
                    yield _unknown_name(path, each, text, stack)
    if app.dockerfile is not None and environment.exported(app):
        path = ("app", "environment", environment.exported(app)[0])
        yield Problem(
            key=full_key(path),
            found="a value that names a secret, which the command of a Dockerfile of the project's own cannot get",
            allowed="with slipway:app.dockerfile: the path of a file, such as ${database.url.file}",
            mend=config_rm(path, stack),
        )


def _unknown_name(path: Path_, name: str, text: str, stack: str) -> Problem:
    near = template.meant(name)
    shown = name if name.startswith("${") else f"${{{name}}}"
    return Problem(
        key=full_key(path),
        found=f"{show(shown)}, which " + ("has no }" if name.startswith("${") else "means nothing"),
        allowed=(f"probably ${{{near}}}; " if near else "")
        + f"one of {', '.join(template.names())}, with {template.PATH} after it for the path of a file, "
        f"{template.QUOTED} for a quoted text; "
        "$${ for a ${ that is meant as it is",
        mend=config_set(path, text.replace(shown, f"${{{near}}}"), stack)
        if near and path[1] == "environment"
        else f"correct it in stacks/Pulumi.{stack}.yaml",
    )


def _rendered(app: App, stack: str) -> Iterator[Problem]:
    """Find rendered files that would lie on what is there already, or that nobody could link."""
    ours = {environment.SECRET_KEY, environment.DATABASE_URL, environment.REDIS_URL, environment.EXPORTED}
    for name in app.files:
        folder, _, file = name.rpartition("/")
        inside = folder == environment.SECRETS_DIR
        around = [other for other in (*app.files, app.media_root) if name.startswith(f"{other}/")]
        if inside and (file in ours or file in environment.value_files(app) or file.startswith("..")):
            found = "a file that Slipway or the platform writes itself"
            allowed = f"another name in {environment.SECRETS_DIR}"
        elif name == environment.SECRETS_DIR or (name.startswith(f"{environment.SECRETS_DIR}/") and not inside):
            found = "a folder of the secret files"
            allowed = f"a file right in {environment.SECRETS_DIR}, or elsewhere"
        elif around:
            found, allowed = f"a path below {around[0]}", "a path that no other file and no uploads are above"
        elif app.dockerfile is not None and name in environment.links(app):
            found = "a path that an image of Slipway's would link"
            allowed = f"with slipway:app.dockerfile: a path in {environment.SECRETS_DIR}, which the Dockerfile links"
        else:
            continue
        path: Path_ = ("app", "files", name)
        yield Problem(key=full_key(path), found=found, allowed=allowed, mend=config_rm(path, stack))


def _processes(processes: Mapping[str, Process], stack: str) -> Iterator[Problem]:
    """Find processes that there can be but one of, and which are said to be several, or cannot be asked."""
    for name, process in processes.items():
        above: Path_ = ("processes", name)
        alone = "schedule" if process.schedule is not None else "singleton"
        if process.replicas > 1 and (process.singleton or process.schedule is not None):
            path = (*above, "replicas")
            yield Problem(
                key=full_key(path),
                found=show(process.replicas),
                allowed=f"1, since {full_key((*above, alone))} lets there be one",
                mend=config_set(path, 1, stack),
            )
        if process.schedule is not None and process.health_command is not None:
            path = (*above, "health_command")
            yield Problem(
                key=full_key(path),
                found="a command",
                allowed=f"nothing, since it does not run all the time ({full_key((*above, 'schedule'))})",
                mend=config_rm(path, stack),
            )


def _health(health: Health, stack: str) -> Iterator[Problem]:
    """Find a check without what it asks, and what another check would ask."""
    if health.check is Check.COMMAND and health.command is None:
        yield _required(("health", "command"), "slipway:health.check is command", stack)
    for name, check in (("command", Check.COMMAND), ("startup_path", Check.PAGE)):
        if getattr(health, name) is not None and health.check is not check:
            path: Path_ = ("health", name)
            yield Problem(
                key=full_key(path),
                found=show(getattr(health, name)),
                allowed=f"nothing, unless slipway:health.check is {check}",
                mend=config_set(("health", "check"), check, stack),
            )
    for first, last in ranges(health.status):
        if first > last:
            path = ("health", "status")
            yield Problem(
                key=full_key(path),
                found=f"{first}-{last}, a range that ends before it begins",
                allowed=KEYS[path].allowed,
                mend=config_set(path, f"{last}-{first}", stack),
            )


def _web(web: Web, stack: str) -> Iterator[Problem]:
    """Find what does not go together in what serves the app."""
    gunicorn = web.server in {Server.GUNICORN, Server.GUNICORN_ASGI}
    if web.worker_class is not None and (not gunicorn or web.command is not None):
        path: Path_ = ("web", "worker_class")
        why = "slipway:web.command says what runs" if web.command is not None else f"{web.server} has no such classes"
        yield Problem(
            key=full_key(path),
            found=show(web.worker_class),
            allowed=f"nothing, since {why}",
            mend=config_rm(path, stack),
        )


def between(parts: Mapping[str, Any], stack: str) -> list[Problem]:
    """Find what is wrong between values that are right each by itself."""
    problems = []
    for name, least in _LEAST_MEMORY.items():
        if name in parts and parts[name].resources.memory_mb < least:
            path: Path_ = (name, "resources", "memory_mb")
            problems.append(
                Problem(
                    key=full_key(path),
                    found=show(parts[name].resources.memory_mb),
                    allowed=f"at least {least}, below which {name} does not start",
                    mend=config_set(path, least, stack),
                )
            )
    if "processes" in parts:
        problems += _processes(parts["processes"], stack)
    if "health" in parts:
        problems += _health(parts["health"], stack)
    if "web" in parts:
        problems += _web(parts["web"], stack)
    if isinstance(parts.get("app"), App):
        problems += [
            *_variables(parts["app"], stack),
            *_templates(parts["app"], stack),
            *_rendered(parts["app"], stack),
        ]
    if (
        parts.get("environment") is Kind.PROD
        and {"web", "edge"} <= set(parts)
        and parts["web"].stop_grace_seconds < parts["edge"].timeout_seconds
    ):
        path = ("web", "stop_grace_seconds")
        problems.append(
            Problem(
                key=full_key(path),
                found=show(parts["web"].stop_grace_seconds),
                allowed=f"in prod at least slipway:edge.timeout_seconds ({parts['edge'].timeout_seconds}), "
                "or a release cuts requests that the edge still waits for",
                mend=config_set(path, parts["edge"].timeout_seconds, stack),
            )
        )
    return problems
