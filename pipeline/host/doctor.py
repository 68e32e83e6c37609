"""What the doctor looks at on a Docker host: the daemon, the containers of the stack, and the page."""

from collections.abc import Iterator
from typing import Any

from components.model import Settings
from pipeline import settings
from pipeline.engine import Engine
from pipeline.host import check, page
from pipeline.target import BROKEN, OK, Finding


def platform(engine: Engine, _settings: Settings | None) -> Iterator[Finding]:
    """Look at the daemon and the room that it has."""
    with check.daemon(engine.environ) as client:
        version = client.version()
        yield Finding("docker", OK, f"{version['Version']} at {check.docker_host(engine.environ)}")
        problems = check.room(client, engine.root, engine.environ)
    for problem in problems:
        yield Finding("disk", BROKEN, problem.found, problem.mend)
    if not problems:
        yield Finding("disk", OK, f"more than {check.ROOM_MB} MB are free")


def running(engine: Engine, _settings: Settings | None) -> Iterator[Finding]:
    """Look at every container of the stack, also where its settings are broken."""
    project = (settings.said(engine.stack, engine.root).get("app") or {}).get("name")
    with check.daemon(engine.environ) as client:
        labels = [f"slipway.stack={engine.stack}", *([f"slipway.project={project}"] if project else [])]
        for container in client.containers.list(all=True, filters={"label": labels}, ignore_removed=True):
            component = str(container.labels.get("slipway.component", "container"))
            yield container_finding(str(container.name), container.attrs, component)


def container_finding(name: str, attributes: dict[str, Any], component: str) -> Finding:
    """Say how one container is."""
    now = attributes["State"]
    status, health = now["Status"], (now.get("Health") or {}).get("Status")
    if status == "running":
        fine = health in (None, "healthy", "starting")
        detail = f"{name} runs" + (f", {health}" if health else "")
    else:  # a task ends, and a container that only carries files is never started; a service does neither
        task = attributes["HostConfig"].get("RestartPolicy", {}).get("Name") in ("", "no", None)
        fine = task and status in ("exited", "created") and now["ExitCode"] == 0
        done = "has done its work" if status == "exited" else "holds its files"
        detail = f"{name} {done if fine else f'is {status}, exit code ' + str(now['ExitCode'])}"
    return Finding(component, OK if fine else BROKEN, detail, None if fine else f"docker logs --tail 50 {name}")


def served(engine: Engine, loaded: Settings) -> Iterator[Finding]:
    """Ask the page, or say whether its port is free."""
    answer = page.ask(loaded, timeout=5)
    gateway = loaded.edge.gateway
    where = f"{loaded.edge.address}:{loaded.edge.port}" if gateway is None else f"a name behind the gateway {gateway}:"
    if answer.served:
        yield Finding("page", OK, f"{answer.url} answers {answer.status} in {answer.seconds * 1000:.0f} ms")
        return
    with check.daemon(engine.environ) as client:
        taken = check.door(client, loaded, engine.stack, engine.environ)
    for problem in taken:
        yield Finding("port", BROKEN, problem.found, problem.mend)
    if answer.status is not None and not taken:
        yield Finding(
            "page", BROKEN, f"{answer.url} answers {answer.status}", "docker logs of the web containers above"
        )
    elif not taken:
        yield Finding("port", OK, f"{where} is free; nothing is served there", None)
