"""What a failed command of Pulumi means: the reason that the platform gives, or the one that Pulumi's words give."""

from components.model import Settings
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine, Result
from pipeline.explain import explain
from pipeline.target import Target


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


def update(engine: Engine, outcome: Result, target: Target, settings: Settings) -> PipelineError:
    """Make the error of an update that failed, and print what its platform tells."""
    return target.reasons(engine, settings, outcome.text) or command(engine, outcome, "up")
