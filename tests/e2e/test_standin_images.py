"""The images this project runs keep the contract it relies on.

Nothing here knows where the images come from: all of it has to be true of the official images as well.
"""

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")
SECONDS = 60

Start = Callable[..., str]


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the Docker command; what it said is part of the failure."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done


def inside(container: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in a running container."""
    return docker("exec", container, *command, check=check)


def run(image: str, script: str, *options: str) -> str:
    """Run a shell script in a fresh container of an image; what it printed."""
    return docker("run", "--rm", "--entrypoint", "sh", *options, image, "-euc", script).stdout.strip()


def eventually(container: str, *command: str) -> str:
    """Run a command in a container until it succeeds; what it printed."""
    deadline = time.monotonic() + SECONDS
    while (done := inside(container, *command, check=False)).returncode != 0:
        logs = docker("logs", container, check=False)
        assert time.monotonic() < deadline, f"{command}: {done.stdout}{done.stderr}\n{logs.stdout}{logs.stderr}"
        time.sleep(0.1)
    return done.stdout.strip()


def stopped(container: str) -> int:
    """Stop a container as Docker does by default; its exit code (137 when it had to be killed)."""
    docker("stop", "--time", "20", container)
    return int(docker("inspect", "--format", "{{.State.ExitCode}}", container).stdout)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a container with files in volumes; it and its volumes are gone at the end."""
    if shutil.which("docker") is None:
        pytest.fail("docker is not on PATH: run tools/bootstrap")
    started: list[str] = []

    def one(image: str, *command: str, options: tuple[str, ...] = (), files: dict[str, str] | None = None) -> str:
        name = f"slipway-images-{uuid.uuid4().hex[:12]}"
        started.append(name)
        folders = {str(Path(path).parent) for path in files or {}}
        volumes = [part for folder in sorted(folders) for part in ("--volume", folder)]
        docker("create", "--name", name, *volumes, *options, image, *command)
        for path, text in (files or {}).items():
            source = tmp_path_factory.mktemp("file") / Path(path).name
            source.write_text(text)
            source.chmod(0o755)
            docker("cp", str(source), f"{name}:{path}")
        docker("start", name)
        return name

    yield one
    for name in started:
        docker("rm", "--force", "--volumes", name, check=False)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("debian:bookworm-slim", {"Entrypoint": None, "Cmd": ["bash"], "StopSignal": None}),
        ("debian:trixie-slim", {"Entrypoint": None, "Cmd": ["bash"], "StopSignal": None}),
        ("python:3.11-slim", {"Entrypoint": None, "Cmd": ["python3"], "ExposedPorts": None}),
        ("python:3.13-slim", {"Entrypoint": None, "Cmd": ["python3"], "ExposedPorts": None}),
        (
            "postgres:17",
            {
                "Entrypoint": ["docker-entrypoint.sh"],
                "Cmd": ["postgres"],
                "ExposedPorts": {"5432/tcp": {}},
                "Volumes": {"/var/lib/postgresql/data": {}},
                "StopSignal": "SIGINT",
            },
        ),
        (
            "redis:8.0",
            {
                "Entrypoint": ["docker-entrypoint.sh"],
                "Cmd": ["redis-server"],
                "ExposedPorts": {"6379/tcp": {}},
                "Volumes": {"/data": {}},
                "WorkingDir": "/data",
            },
        ),
        (
            "nginx:1.26",
            {
                "Entrypoint": ["/docker-entrypoint.sh"],
                "Cmd": ["nginx", "-g", "daemon off;"],
                "ExposedPorts": {"80/tcp": {}},
                "StopSignal": "SIGQUIT",
            },
        ),
    ],
)
def test_what_an_image_says_of_itself(image: str, expected: dict[str, object]) -> None:
    """Entrypoint, command, ports, volumes and stop signal are those of the official Dockerfile."""
    docker("run", "--rm", "--entrypoint", "true", image)  # pulls it if it is not here
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image).stdout)
    assert {key: config.get(key) or None for key in expected} == expected


@pytest.mark.parametrize(
    ("image", "user", "identity"),
    [("postgres:17", "postgres", "999:999"), ("redis:8.0", "redis", "999:999"), ("nginx:1.26", "nginx", "101:101")],
)
def test_users_have_the_numbers_that_the_project_starts_them_with(image: str, user: str, identity: str) -> None:
    """Containers are started with numbers; files in the image and in volumes belong to the same numbers."""
    assert run(image, f'echo "$(id -u {user}):$(id -g {user})"') == identity


