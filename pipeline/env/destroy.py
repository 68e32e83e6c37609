"""``env destroy`` and ``env expire``: everything of an environment goes, and then it is proved that nothing is left.

Only stacks that ``env create`` has made are touched: their names begin with one word, and a tag in the backend says so.
The state goes last, so that a command that was interrupted is run again.
"""

from dataclasses import replace
from datetime import datetime

from pipeline import down, interrupted, stack, targets
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine
from pipeline.env import images, lifetime, lock, record, stackfile, trace
from pipeline.env import name as names
from pipeline.env.record import Record
from pipeline.target import State

LOCK = "env-expire"


def refuse_others(engine: Engine, state: State | None, found: Record | None) -> None:
    """Raise where a stack of this name is there and ``env create`` has not made it."""
    made = found is not None or not (state or {}).get("resources")
    by_hand = engine.stack_file.is_file() and found is None and not stackfile.is_ours(engine.stack_file)
    if made and not by_hand:
        return
    raise problem(
        f"stack {engine.stack} was not made by `env create`; nothing was changed",
        allowed="a name that is free, or one of `python -m pipeline env list`",
        mend=f"make down STACK={engine.stack}   # destroys that stack, if it may go\n"
        f"rm stacks/{engine.stack_file.name}    # and its file",
    )


def destroy(engine: Engine, wanted: str) -> bool:
    """Destroy an environment and all that belongs to it. False when there was none.

    Raises:
        PipelineError: if something of it is left, or is not its own.
    """
    console = engine.console
    with console.step("checks", f"Look at environment {wanted}"):
        stack.backend(engine)
        interrupted.release_stale_locks(engine)
        state = engine.exported()
        found = record.of(engine) if state is not None else None
        refuse_others(engine, state, found)
        if state is None:
            _forget(engine)
            return False
        down.refuse_protected(engine, state)
        stackfile.recover(engine, state)
        target = targets.of_state(engine, state)
        target.reach(engine, state)
    down.everything(engine, target, state)
    with console.step("tidy", "Remove its images, its state, its backups and its file"):
        tags = [*(found.images if found is not None else ()), *images.of(state)]
        stays = [*target.tidy(engine, without_images(state), False), *images.remove(engine, target, tags)]
        if found is not None:
            target.sweep(engine, state, found.project)
        engine.must("stack", "rm", engine.stack, "--yes", "--remove-backups")
        engine.stack_file.unlink(missing_ok=True)
        _forget(engine)
    with console.step("proof", "Look for what is left"):
        prove(engine, state, found)
    for each in dict.fromkeys(stays):
        console.say(f"Kept:   {each}")
    return True


def without_images(state: State) -> State:
    """Give a state without what builds images: those that others have stay, and are asked for apart."""
    return {
        **state,
        "resources": [each for each in state.get("resources") or [] if not images.of({"resources": [each]})],
    }


def prove(engine: Engine, state: State, found: Record | None) -> None:
    """Ask the platform and the backend for what carries the name of the environment, and raise for what they name."""
    left = targets.of_state(engine, state).left(engine, state, found.project) if found is not None else []
    if engine.stack in {each.stack for each in record.stacks(engine)}:
        left.append(f"stack {engine.stack} in the backend")
    folder = engine.backend_folder()
    if folder is not None:
        # Only here can a file be seen that Pulumi does not know any more.
        found_there = (folder / ".pulumi").rglob(f"{engine.stack}*")
        ours = [each for each in found_there if each.parent.name == engine.project and _is_of(each.name, engine.stack)]
        left += [f"{each.relative_to(folder)} in the backend" for each in ours]
    if engine.stack_file.exists():
        left.append(f"stacks/{engine.stack_file.name}")
    if left:
        raise problem(
            f"of {engine.stack}, this is left: {', '.join(left)}",
            allowed="nothing",
            mend=f"python -m pipeline env destroy {engine.stack.removeprefix(names.PREFIX)}   # again; or by hand",
        )
    engine.console.say(
        f"    nothing carries the name {engine.stack}: no container, network, volume, state, backup or file"
    )


def _is_of(file: str, stack: str) -> bool:
    """Whether a file of the backend belongs to this stack, and not to one whose name begins like its."""
    return file == stack or file.startswith(f"{stack}.")


def _forget(engine: Engine) -> None:
    """Remove what the commands have written down in this clone."""
    if stackfile.is_ours(engine.stack_file):
        engine.stack_file.unlink()
    trace.remove(engine)


def expire(engine: Engine, now: datetime) -> int:
    """Destroy every environment that is due: all of them, also after one that failed. 1 when one did."""
    console = engine.console
    stack.backend(engine)
    with lock.taken(LOCK, engine.environ, wait=0) as ours:
        if not ours:
            console.say("Another command destroys what is due at this moment: nothing to do.")
            return 0
        found = [each for each, _ in record.every(engine)]
        due = sorted((each for each in found if each.due(now)), key=lambda each: each.expires)
        if not due:
            following = min((each.expires for each in found), default=None)
            console.say(
                "Nothing is due." + (f" The next one is, {lifetime.until(following, now)}." if following else "")
            )
            return 0
        broken = [each.name for each in due if not _goes(engine, each, now)]
    console.say()
    console.say(f"Gone:   {', '.join(each.name for each in due if each.name not in broken) or 'nothing'}")
    if broken:
        console.say(f"Failed: {', '.join(broken)} (the reasons are above); the next run tries again")
    console.say(f"Time:   {console.summary()}")
    return 1 if broken else 0


def _goes(engine: Engine, found: Record, now: datetime) -> bool:
    """Destroy one, and say why where that fails: the others are not to wait for it."""
    console = engine.console
    console.say(f"{found.name}: {lifetime.until(found.expires, now)}")
    try:
        destroy(replace(engine, stack=found.stack), found.name)
    except PipelineError as error:
        console.fail(error)
    except Exception as error:  # noqa: BLE001 - whatever happened to one, the others are due
        console.fail(problem(f"{found.name} could not be destroyed: {type(error).__name__}: {error}"))
    else:
        return True
    return False
