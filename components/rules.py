"""Rules between settings: what one value asks of another, and what a target cannot follow.

Each rule gives problems and changes nothing. What one value may be by itself is in its type (``components/model.py``).
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import assets, edge_rules, environment, service_rules, source, storage, template
from components.health import ranges
from components.keys import KEYS, NAME, Path_, key_at
from components.model import (
    NOT_SERVED,
    App,
    Assets,
    Check,
    Edge,
    Expose,
    Health,
    Kind,
    Kubernetes,
    Media,
    Postgres,
    PostgresProvider,
    Process,
    Promoted,
    RedisProvider,
    Review,
    Server,
    ServeStatic,
    Static,
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
    ("edge", "gateway"): Only(
        target=Target.DOCKER, instead="slipway:kubernetes.expose says how visitors reach the edge"
    ),
    ("review", "gateway"): Only(
        target=Target.DOCKER,
        instead="nothing: the controller of the Ingress is what all environments are reached through",
    ),
    ("kubernetes",): Only(target=Target.KUBERNETES, instead="nothing below this key"),
    ("services", NAME, "size_gb"): Only(
        target=Target.KUBERNETES, instead="nothing, since a volume of Docker takes what its disk has"
    ),
    ("volumes", NAME, "size_gb"): Only(
        target=Target.KUBERNETES, instead="nothing: a volume is as large as the disk of the host"
    ),
    ("postgres", "provider"): Only(
        target=Target.KUBERNETES,
        instead=f"one of {PostgresProvider.SLIPWAY}, {PostgresProvider.EXTERNAL}",
        value=PostgresProvider.CLOUDNATIVE_PG,
    ),
}
"""What is refused where a stack's file says it for another target. Everything else means the same on all of them."""


def applies(path: Path_, target: Target) -> bool:
    """Whether a target has a setting."""
    ways = (only for other, only in ONLY_ON.items() if _is_below(path, other))
    return all(only.target is target or only.value is not None for only in ways)


