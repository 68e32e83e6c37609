"""What a failed update leaves to read on a Docker host: the last words of the containers that are not well."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.labels import COMPONENT, process_name
from components.model import Settings
from components.services import name_of
from pipeline import adjusting, servers
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine
from pipeline.explain import explain
from pipeline.host.check import daemon

LAST_LINES = 20

_WAITED = re.compile("failed to be in healthy state")
"""What the docker plugin says when a container did not get well."""


@dataclass(frozen=True)
class Unwell:
    """A container that is not well."""

    component: str
    """What it belongs to."""
    name: str
    """Its name."""
    what: str
    """What is wrong with it."""
    created: str
    """When it was made, in the words of Docker, which sort by time."""
    log: str = ""
    """The end of what it said."""


def unwell(attributes: dict[str, Any]) -> str | None:
    """Say what is wrong with a container; None when nothing is."""
    now = attributes["State"]
    health = now.get("Health") or {}
    if now["Status"] == "running":
        if health.get("Status") == "unhealthy":
            return "is unhealthy"
        if health.get("Status") == "starting" and attributes.get("RestartCount"):
            return f"was started again {attributes['RestartCount']} times, since it does not stay up"
        return "is not healthy yet" if health.get("FailingStreak") and health.get("Status") == "starting" else None
    if now["Status"] == "restarting":
        return "restarts again and again"
    return f"ended with exit code {now['ExitCode']}" if now["ExitCode"] else None


def last_words(engine: Engine, project: str, said: str = "") -> list[Unwell]:
    """Print the end of the log of every container of the stack that is not well, unless that was said already."""
    found = []
    labels = [f"slipway.project={project}", f"slipway.stack={engine.stack}"]
    with daemon(engine.environ) as client:
        for container in client.containers.list(all=True, filters={"label": labels}, ignore_removed=True):
            what = unwell(container.attrs)
            if what is None:
                continue
            component = str(container.labels.get(COMPONENT))
            text = container.logs(tail=LAST_LINES).decode(errors="replace").rstrip()
            found.append(Unwell(component, str(container.name), what, str(container.attrs["Created"]), text))
            if text and text.splitlines()[-1].strip() in said:
                continue
            engine.console.say(f"    {component} ({container.name}) {what}; it said:")
            checks = (container.attrs["State"].get("Health") or {}).get("Log") or []
            if checks:
                text += f"\nits last health check said: {checks[-1].get('Output', '').strip()}"
            for line in text.splitlines():
                engine.console.say(f"      {line}")
    return found


def not_ready(found: Sequence[Unwell], engine: Engine) -> PipelineError | None:
    """Make the error about the newest process or service that is not well; None where it was something else."""
    ours = [
        each
        for each in found
        if each.component == "web" or any(of(each.component) is not None for of in (process_name, name_of))
    ]
    if not ours:
        return None
    last = max(ours, key=lambda each: each.created)
    service = name_of(last.component)
    if service is not None:
        return PipelineError(servers.problem_of(service, last.what, last.log, engine.stack))
    checked = "healthy" in last.what
    mends = (adjusting.not_well if checked else adjusting.not_up)(last.component, engine.stack)
    return problem(
        f"{last.component} ({last.name}) {last.what}; what served before goes on serving (what it said is above)",
        mend="\n".join([f"docker logs --tail 50 {last.name}", *mends]),
    )


def reasons(engine: Engine, settings: Settings, said: str) -> PipelineError | None:
    """Print what the containers said, and make the error of it, or of the daemon's silence."""
    try:
        found = last_words(engine, settings.app.name, said)
    except PipelineError as error:  # the daemon went away: that is what is wrong
        return error
    return explain(said, engine) or (not_ready(found, engine) if _WAITED.search(said) else None)
