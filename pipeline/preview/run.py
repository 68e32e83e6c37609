"""Running ``pulumi preview`` for a program to read: its events, and what it failed for."""

from dataclasses import replace

from pipeline.console import PipelineError, problem
from pipeline.engine import Engine, Result
from pipeline.explain import explain
from pipeline.preview.plan import EVENTS, Plan
from pipeline.readable import Readable

LIMIT_SECONDS = 900
"""The longest that a preview may take."""


def events(engine: Engine, *options: str) -> Result:
    """Run it, and give its events, one a line."""
    reader = replace(engine, environ={**engine.environ, **EVENTS})
    return reader.run("preview", "--json", "--stack", engine.stack, "--non-interactive", *options, limit=LIMIT_SECONDS)


def failure(engine: Engine, outcome: Result, plan: Plan) -> PipelineError | None:
    """Give the error of a preview; None where it came to a good end."""
    if not outcome.code and plan.finished:
        return None
    stops = sorted({each.policy for each in plan.violations if each.mandatory})
    if stops and not plan.errors:
        return problem(
            f"mandatory policies are violated: {', '.join(stops)}",
            mend="change what they name; no update starts before",
        )
    said = "\n".join(plan.errors) or "\n".join(
        line for line in outcome.text.splitlines() if not line.startswith('{"sequence"')
    )
    known = explain(said, engine)
    if known is not None:
        return known
    readable = [line for line in Readable().all(said) if line.strip() not in {"", "preview failed"}]
    return problem(
        "\n".join(readable) or f"pulumi preview --stack {engine.stack} ended with exit code {outcome.code}",
        mend="mend the reason and run the same command again",
    )
