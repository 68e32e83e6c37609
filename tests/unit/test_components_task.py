"""A step that runs once lets the update go on, or ends it with what it said; a failed one is tried again."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime.invoke import InvokeResult

from components import state
from components.docker import attempts, declaration
from components.docker.container import Container
from components.docker.task import StepError, Task, failure, redacted
from components.docker.task import run as run_task
from components.model import Resources
from tests.unit.harness import CONTAINER, Outcome, Recorded, run

STEP = Task(
    what="The step",
    hint="Do something.",
    container=Container(
        image="sha256:1",
        labels={"slipway.component": "step"},
        user="1:1",
        resources=Resources(memory_mb=64, cpus=0.5),
        networks=[],
        stop_grace_seconds=5,
    ),
    attempt=3,
    hidden=["hush"],
)


class Parent(pulumi.ComponentResource):
    """What the step belongs to."""

    def __init__(self) -> None:
        super().__init__("test:index:Parent", "parent")
        self.ready = run_task("the-step", STEP, self)


def done(outcome: Outcome = lambda _name, _inputs: {}, *, preview: bool = False) -> Recorded:
    """Run a program of one step."""
    return run(lambda: Parent().ready, outcome=outcome, preview=preview)


def ended(code: int, logs: str | None) -> Outcome:
    """Let the step end in some way."""
    return lambda _name, _inputs: {"exitCode": code, "containerLogs": logs}


def test_success_lets_the_update_go_on() -> None:
    """A step that ended with 0 is ready. Its attempt is a label, and what it logged stays encrypted."""
    recorded = done()
    container = recorded.one(CONTAINER)

    assert recorded.result is True
    fingerprint = declaration.fingerprint(container.inputs)
    assert container.labels == {
        "slipway.component": "step",
        "slipway.attempt": "3",
        "slipway.declared": fingerprint,
    }
    assert container.secret_outputs == ["containerLogs"]
    assert container.deletes_first is False


def test_failure_ends_the_update_without_secrets() -> None:
    """A step that failed is an error with its last lines, and no secret in them."""
    with pytest.raises(StepError) as error:
        done(ended(2, "first\n\nthe key is hush\n"))

    assert str(error.value) == (
        "The step failed with exit code 2. Its last lines:\n  | first\n  | the key is [secret]\nDo something."
    )


def test_silent_failure() -> None:
    """A step that said nothing is an error too."""
    assert failure(STEP, 137, "") == (
        "The step failed with exit code 137. Its last lines:\n  | (it said nothing)\nDo something."
    )


def test_only_the_last_lines() -> None:
    """Of a long log, the end is shown."""
    text = failure(STEP, 1, "\n".join(str(number) for number in range(100)))

    assert "  | 79\n" not in text
    assert "  | 80\n" in text


def test_redacted_takes_the_longest_first() -> None:
    """A secret that is part of another one does not leave the rest of it in clear."""
    assert redacted("abcd abc", ["abc", "abcd", ""]) == "[secret] [secret]"


def test_preview_of_a_step_that_has_not_run() -> None:
    """A preview does not know how a step will end, and goes on."""
    assert len(done(preview=True).of(CONTAINER)) == 1


def container(component: str, attempt: str | None, **outputs: object) -> Mapping[str, Any]:
    """Give a container as the stack's state knows it."""
    labels = {"slipway.component": component, **({"slipway.attempt": attempt} if attempt else {})}
    return {
        "type": CONTAINER,
        "outputs": {"labels": [{"label": label, "value": value} for label, value in labels.items()], **outputs},
    }


STATE = {
    "1": container("migration", "2", exitCode=1),
    "2": container("static", "1", exitCode=0),
    "3": container("switch", "4"),
    "4": container("web", None, exitCode=3),
    "5": {"type": "docker-build:index:Image", "outputs": {"labels": {"a": "b"}}},
    "6": {"type": "slipway:docker:Web", "outputs": {}},
}


def test_failed_steps_are_tried_again() -> None:
    """A step that failed gets the next number; one that succeeded, or never began, keeps its own."""
    assert attempts.count(STATE.values()) == {"migration": 3, "static": 1, "switch": 4}


def test_attempts_come_from_the_state() -> None:
    """The state of the stack says how the last attempt ended."""
    assert run(attempts.load, state=STATE).result == {"migration": 3, "static": 1, "switch": 4}


def test_a_state_that_is_being_written_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local backend writes a state in more than one go: who asks in between waits; other errors are not waited out."""
    answers: list[Exception | InvokeResult] = [
        Exception("invoke failed: failed to load checkpoint: EOF"),
        InvokeResult({"outputs": {"a": 1}}),
        Exception("no"),
    ]

    def invoke(*_arguments: object) -> InvokeResult:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)

    assert state._read("f", {}) == {"outputs": {"a": 1}}
    with pytest.raises(Exception, match=r"^no$"):
        state._read("f", {})


def test_first_deployment_has_no_attempts() -> None:
    """A stack that was never deployed is not asked for its resources: the engine would crash."""
    assert run(attempts.load).result == {}