@pytest.mark.parametrize(
    ("image", "megabytes"),
    [("debian:bookworm-slim", 85), ("debian:trixie-slim", 85), ("python:3.11-slim", 150), ("python:3.13-slim", 125)],
)
def test_base_images_are_small(image: str, megabytes: int) -> None:
    """What applications are built on leaves room for them."""
    docker("run", "--rm", "--entrypoint", "true", image)
    size = int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)
    assert size / 1e6 <= megabytes


# --- python ---------------------------------------------------------------------------------------------------------

WHEEL = """
import zipfile
files = {
    "standin.py": "def main(): print('installed')",
    "standin-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: standin\\nVersion: 1.0\\n",
    "standin-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "standin-1.0.dist-info/entry_points.txt": "[console_scripts]\\nstandin = standin:main\\n",
}
record = "standin-1.0.dist-info/RECORD"
with zipfile.ZipFile("/tmp/standin-1.0-py3-none-any.whl", "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
    wheel.writestr(record, "".join(f"{name},,\\n" for name in (*files, record)))
"""


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_python_is_where_it_is_expected(version: str) -> None:
    """The interpreter, its prefix and its modules lie below /usr/local, and `python` and `python3` are the same."""
    found = run(
        f"python:{version}-slim",
        'python -c "import sys, site; print(sys.prefix, *site.getsitepackages(), sys.executable)"; python3 --version',
    )
    where, said = found.splitlines()
    assert where == f"/usr/local /usr/local/lib/python{version}/site-packages /usr/local/bin/python"
    assert said.startswith(f"Python {version}.")


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_python_installs_for_everybody_and_into_an_environment(version: str) -> None:
    """`pip install` needs no flag, and `python -m venv` brings its own pip, both without a network."""
    script = """
        python -c "$WHEEL"
        pip install --quiet --no-index --root-user-action ignore /tmp/standin-1.0-py3-none-any.whl
        standin
        python -c 'import standin; print(standin.__file__)'
        python -m venv /opt/venv
        ! /opt/venv/bin/python -c 'import standin' 2>/dev/null
        /opt/venv/bin/pip install --quiet --no-index /tmp/standin-1.0-py3-none-any.whl
        /opt/venv/bin/standin
        python -c 'import bz2, ctypes, curses, hashlib, lzma, readline, sqlite3, ssl, uuid, venv, zlib, zoneinfo'
        python -c 'import zoneinfo; print(zoneinfo.ZoneInfo("Europe/Paris"))'
        test -s /etc/ssl/certs/ca-certificates.crt
        command -v gcc || echo no compiler
    """
    said = run(f"python:{version}-slim", script, "--network", "none", "--env", f"WHEEL={WHEEL}")
    assert said.splitlines() == [
        "installed",
        f"/usr/local/lib/python{version}/site-packages/standin.py",
        "installed",
        "Europe/Paris",
        "no compiler",
    ]


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_python_runs_for_any_user_without_rights(version: str) -> None:
    """A numeric user, no capability and a read-only root are enough."""
    said = run(
        f"python:{version}-slim", "python -c 'import os; print(os.getuid())'", *HARDENED, "--user", "10001:10001"
    )
    assert said == "10001"


# --- postgres -------------------------------------------------------------------------------------------------------

POSTGRES_OPTIONS = (
    *HARDENED,
    *("--user", "999:999"),
    *("--tmpfs", "/tmp", "--tmpfs", "/var/run/postgresql:uid=999,gid=999"),  # noqa: S108 - in a container
    *("--env", "POSTGRES_USER=app", "--env", "POSTGRES_PASSWORD_FILE=/run/secrets/password"),
)
READY = ("sh", "-c", "pg_isready --host 127.0.0.1 --username app")


def query(container: str, password: str, sql: str) -> subprocess.CompletedProcess[str]:
    """Ask over TCP from the container's own address, where a password is asked for."""
    command = (
        f'PGPASSWORD={password} psql --host "$(hostname -i)" --username app --no-align --tuples-only -c "{sql}" app'
    )
    return inside(container, "sh", "-c", command, check=False)


