"""Mending what an interrupted update left: a stale lock, operations that never ended, containers nobody knows.

It removes only what the state of the stack names as half made. A lock whose process may still run is left alone.
"""

import json
import time
from typing import Any

from pipeline import failed
from pipeline.console import problem
from pipeline.engine import Engine, Lock
from pipeline.target import State, Target

WAIT_FOR_OTHER_SECONDS = 300


def release_stale_locks(engine: Engine, wait: float = WAIT_FOR_OTHER_SECONDS) -> bool:
    """Take away locks of processes that are gone; wait a while for an update that is running. True when one was stale."""
    limit = time.monotonic() + wait
    told = False
    while held := [lock for lock in engine.locks() if lock.held()]:
        if time.monotonic() > limit:
            raise problem(
                f"another update of stack {engine.stack} is running: {_who(held[0])}",
                mend=f"wait for it; if it is gone for good: pulumi cancel --yes {engine.stack}",
            )
        if not told:
            engine.console.say(f"    waits for another update of this stack: {_who(held[0])}")
            told = True
        time.sleep(0.5)
    stale = engine.locks()
    if stale:
        remove_cut_off(engine)
        engine.console.say(f"    takes away the lock of an update that was killed: {_who(stale[0])}")
        engine.must("cancel", "--yes", engine.stack)
    return bool(stale)


def remove_cut_off(engine: Engine) -> None:
    """Remove what a local backend notes beside the state if it was killed while it wrote that: nothing reads past it.

    The state itself is written in one piece. The ``.attrs`` file beside it is not, and nothing is lost without one.
    """
    folder = engine.backend_folder()
    if folder is None:
        return
    for path in (folder / ".pulumi").rglob("*.attrs"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            path.unlink()


def pending(state: State | None) -> list[dict[str, Any]]:
    """The operations that began and never ended."""
    return list((state or {}).get("pending_operations") or [])


def ended_badly(state: State | None) -> bool:
    """Whether the last update failed or was killed: something half made, never healthy or not yet deleted is left."""
    resources = (state or {}).get("resources") or []
    return bool(pending(state)) or any(each.get("delete") or each.get("initErrors") for each in resources)


def never_healthy(state: State | None) -> list[str]:
    """Name what was made and never got healthy, by its URN."""
    return [str(each["urn"]) for each in (state or {}).get("resources") or [] if each.get("initErrors")]


def look(engine: Engine, state: State, *options: str) -> None:
    """Let Pulumi look at what is really there, except for what never got healthy.

    A refresh would forget that, and the next update would take it for good and hand it the visitors.

    Raises:
        PipelineError: if Pulumi cannot look.
    """
    kept = [word for urn in never_healthy(state) for word in ("--exclude", urn)]
    outcome = engine.stream("refresh", "--yes", "--skip-preview", *options, "--suppress-outputs", *kept)
    if outcome.code:
        raise failed.command(engine, outcome, "refresh")


def mend(engine: Engine, state: State, target: Target) -> bool:
    """Remove what operations that never ended have made, and forget them. True when there was something to mend."""
    operations = pending(state)
    if not operations:
        return False
    engine.console.say(f"    mends {len(operations)} operation(s) of an update that was killed")
    target.remove_half_made(engine, state)
    look(engine, state, "--clear-pending-creates")
    return True


def _who(lock: Lock) -> str:
    return f"process {lock.pid} on {lock.host}, since {lock.since}"