def only_on(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find what a stack's file says for another target than its own."""
    target = resolved.parts.get("target")
    for path, only in ONLY_ON.items():
        said = [each for each, source in resolved.sources.items() if source == FILE and _is_below(each, path)]
        meant = only.value is None or at(resolved.values, path) == only.value
        if not isinstance(target, Target) or target is only.target or not meant:
            continue
        for found in dict.fromkeys(each[: len(path)] for each in said):
            yield Problem(
                key=full_key(found),
                found=f"{show(only.value)}, which is for target {only.target}"
                if only.value
                else f"a setting for target {only.target}",
                allowed=f"with target {target}: {only.instead}",
                mend=config_rm(found, stack),
            )


def instead(resolved: Resolved, stack: str) -> Iterator[Problem]:
    """Find a port of a stack that is reached through a gateway: it publishes none."""
    if at(resolved.values, ("edge", "gateway")) is None:
        return
    for name in ("address", "port"):
        path: Path_ = ("edge", name)
        if resolved.sources.get(path) == FILE:
            yield Problem(
                key=full_key(path),
                found=show(at(resolved.values, path)),
                allowed="nothing, since slipway:edge.gateway says how the stack is reached",
                mend=config_rm(path, stack),
            )


def seeds(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find that a review environment would start with more than one kind of data."""
    review = parts.get("review")
    if not isinstance(review, Review):
        return
    said = [name for name, value in review.seed.model_dump().items() if value is not None]
    for name in said[1:]:
        path: Path_ = ("review", "seed", name)
        yield Problem(
            key=full_key(path),
            found=show(getattr(review.seed, name)),
            allowed=f"nothing, since {full_key(('review', 'seed', said[0]))} says what data there is",
            mend=config_rm(path, stack),
        )


def _is_below(path: Path_, other: Path_) -> bool:
    """Whether a path is another one or below it, where NAME in that stands for any name."""
    return len(path) >= len(other) and all(want in {NAME, part} for part, want in zip(path, other, strict=False))


def _required(path: Path_, why: str, stack: str) -> Problem:
    """Say that a value is needed, since another one is what it is."""
    key = key_at(path)
    if key is None:
        raise AssertionError("a key of the model")
    return Problem(
        key=full_key(path), found="nothing", allowed=f"{key.allowed}; {why}", mend=config_set(path, key.example, stack)
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


def _ours(parts: Mapping[str, Any]) -> set[str]:
    """Name the variables that Slipway sets in a stack: none for a store that it does not have."""
    absent = {
        variable
        for group, variable, none in (
            ("postgres", "DATABASE_URL", PostgresProvider.NONE),
            ("redis", "REDIS_URL", RedisProvider.NONE),
        )
        if group in parts and parts[group].provider is none
    }
    return {name for name in OURS if name.removesuffix("_FILE") not in absent}


def _variables(app: App, ours: set[str], stack: str) -> Iterator[Problem]:
    """Find variables that are not the project's to set."""
    for name in sorted(ours & set(app.environment)):
        path: Path_ = ("app", "environment", name)
        if name not in SECRET_VARIABLES:
            found, allowed = "a variable that Slipway sets itself", f"any name but {', '.join(sorted(ours))}"
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


def _rendered(app: App, kept: Sequence[str], stack: str) -> Iterator[Problem]:
    """Find rendered files that would lie on what is there already, or that nobody could link."""
    ours = {environment.SECRET_KEY, environment.DATABASE_URL, environment.REDIS_URL, environment.EXPORTED}
    for name in app.files:
        folder, _, file = name.rpartition("/")
        inside = folder == environment.SECRETS_DIR
        around = [other for other in (*app.files, *kept) if name.startswith(f"{other}/")]
        if inside and (file in ours or file in environment.value_files(app) or file.startswith("..")):
            found = "a file that Slipway or the platform writes itself"
            allowed = f"another name in {environment.SECRETS_DIR}"
        elif name == environment.SECRETS_DIR or (name.startswith(f"{environment.SECRETS_DIR}/") and not inside):
            found = "a folder of the secret files"
            allowed = f"a file right in {environment.SECRETS_DIR}, or elsewhere"
        elif around:
            found, allowed = (
                f"a path below {around[0]}",
                "a path that no other file, no uploads and no volume are above",
            )
        elif app.dockerfile is not None and name in environment.links(app):
            found = "a path that an image of Slipway's would link"
            allowed = f"with slipway:app.dockerfile: a path in {environment.SECRETS_DIR}, which the Dockerfile links"
        else:
            continue
        path: Path_ = ("app", "files", name)
        yield Problem(key=full_key(path), found=found, allowed=allowed, mend=config_rm(path, stack))


def _places(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find places for files that are inside one another, and the one that is missing."""
    static = parts.get("static")
    if isinstance(static, Static) and static.serve is ServeStatic.VOLUME and static.root is None:
        yield _required(("static", "root"), "slipway:static.serve is volume", stack)
    before: list[tuple[Path_, str]] = []
    for path, place in storage.paths_of(parts):
        for other, taken in before:
            if f"{place}/".startswith(f"{taken}/") or f"{taken}/".startswith(f"{place}/"):
                yield Problem(
                    key=full_key(path),
                    found=f"{show(place)}, which shares files with {full_key(other)} ({taken})",
                    allowed="a path that is in no other of them, and that no other of them is in",
                    mend=config_set(path, f"/srv/{path[1] if path[0] == 'volumes' else path[0]}-files", stack),
                )
                break
        before.append((path, place))


def _members(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find volumes of processes that are not there."""
    if not {"volumes", "processes"} <= set(parts):
        return
    known = [storage.WEB, *parts["processes"]]
    for name, volume in parts["volumes"].items():
        for each in volume.processes:
            if each not in known:
                path: Path_ = ("volumes", name, "processes")
                yield Problem(
                    key=full_key(path),
                    found=f"{show(each)}, which is no process",
                    allowed=f"of {', '.join(known)}; nothing for all",
                    mend=config_set(
                        path, " ".join(other for other in volume.processes if other in known) or storage.WEB, stack
                    ),
                )


def _addresses(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find addresses that mean two things, and redirects that lead nowhere."""
    edge = parts.get("edge")
    if not isinstance(edge, Edge):
        return
    seen: dict[str, Path_] = {}
    app, said = parts.get("app"), parts.get("health")
    free = edge_rules.open_path(edge, app, said) if isinstance(app, App) and isinstance(said, Health) else None
    for path, match in edge_rules.taken(edge, parts.get("static"), parts.get("media"), free):
        if match in seen:
            other = seen[match]
            yield Problem(
                key=full_key(path),
                found=f"{match.removeprefix('= ')}, which is " + (f"{full_key(other)} too" if other else "the app's"),
                allowed="each address once",
                mend=config_rm(path, stack),
            )
        seen.setdefault(match, path)
    yield from _routes(edge, parts.get("processes"), stack)
    for origin, said in edge.redirects.items():
        wrong = _redirect(origin, said, [parts.get("domain", ""), *edge.hosts])
        if wrong is not None:
            path = ("edge", "redirects", origin)
            yield Problem(key=full_key(path), found=wrong[0], allowed=wrong[1], mend=config_rm(path, stack))


def _routes(edge: Edge, processes: Mapping[str, Process] | None, stack: str) -> Iterator[Problem]:
    """Find routes to processes that are not there, or do not listen."""
    if processes is None:
        return
    for route, name in edge.routes.items():
        path: Path_ = ("edge", "routes", route)
        if name not in processes:
            allowed = (
                f"one of {', '.join(processes)}" if processes else "names of slipway:processes, where there is none"
            )
            mend = config_set(path, next(iter(processes)), stack) if processes else config_rm(path, stack)
            yield Problem(key=full_key(path), found=f"{show(name)}, which is no process", allowed=allowed, mend=mend)
        elif processes[name].port is None:
            yield _required(("processes", name, "port"), f"{full_key(path)} sends it requests", stack)


def _redirect(source: str, said: str, names: Sequence[str]) -> tuple[str, str] | None:
    """Say what is wrong with a redirect, and what is allowed; None if nothing is."""
    _, target = edge_rules.redirect(said)
    host = not source.startswith("/")
    if host and source in names:
        return "a host name of the site itself", "other host names than slipway:domain and slipway:edge.hosts"
    if host and target.startswith("/"):
        return (
            f"{show(target)} for a host name",
            "for a host name: an address with its host, such as https://shop.example.org",
        )
    if target.endswith("*") and not host and not source.endswith("/*"):
        return f"{show(target)} for one path alone", "a * in the target only where the path ends with /*"
    if (
        target in {source, f"{source}*"}
        or target.startswith((f"https://{source}/", f"http://{source}/"))
        or (source.endswith("*") and target.startswith(source[:-1]))
    ):
        return f"{show(target)}, which leads to itself", "another address"
    return None


def _served(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find uploads that would be served, but for an address."""
    media = parts.get("media")
    if isinstance(media, Media) and media.internal and media.url == NOT_SERVED:
        yield Problem(
            key=full_key(("media", "url")),
            found=show(media.url),
            allowed="an address, since slipway:media.internal is true: `X-Accel-Redirect` names it",
            mend=config_set(("media", "url"), "/media/", stack),
        )


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
        if process.schedule is not None and process.port is not None:
            path = (*above, "port")
            yield Problem(
                key=full_key(path),
                found=show(process.port),
                allowed=f"nothing, since it does not run all the time ({full_key((*above, 'schedule'))})",
                mend=config_rm(path, stack),
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


def _ref(app: App, stack: str) -> Iterator[Problem]:
    """Find a commit that is asked of a folder."""
    if app.ref is not None and not source.is_remote(app.source):
        path: Path_ = ("app", "ref")
        yield Problem(
            key=full_key(path),
            found=f"{show(app.ref)}, and slipway:app.source is a folder of this machine",
            allowed="nothing: what is in a folder is deployed as it is; or the address of a git repository as source",
            mend=config_rm(path, stack),
        )


def _promoted(said: Promoted, target: object, stack: str) -> Iterator[Problem]:
    """Find an image without the name of its release, and one that a cluster cannot pull."""
    path: Path_ = ("promoted", "image")
    if said.image is None:
        for name in ("release", "stack"):
            if getattr(said, name) is not None:
                yield Problem(
                    key=full_key(("promoted", name)),
                    found=show(getattr(said, name)),
                    allowed="nothing without slipway:promoted.image, which `python -m pipeline promote` writes with it",
                    mend=config_rm(("promoted",), stack),
                )
        return
    if said.release is None:
        yield Problem(
            key=full_key(("promoted", "release")),
            found="nothing",
            allowed="the release that slipway:promoted.image is; `python -m pipeline promote` writes both",
            mend=config_rm(("promoted",), stack),
        )
    if target is Target.KUBERNETES and "@" not in said.image:
        yield Problem(
            key=full_key(path),
            found=f"{show(said.image)}, an image of one Docker host",
            allowed="an image in a registry that the cluster pulls from, as NAME@sha256:DIGEST",
            mend=f"python -m pipeline promote {said.stack or 'STACK'} {stack} --registry registry.example.org/team",
        )


def _assets(said: Assets, app: object, stack: str) -> Iterator[Problem]:
    """Find what the assets lack, and what nothing could be made with."""
    if said.directory is None:
        given = [name for name in ("image", "install", "build", "inputs", "outputs") if getattr(said, name)]
        if given:
            yield _required(("assets", "directory"), f"slipway:assets.{given[0]} is about what is made there", stack)
        return
    if isinstance(app, App) and app.dockerfile is not None:
        yield Problem(
            key=full_key(("assets", "directory")),
            found="a folder, with slipway:app.dockerfile",
            allowed="nothing: a Dockerfile of the project's own makes its assets itself",
            mend=config_rm(("assets",), stack),
        )
    if not said.outputs:
        yield _required(("assets", "outputs"), "nothing else of what is made gets into the image", stack)
    elif "." in assets.outputs(said):
        path: Path_ = ("assets", "outputs")
        yield Problem(
            key=full_key(path),
            found='".", which is the whole project',
            allowed=KEYS[path].allowed,
            mend=config_set(path, posixpath.normpath(f"{said.directory}/dist"), stack),
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
            *_variables(parts["app"], _ours(parts), stack),
            *_templates(parts["app"], stack),
            *_rendered(parts["app"], [path for _, path in storage.paths_of(parts)], stack),
            *_ref(parts["app"], stack),
        ]
    if isinstance(parts.get("assets"), Assets):
        problems += _assets(parts["assets"], parts.get("app"), stack)
    if isinstance(parts.get("promoted"), Promoted):
        problems += _promoted(parts["promoted"], parts.get("target"), stack)
    problems += service_rules.between(parts, stack)
    problems += seeds(parts, stack)
    problems += [*_places(parts, stack), *_members(parts, stack), *_served(parts, stack), *_addresses(parts, stack)]
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