@pytest.fixture(scope="module")
def postgres(start: Start) -> str:
    """A database as the project runs it: no rights, a read-only root, its password in a file."""
    name = start(
        "postgres:17",
        options=POSTGRES_OPTIONS,
        files={
            "/run/secrets/password": "hunter2\n",
            "/docker-entrypoint-initdb.d/table.sql": "CREATE TABLE made_at_first (n int);",
        },
    )
    eventually(name, *READY)
    return name


def test_postgres_takes_its_password_from_a_file(postgres: str) -> None:
    """The right password is let in, a wrong one is not, and the database is named after the user."""
    right = query(postgres, "hunter2", "SELECT current_user, current_database()")
    wrong = query(postgres, "hunter3", "SELECT 1")
    assert right.stdout.strip() == "app|app"
    assert wrong.returncode != 0
    assert "password authentication failed" in wrong.stderr


def test_postgres_sorts_and_encodes_as_the_official_image(postgres: str) -> None:
    """UTF-8 and English order, whatever the machine that starts it speaks."""
    sql = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'app'"
    assert query(postgres, "hunter2", sql).stdout.strip() == "UTF8|en_US.utf8"


def test_postgres_runs_what_lies_in_its_init_folder(postgres: str) -> None:
    """Scripts of /docker-entrypoint-initdb.d have run when it first answers over the network."""
    assert query(postgres, "hunter2", "SELECT count(*) FROM made_at_first").stdout.strip() == "0"


def test_postgres_keeps_its_data_and_stops_cleanly(start: Start) -> None:
    """Its stop signal ends it in time with exit code 0, and the next start finds what was written."""
    name = start("postgres:17", options=POSTGRES_OPTIONS, files={"/run/secrets/password": "hunter2"})
    eventually(name, *READY)
    assert query(name, "hunter2", "CREATE TABLE kept AS SELECT 42 AS n").returncode == 0
    assert stopped(name) == 0
    docker("start", name)
    eventually(name, *READY)
    assert query(name, "hunter2", "SELECT n FROM kept").stdout.strip() == "42"


def test_postgres_runs_as_a_user_without_a_name(start: Start) -> None:
    """Any number may be its user, as some platforms choose them."""
    environment = ("POSTGRES_PASSWORD=hunter2", "POSTGRES_USER=app", "PGDATA=/var/lib/postgresql/data/mine")
    writable = ("--tmpfs", "/tmp", "--tmpfs", "/var/run/postgresql:uid=12345")  # noqa: S108 - in a container
    options = (*HARDENED, "--user", "12345:12345", *writable)
    name = start("postgres:17", options=(*options, *(part for each in environment for part in ("--env", each))))
    eventually(name, *READY)
    assert query(name, "hunter2", "SELECT 1").stdout.strip() == "1"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ((), "superuser password is not specified"),
        (
            ("POSTGRES_PASSWORD=a", "POSTGRES_PASSWORD_FILE=/etc/hostname"),
            "both POSTGRES_PASSWORD and POSTGRES_PASSWORD",
        ),
    ],
)
def test_postgres_refuses_what_is_unsafe_or_unclear(environment: tuple[str, ...], expected: str) -> None:
    """No password, or two of them, and it does not start."""
    options = [part for each in environment for part in ("--env", each)]
    done = docker("run", "--rm", "--user", "999:999", *options, "postgres:17", check=False)
    assert done.returncode == 1
    assert expected in done.stdout + done.stderr


def test_postgres_steps_down_from_root(start: Start) -> None:
    """Started as root it runs as postgres."""
    name = start("postgres:17", options=("--env", "POSTGRES_PASSWORD=hunter2", "--env", "POSTGRES_USER=app"))
    eventually(name, *READY)
    assert inside(name, "stat", "-c", "%u", "/proc/1").stdout.strip() == "999"


# --- redis ----------------------------------------------------------------------------------------------------------


