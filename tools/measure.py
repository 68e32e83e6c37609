"""``make numbers``: measures what docs/numbers.md shows and prints it as rows of its tables.

It works in a clone of its own with the caches as they are, under a name and a port of its own, and leaves nothing. The
rows of Kubernetes are measured on the cluster that the kubeconfig names: tools/measure_cluster.py.
A fresh machine is not measured here, since that needs one: ``time make up`` there is the number.
"""

import argparse
import contextlib
import http.client
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker

from tests.e2e.clone import Clone
from tests.e2e.load import Kind, Load
from tools import measure_cluster
from tools.rows import Row, wall

VERSION = "examples/guestbook/config/version.py"
REQUIREMENTS = "examples/guestbook/requirements.txt"
BUSY = (Kind("read", 8, 0.02), Kind("write", 4, 0.06), Kind("slow", 2, 0.1))
ROUNDS, ROUND_SECONDS, VISITORS = 5, 4.0, 4
MB = 1_000_000


def measure(clone: Clone) -> Iterator[Row]:
    """Go once through the life of a stack."""
    done = clone.run("make up")
    yield Row("a fresh clone to a served page, caches warm", wall(done.seconds), "`time make up`")
    done = clone.run("make down")
    yield Row("everything away", wall(done.seconds), "`time make down`")
    done = clone.run("make up")
    yield Row("after `make down`", wall(done.seconds), "`time make up`")
    done = clone.run("make up")
    yield Row("nothing changed: `make up`", wall(done.seconds), "`time make up`")
    for command in ("pulumi preview", "pulumi up --yes --skip-preview"):
        text = f"{command} --stack dev"
        times = []
        for _ in range(ROUNDS):
            done = clone.run(f". .slipway/env && {text} --non-interactive")
            times.append((done.seconds, clone.cpu))
        seconds, cpu = sorted(times)[len(times) // 2]
        name = " ".join(command.split()[:2])
        yield Row(
            f"nothing changed: `{name}`, wall and CPU (median of {ROUNDS})",
            f"{wall(seconds)}, {cpu:.1f} s CPU",
            f"`. .slipway/env && time {text}`",
        )
    yield image_size(clone)
    yield through_nginx(clone)
    yield from releases(clone)
    requirements = clone.folder / REQUIREMENTS
    requirements.write_text(requirements.read_text() + "\n# a changed dependency file: everything is installed again\n")
    done = clone.run("make up")
    yield Row(
        "changed requirements to live (everything installed again, packages from the cache of the builder)",
        wall(done.seconds),
        f"change `{REQUIREMENTS}`, then `time make up`",
    )
    clone.run("make down")


def change_version(clone: Clone, version: str) -> None:
    """Make the smallest change of code that can be seen."""
    (clone.folder / VERSION).write_text(f'"""The version that the pages show."""\n\nVERSION = "{version}"\n')


def releases(clone: Clone) -> Iterator[Row]:
    """Make a release in quiet, and three under load."""
    change_version(clone, "2.0.0")
    begun = time.monotonic()
    with first_seen(clone, "2.0.0") as seen:
        clone.run("make up")
    yield Row(
        "a changed line of code to live (to the first answer; to the end of `make up`)",
        f"{wall(seen[0] - begun)}; {wall(time.monotonic() - begun)}",
        f"change `VERSION` in `{VERSION}`, then `time make up`",
    )
    begun = time.monotonic()
    with Load(clone.port, kinds=BUSY) as load:
        for version in ("3.0.0", "3.0.1", "3.0.2"):
            change_version(clone, version)
            clone.run("make up")
        rate = load.requests / (time.monotonic() - begun)
    yield Row(
        "failed requests in three releases under load",
        f"{len(load.failures)} of {load.requests}, {rate:.0f} requests/s: {load.summary()}",
        "`make numbers`; `tests/e2e/test_release.py` in small",
    )


@contextlib.contextmanager
def first_seen(clone: Clone, version: str) -> Iterator[list[float]]:
    """Note when a version answers for the first time."""
    seen: list[float] = []
    end = threading.Event()

    def look() -> None:
        while not end.is_set() and not seen:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if version in clone.page("/version"):
                    seen.append(time.monotonic())
            end.wait(0.1)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join(10)


def image_size(clone: Clone) -> Row:
    """Ask Docker how large the image of the example is."""
    client = docker.from_env()
    try:
        [image] = {
            i.id: i for i in client.images.list() if any(t.startswith(f"{clone.project}:") for t in i.tags)
        }.values()
        size = image.attrs["Size"] / MB
    finally:
        client.close()
    return Row("image of the example", f"{size:.0f} MB", "`docker images guestbook`")


def throughput(address: str, port: int) -> float:
    """Count the answers to a few visitors that ask for the page as fast as they get it, for some seconds."""
    counts = [0] * VISITORS
    end = time.monotonic() + ROUND_SECONDS

    def visit(number: int) -> None:
        connection = http.client.HTTPConnection(address, port, timeout=10)
        while time.monotonic() < end:
            connection.request("GET", "/", headers={"Host": "localhost"})
            answer = connection.getresponse()
            answer.read()
            counts[number] += answer.status == http.HTTPStatus.OK
        connection.close()

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / ROUND_SECONDS


def through_nginx(clone: Clone) -> Row:
    """Compare the page through the edge with the page from gunicorn itself, in turns."""
    client = docker.from_env()
    try:
        filters: dict[str, str | list[str] | bool] = {
            "label": [f"slipway.project={clone.project}", "slipway.component=web"]
        }
        [web] = client.containers.list(filters=filters)
        networks = web.attrs["NetworkSettings"]["Networks"]
        address = next(each["IPAddress"] for name, each in networks.items() if name.endswith("-edge"))
    finally:
        client.close()
    throughput("127.0.0.1", clone.port)
    pairs = [(throughput("127.0.0.1", clone.port), throughput(address, 8000)) for _ in range(ROUNDS)]
    ratio = statistics.median(edge / direct for edge, direct in pairs)
    edge, direct = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Row(
        f"through nginx against gunicorn direct, templated page, median of {ROUNDS} turns",
        f"{ratio:.2f} ({edge:.0f} against {direct:.0f} requests/s)",
        "`make numbers`",
    )


def machine() -> str:
    """Describe where this was measured."""
    client = docker.from_env()
    try:
        info = client.info()
    finally:
        client.close()
    memory = info["MemTotal"] / 1024**3
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Docker {info['ServerVersion']}, Python {platform.python_version()}"
    )


def main() -> int:
    """Measure everything; progress goes to standard error, the table to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="*", default=["docker", "kubernetes"], help="what to measure; without it, both")
    targets = parser.parse_args().target
    print(f"- Machine: {machine()}")
    with tempfile.TemporaryDirectory(prefix="slipway-numbers-") as folder:
        if "docker" in targets:
            clone = Clone(Path(folder) / "slipway", "numbers").make()
            try:
                show(measure(clone))
            finally:
                clone.close()
        if "kubernetes" in targets:
            place = Path(folder) / "kubernetes"
            place.mkdir()
            show(measure_cluster.measure(place))
    return 0


def show(rows: Iterator[Row]) -> None:
    """Print rows as a table, after everything that is printed while they are measured."""
    found = []
    with contextlib.redirect_stdout(sys.stderr):
        for row in rows:
            found.append(row)
            print(f"=== {row}", flush=True)
    print("\n| What | Measured | Command |\n|---|---|---|")
    print(*found, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
