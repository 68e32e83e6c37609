"""The comparison with a compose file: that both sides are alike, and what is made of what was seen."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import app, datastores, nginx
from components.defaults import BY_KIND, COMMON
from tests.unit.tools.programs import script
from tools.bootstrapping import golang
from tools.compare import program
from tools.compare.measure import FILE, FOLDER, Row, duration_row, first, longest_gap

SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
LIMITS = {"postgres": "postgres", "redis": "redis", "nginx": "edge", "web": "web", "migrate": "web", "static": "web"}


@pytest.mark.parametrize(("service", "group"), LIMITS.items())
def test_every_service_has_the_limits_of_slipway(service: str, group: str) -> None:
    """Memory without swap on top and CPUs are the defaults of dev."""
    limits = COMMON[group]["resources"]
    found = {key: SERVICES[service][key] for key in ("mem_limit", "memswap_limit", "cpus")}
    memory = f"{limits['memory_mb']}m"
    assert found == {"mem_limit": memory, "memswap_limit": memory, "cpus": limits["cpus"]}


def test_there_are_the_services_of_slipway_and_no_others() -> None:
    """One of each, since dev has one web container."""
    assert set(SERVICES) == set(LIMITS)
    assert BY_KIND["dev"]["web"]["replicas"] == 1


@pytest.mark.parametrize(("service", "group"), [("postgres", "postgres"), ("redis", "redis"), ("nginx", "edge")])
def test_the_images_are_the_ones_of_slipway(service: str, group: str) -> None:
    """A newer one there is a newer one here."""
    assert SERVICES[service]["image"] == COMMON[group]["image"]


@pytest.mark.parametrize("service", ["postgres", "redis", "nginx", "web"])
def test_health_is_asked_as_often(service: str) -> None:
    """Who waits for health waits for the next question too, so it must come as soon on both sides."""
    asked = SERVICES[service]["healthcheck"]
    assert (asked["interval"], asked["timeout"], asked["retries"]) == ("3s", "6s", 3)


def test_health_is_the_same_question() -> None:
    """The database and the cache are asked in the same words; the app by its image; nginx whether it runs."""
    assert SERVICES["postgres"]["healthcheck"]["test"][1:3] == datastores.postgres_health("app")[:2]
    assert SERVICES["redis"]["healthcheck"]["test"][-1] == datastores.REDIS_HEALTH[-1]
    assert "test" not in SERVICES["web"]["healthcheck"]
    edge = nginx.edge_health_command()[-1].replace("/id", "/")
    assert SERVICES["nginx"]["healthcheck"]["test"][-1] == edge


def test_nothing_waits_for_less() -> None:
    """The migration waits for health, static files for the migration, web for them, nginx for web."""
    order = {
        name: {k: v["condition"] for k, v in each.get("depends_on", {}).items()} for name, each in SERVICES.items()
    }
    assert order == {
        "postgres": {},
        "redis": {},
        "migrate": {"postgres": "service_healthy", "redis": "service_healthy"},
        "static": {"migrate": "service_completed_successfully"},
        "web": {"static": "service_completed_successfully"},
        "nginx": {"web": "service_healthy"},
    }
    assert SERVICES["web"]["stop_grace_period"] == f"{COMMON['web']['stop_grace_seconds']}s"


def test_nginx_asks_for_the_app_where_it_is() -> None:
    """It asks Docker again for the address of a container that was replaced: a compose file at its best."""
    text = (FOLDER / "nginx.conf").read_text()
    assert f"web:{app.PORT}" in text
    assert "resolver 127.0.0.11" in text
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:${PORT:?}:8080"]


SEEN = [(1.0, "1"), (2.0, None), (2.5, None), (4.0, "2"), (5.0, None), (5.5, "2")]


def test_a_line_is_live_with_its_first_answer() -> None:
    """Not before, and not never."""
    assert first(SEEN, "2") == 4.0
    assert first(SEEN, "3") is None


@pytest.mark.parametrize(("seen", "gap"), [(SEEN, 2.0), (SEEN[:3], 0.5), (SEEN[:1], 0.0), ([], 0.0)])
def test_a_gap_lasts_from_the_first_question_to_the_next_answer(
    seen: list[tuple[float, str | None]], gap: float
) -> None:
    """Also one that has not ended yet."""
    assert longest_gap(seen) == gap


def test_a_row_is_one_of_the_table() -> None:
    """What, both sides, their ratio, and the command."""
    assert str(duration_row("what", (1.0, 4.0), "`do`")) == "| what | 1.0 s | 4.0 s | 0.25 | `do` |"
    assert str(Row("what", ("0 of 9", "3 of 9"), "`do`")) == "| what | 0 of 9 | 3 of 9 |  | `do` |"


@pytest.mark.parametrize(
    ("version", "good"), [("2.40.3", True), ("v2.20.0", True), ("2.19.9", False), ("1.29.2", False), ("", False)]
)
def test_an_old_compose_is_none(version: str, good: bool) -> None:  # noqa: FBT001 - what is expected
    """It would not wait as the file says."""
    assert program.usable(version) is good


def test_the_compose_on_path_is_taken(tmp_path: Path) -> None:
    """As a plug-in of docker first, then as a program of its own; one that is too old or broken is none."""
    path = {"PATH": f"{tmp_path}"}
    assert program.on_path(path) is None
    docker = script(tmp_path / "docker", "exit 1")
    old = script(tmp_path / "docker-compose", "echo 1.29.2")
    assert program.on_path(path) is None
    script(old, "echo 2.40.3")
    assert program.on_path(path) == [str(old)]
    script(docker, f'[ "$*" = {shlex.quote("compose version --short")} ] && echo 2.40.3')
    assert program.on_path(path) == [str(docker), "compose"]


def test_what_is_built_is_pinned_and_no_part_of_the_bootstrap() -> None:
    """``make up`` never builds it; its module files are those of a public repository."""
    assert program.COMPOSE not in golang.TOOLS
    text = (program.COMPOSE.folder / "go.mod").read_text()
    assert f"github.com/docker/compose/v2 {program.COMPOSE.version[1]} " in text
    assert not re.search(r"https?://|proxy\.|replace ", text + (program.COMPOSE.folder / "go.sum").read_text())
    [oldest] = re.findall(r"^go (\S+)$", text, re.MULTILINE)
    assert golang.parts(oldest) <= golang.parts(golang.wanted())