def test_redis_asks_for_the_password_of_its_configuration(start: Start) -> None:
    """Without rights, with a read-only root: nobody gets in without the password that its file sets."""
    name = start(
        "redis:8.0",
        *("redis-server", "/run/secrets/redis.conf"),
        options=(*HARDENED, "--user", "999:999"),
        files={"/run/secrets/redis.conf": "requirepass hunter2\nappendonly yes\n"},
    )
    assert eventually(name, "redis-cli", "-a", "hunter2", "--no-auth-warning", "ping") == "PONG"
    assert "NOAUTH" in inside(name, "redis-cli", "ping", check=False).stdout
    assert "WRONGPASS" in inside(name, "redis-cli", "-a", "wrong", "ping", check=False).stderr
    assert inside(name, "redis-cli", "-a", "hunter2", "--no-auth-warning", "set", "k", "v").stdout.strip() == "OK"
    assert stopped(name) == 0
    docker("start", name)
    eventually(name, "redis-cli", "-a", "hunter2", "--no-auth-warning", "ping")
    assert inside(name, "redis-cli", "-a", "hunter2", "--no-auth-warning", "get", "k").stdout.strip() == "v"


def test_redis_answers_other_containers(start: Start) -> None:
    """There is no protected mode in the image: what is on its network reaches it. Options alone mean the server."""
    name = start("redis:8.0", "--save", "")
    eventually(name, "redis-cli", "ping")
    address = inside(name, "hostname", "-i").stdout.strip()
    assert run("redis:8.0", f"redis-cli -h {address} ping") == "PONG"
    assert inside(name, "stat", "-c", "%u", "/proc/1").stdout.strip() == "999"


# --- nginx ----------------------------------------------------------------------------------------------------------

SITE = """
pid /tmp/nginx.pid;
error_log /dev/stderr notice;
events {}
http {
    client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
    access_log /dev/stdout;
    include /tmp/site.conf;
}
"""


def test_nginx_serves_and_reloads_without_rights(start: Start) -> None:
    """As 101 with a read-only root it serves, takes a new configuration without stopping, and ends cleanly."""
    first = "server { listen 8080; location / { return 200 first; } }"
    name = start(
        "nginx:1.26",
        *("sh", "-euc", f"echo '{first}' >/tmp/site.conf; exec nginx -c /config/nginx.conf -g 'daemon off;'"),
        options=(*HARDENED, "--user", "101:101", "--tmpfs", "/tmp"),  # noqa: S108 - in a container
        files={"/config/nginx.conf": SITE},
    )
    assert eventually(name, "curl", "-sf", "http://127.0.0.1:8080/") == "first"
    started = docker("inspect", "--format", "{{.State.StartedAt}}", name).stdout
    inside(name, "sh", "-c", "sed -i s/first/second/ /tmp/site.conf && nginx -c /config/nginx.conf -s reload")
    assert eventually(name, "sh", "-c", "curl -sf http://127.0.0.1:8080/ | grep second") == "second"
    inside(name, "sh", "-c", "echo broken >/tmp/site.conf")
    assert inside(name, "nginx", "-c", "/config/nginx.conf", "-t", check=False).returncode != 0
    assert docker("inspect", "--format", "{{.State.StartedAt}}", name).stdout == started
    assert inside(name, "getent", "hosts", "localhost").returncode == 0
    assert stopped(name) == 0


def test_nginx_serves_its_own_page_and_templates(start: Start) -> None:
    """Out of the box: port 80, /etc/nginx/conf.d, filled-in templates, logs on stdout, workers as nginx."""
    template = "server { listen 81; location / { return 200 '${GREETING} $host'; } }"
    name = start(
        "nginx:1.26",
        options=("--env", "GREETING=hello"),
        files={"/etc/nginx/templates/greeting.conf.template": template},
    )
    assert "Welcome to nginx!" in eventually(name, "curl", "-sf", "http://127.0.0.1/")
    assert inside(name, "curl", "-sf", "http://127.0.0.1:81/").stdout == "hello 127.0.0.1"
    workers = "for p in /proc/[0-9]*; do grep -qs '^nginx: worker' $p/cmdline && stat -c %u $p; done | sort -u"
    assert inside(name, "sh", "-c", workers).stdout.strip() == "101"
    assert '"GET / HTTP/1.1" 200' in docker("logs", name).stdout
    assert stopped(name) == 0


def test_nginx_runs_with_only_its_two_folders_writable(start: Start) -> None:
    """With the image's own configuration, /var/cache/nginx and /run are all it writes to."""
    writable = ("--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/run:uid=101")
    low_ports = ("--sysctl", "net.ipv4.ip_unprivileged_port_start=0")
    name = start("nginx:1.26", options=(*HARDENED, "--user", "101:101", *low_ports, *writable))
    assert "Welcome to nginx!" in eventually(name, "curl", "-sf", "http://127.0.0.1/")
