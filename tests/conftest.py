"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C work: a shell starts what runs in its background deaf to it, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
