"""What a failed update leaves to read on a Docker host: the last words of the containers that are not well."""

from typing import Any

from components.model import Settings
from components.services import name_of
from pipeline import servers
from pipeline.console import PipelineError, Problem
from pipeline.engine import Engine
from pipeline.explain import explain
from pipeline.host.check import daemon

LAST_LINES = 20


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


def last_words(engine: Engine, project: str, said: str = "") -> list[Problem]:
    """Print the end of the log of every container of the stack that is not well, unless that was said already.

    Gives what to do about services beside the app: their settings are all that there is to change.
    """
    found: list[Problem] = []
    labels = [f"slipway.project={project}", f"slipway.stack={engine.stack}"]
    with daemon(engine.environ) as client:
        for container in client.containers.list(all=True, filters={"label": labels}):
            what = unwell(container.attrs)
            if what is None:
                continue
            text = container.logs(tail=LAST_LINES).decode(errors="replace").rstrip()
            component = str(container.labels.get("slipway.component"))
            if (service := name_of(component)) is not None and container.attrs["State"]["Status"] != "exited":
                found.append(servers.problem_of(service, what, text, engine.stack))
            if text and text.splitlines()[-1].strip() in said:
                continue
            engine.console.say(f"    {component} ({container.name}) {what}; it said:")
            checks = (container.attrs["State"].get("Health") or {}).get("Log") or []
            if checks:
                text += f"\nits last health check said: {checks[-1].get('Output', '').strip()}"
            for line in text.splitlines():
                engine.console.say(f"      {line}")
    return found


def reasons(engine: Engine, settings: Settings, said: str) -> PipelineError | None:
    """Print what the containers said; the daemon's silence is the reason where there is any."""
    try:
        found = last_words(engine, settings.app.name, said)
    except PipelineError as error:  # the daemon went away: that is what is wrong
        return error
    return PipelineError(*found) if found and explain(said, engine) is None else None
