"""What a value that is missing is said to be. Pure."""

from components.keys import Path_, key_at
from components.problems import Problem, config_set, full_key


def required(path: Path_, why: str, stack: str) -> Problem:
    """Say that a value is needed, since another one is what it is."""
    key = key_at(path)
    if key is None:
        raise AssertionError("a key of the model")
    return Problem(
        key=full_key(path), found="nothing", allowed=f"{key.allowed}; {why}", mend=config_set(path, key.example, stack)
    )
