"""What a failed update leaves to read: the last words of the containers that are not well, and what the error means."""

from typing import Any

from pipeline import hostcheck
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine, Result
from pipeline.explain import explain

LAST_LINES = 20


def unwell(attributes: dict[str, Any]) -> str | None:
    """Say what is wrong with a container; None when nothing is."""
    now = attributes["State"]
    health = now.get("Health") or {}
    if now["Status"] == "running":
        if health.get("Status") == "unhealthy":
            return "is unhealthy"
        return "is not healthy yet" if health.get("FailingStreak") and health.get("Status") == "starting" else None
    if now["Status"] == "restarting":
        return "restarts again and again"
    return f"ended with exit code {now['ExitCode']}" if now["ExitCode"] else None


def last_words(engine: Engine, project: str, said: str = "") -> None:
    """Print the end of the log of every container of the stack that is not well, unless that was said already."""
    labels = [f"slipway.project={project}", f"slipway.stack={engine.stack}"]
    with hostcheck.daemon(engine.environ) as client:
        for container in client.containers.list(all=True, filters={"label": labels}):
            what = unwell(container.attrs)
            if what is None:
                continue
            text = container.logs(tail=LAST_LINES).decode(errors="replace").rstrip()
            if text and text.splitlines()[-1].strip() in said:
                continue
            engine.console.say(f"    {container.labels.get('slipway.component')} ({container.name}) {what}; it said:")
            checks = (container.attrs["State"].get("Health") or {}).get("Log") or []
            if checks:
                text += f"\nits last health check said: {checks[-1].get('Output', '').strip()}"
            for line in text.splitlines():
                engine.console.say(f"      {line}")


def command(engine: Engine, outcome: Result, name: str) -> PipelineError:
    """Make the error of a long command that failed, after everything that it said was printed."""
    known = explain(outcome.text, engine)
    if known is not None:
        return known
    log = engine.log_of(name).relative_to(engine.root)
    what = "the update" if name == "up" else f"pulumi {name}"
    stays = "; what served before goes on serving" if name == "up" else ""
    return problem(
        f"{what} of stack {engine.stack} failed{stays} (the reason is above)",
        mend=f"mend the reason and run the same command again; everything that Pulumi said is in {log}",
    )


def update(engine: Engine, outcome: Result, project: str) -> PipelineError:
    """Make the error of an update that failed, and print what its containers said."""
    try:
        last_words(engine, project, outcome.text)
    except PipelineError as error:  # the daemon went away: that is what is wrong
        return error
    return command(engine, outcome, "up")
