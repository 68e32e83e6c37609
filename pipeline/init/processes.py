"""The processes beside the web: workers of Celery, RQ and other queues, and what plans tasks."""

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence

import yaml

from pipeline.init import overlay
from pipeline.init.chosen import is_for_developers, named
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import dotted, is_aside
from pipeline.init.variables import closure

_BY_APP: dict[str, tuple[str, str, str]] = {
    "django_q": ("worker", "python manage.py qcluster", "django_q"),
    "huey.contrib.djhuey": ("worker", "python manage.py run_huey", "huey"),
    "django_dramatiq": ("worker", "python manage.py rundramatiq --processes 1 --threads 4", "django_dramatiq"),
    "background_task": ("worker", "python manage.py process_tasks", "background_task"),
    "procrastinate.contrib.django": ("worker", "python manage.py procrastinate worker", "procrastinate"),
    "django_tasks.backends.database": ("worker", "python manage.py db_worker", "django_tasks"),
    "django_tasks_db": ("worker", "python manage.py db_worker", "django_tasks"),
    "post_office": ("mail", "python manage.py send_queued_mail --processes 1", ""),
    "django_apscheduler": ("", "", ""),
}
"""Apps with a command that runs all the time: a name for it, the command, what it is of."""

_MEMORY_MB = 512


def find(project: Project) -> Iterator[Found]:
    """Name the processes."""
    yield from _celery(project)
    yield from _rq(project)
    for app, (name, command, what) in _BY_APP.items():
        if what and project.installs(app):
            yield from _process(name, command, f"{what} is installed", project.of_app(app))
    if project.installs("django_crontab", "django_cron", "django_extensions.jobs"):
        yield Missing(
            what="the project plans jobs by cron", do="a process for each in slipway:processes, with what it runs"
        )
    yield from _listed(project)
    attached = dict(_attached(project))
    for command, place in attached.items():
        name = _slug(command.split()[2])
        yield from _process(name, command, f"{posixpath.basename(place.file)} runs it beside the web", place)
    yield from _loops(project, [command.split()[2] for command in attached])


def _attached(project: Project) -> Iterator[tuple[str, Place]]:
    """Give the commands of ``manage.py`` that uWSGI or supervisord run beside the web, where nothing has to be filled in."""
    for file in project.tree.files:
        if not file.endswith((".ini", ".conf")) or is_aside(file):
            continue
        inside = 0
        for number, line in enumerate(project.tree.text(file).splitlines(), 1):
            inside += bool(re.match(r"\s*if-[a-z-]+\s*=", line)) - bool(re.match(r"\s*endif\s*=", line))
            found = re.match(
                r"\s*(?:attach-daemon2?|command)\s*=\s*(?:\S*python[\d.]*\s+)?\S*manage\.py\s+([a-z]\w*)((?:\s+[\w./:=-]+)*)\s*$",
                line,
            )
            if found and not inside and _is_own(project, found[1]):
                yield f"python manage.py {found[1]}{found[2]}", Place(file, number)


def _is_own(project: Project, command: str) -> bool:
    """Whether a command of ``manage.py`` is the project's."""
    return any(path.endswith(f"management/commands/{command}.py") for path in project.tree.python)


def _loops(project: Project, known: Sequence[str]) -> Iterator[Found]:
    """Name commands of the project that seem to run all the time, beside those that surely do."""
    for file in project.tree.python:
        found = re.search(r"(?:^|/)management/commands/([a-z]\w*)\.py$", file)
        loop = (
            re.search(r"^\s+while (?:True|1|not self\.\w+)\s*:", project.tree.text(file), re.MULTILINE)
            if found
            else None
        )
        waits = re.search(
            r"sleep\(|\bwait\(|\bpoll\(|serve_forever|asyncore\.loop|run_forever", project.tree.text(file)
        )
        if found and loop and waits and found[1] not in known:
            name, command = _slug(found[1]), f"python manage.py {found[1]}"
            place = project.tree.line(file, loop[0].strip("\n"))
            yield Setting(path=("processes", name, "command"), value=command, why="loops", place=place, asked=False)
            yield Missing(
                what=f"whether `{command}` has to run all the time: it loops",
                do=f"pulumi config set --path slipway:processes.{name}.command '{command}' --stack {project.stack}",
                place=place,
            )


def _process(
    name: str, command: str, why: str, place: Place | None, *, memory_mb: int | None = None
) -> Iterator[Setting]:
    yield Setting(path=("processes", name, "command"), value=command, why=why, place=place)
    if memory_mb is not None:
        yield Setting(
            path=("processes", name, "resources", "memory_mb"),
            value=memory_mb,
            why="one process plans, two work: each holds the project",
        )


def celery_app(project: Project) -> tuple[str, Place] | None:
    """Give what ``celery -A`` takes, and where the app is made."""
    candidates: list[tuple[str, Place]] = []
    for path in project.tree.python:
        text = project.tree.text(path)
        if "Celery(" not in text or project.tree.is_aside(path):
            continue
        for node in ast.walk(project.tree.parsed(path) or ast.Module([], [])):
            match node:
                case ast.Assign(targets=[ast.Name(id=name), *_], value=ast.Call(func=function)) if (
                    ast.unparse(function).split(".")[-1] == "Celery"
                ):
                    module = dotted(path, project.where)
                    short = module.removesuffix(".celery") if module.endswith(".celery") else module
                    usual = name in {"app", "celery", "celery_app"}
                    candidates.append(
                        (short if usual and name != "celery_app" else f"{module}:{name}", Place(path, node.lineno))
                    )
                case _:
                    pass
    said = [_module(name) for name, _ in _workers(project)]
    candidates.sort(key=lambda each: (_module(each[0]) not in said, each[1].file.count("/")))
    return candidates[0] if candidates else None


def _module(app: str) -> str:
    """Give the module that ``celery -A`` names, as short as it may be."""
    return app.partition(":")[0].removesuffix(".celery").removesuffix(".app")


def _workers(project: Project) -> list[tuple[str, str | None]]:
    """Give what files that start workers of Celery say: the app, and the queues if they name some."""
    found: list[tuple[str, str | None]] = []
    for file in project.tree.files:
        name = posixpath.basename(file)
        if is_aside(file) or not re.search(
            r"(compose[\w.-]*\.ya?ml|\.sh|\.conf|\.ini|\.service)$|^(Procfile|Dockerfile)", name
        ):
            continue
        for line in project.tree.text(file).splitlines():
            app = re.search(r"\bcelery\b.*(?:\s-A|--app)[\s=]*([\w.:]+)", line)
            if app and re.search(r"\bworker\b", line) and not line.lstrip().startswith("#"):
                queues = re.search(r"(?:\s-Q|--queues)[\s=]*([\w.,-]+)", line)
                found.append((app[1], queues[1] if queues else None))
    return found


def _own_settings(project: Project, place: Place) -> str:
    """Give what comes before the command where the app has settings of its own that take over those of the project."""
    said = named(project.tree, place.file)
    file = project.tree.module(said[0], project.where) if said else None
    if said is None or is_for_developers(said[0]) or overlay.lines(project):
        return ""
    if file in {None, project.chosen.file} or project.chosen.file not in closure(
        project.tree, [str(file)], project.where
    ):
        return ""
    return f"env DJANGO_SETTINGS_MODULE={said[0]} "


def _celery(project: Project) -> Iterator[Found]:
    app = celery_app(project)
    if app is None:
        if project.has("celery") and project.installs("django_celery_beat", "django_celery_results"):
            yield Missing(
                what="Celery is installed, and no app of it was found",
                do="a process with its command in slipway:processes",
            )
        return
    name, place = app
    own = _own_settings(project, place)
    yield from _process(
        "worker",
        f"{own}celery -A {name} worker --loglevel info --concurrency 2{_queues(project)}",
        "the Celery app",
        place,
        memory_mb=_MEMORY_MB,
    )
    beat = _beat(project)
    if beat is None:
        return
    why, where = beat
    scheduler = (
        "--scheduler django_celery_beat.schedulers:DatabaseScheduler"
        if project.installs("django_celery_beat")
        else "--schedule /tmp/celerybeat-schedule"  # the folder in a container that can be written
    )
    yield from _process("beat", f"{own}celery -A {name} beat --loglevel info {scheduler}", why, where)
    yield Setting(
        path=("processes", "beat", "singleton"), value=True, why="two would plan every task twice", place=where
    )


def _queues(project: Project) -> str:
    """Give the option with the queues, where the project sends tasks to others than the usual one."""
    found: dict[str, None] = {}
    for path in project.tree.python:
        for queue in re.findall(
            r"""\bqueue\s*=\s*["']([\w.-]+)["']|["']queue["']\s*:\s*["']([\w.-]+)["']""", project.tree.text(path)
        ):
            found[queue[0] or queue[1]] = None
    listened = [queues for _, queues in _workers(project)]
    found |= dict.fromkeys(queue for queues in listened if queues for queue in queues.split(",") if queue)
    if listened and None not in listened and project.has("django-rq", "rq") is None:
        return " --queues " + ",".join(found)
    if not found or project.has("django-rq", "rq"):
        return ""
    default = project.scope.value("CELERY_TASK_DEFAULT_QUEUE")
    return " --queues " + ",".join(dict.fromkeys([default if isinstance(default, str) else "celery", *found]))


def _beat(project: Project) -> tuple[str, Place | None] | None:
    """Say why a beat is needed; None if nothing is planned."""
    if project.installs("django_celery_beat"):
        return "django_celery_beat is installed", project.of_app("django_celery_beat")
    for name in ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "BEAT_SCHEDULE"):
        if name in project.scope.names:
            return f"{name} is set", project.scope.place(name)
    for path in project.tree.python:
        text = project.tree.text(path)
        for word in (".beat_schedule", "beat_schedule=", "add_periodic_task", "@periodic_task"):
            if word in text:
                return f"tasks are planned: {word.strip('.@=')}", project.tree.line(path, word)
    return None


def _rq(project: Project) -> Iterator[Found]:
    if project.installs("django_rq") is None:
        return
    queues = project.scope.value("RQ_QUEUES")
    names = [str(name) for name in queues] if isinstance(queues, dict) and queues else ["default"]
    scheduler = " --with-scheduler" if project.has("rq-scheduler") is None else ""
    yield from _process(
        "worker",
        f"python manage.py rqworker {' '.join(names)}{scheduler}",
        "django_rq is installed, with these queues",
        project.scope.place("RQ_QUEUES") or project.of_app("django_rq"),
    )
    if not scheduler:
        yield from _process(
            "scheduler",
            "python manage.py rqscheduler",
            "rq-scheduler is a dependency",
            project.of_package("rq-scheduler"),
        )
        yield Setting(path=("processes", "scheduler", "singleton"), value=True, why="two would plan every task twice")


def _listed(project: Project) -> Iterator[Found]:
    """Name what a Procfile or a file of Docker Compose runs and nothing above has found."""
    seen = {"web", "release", "worker", "beat", "scheduler", "clock"} if _finds_queue(project) else {"web", "release"}
    for file in ("Procfile", posixpath.join(project.directory, "Procfile")):
        if not project.tree.has(file):
            continue
        for number, line in enumerate(project.tree.text(file).splitlines(), 1):
            found = re.match(r"([A-Za-z][\w-]*):\s*(\S.*)", line)
            if (
                found
                and found[1] not in seen
                and not re.search(
                    r"gunicorn|runserver|uvicorn|daphne|npm|yarn|pnpm|make |watch|sass|scss|webpack|vite|tailwind|\$|&&|[|;]",
                    found[2],
                )
            ):
                if "celery" in found[2] and celery_app(project) is not None:
                    continue
                seen.add(found[1])
                yield from _process(_slug(found[1]), found[2], "the Procfile runs it", Place(file, number))
    yield from _composed(project)


def _composed(project: Project) -> Iterator[Found]:
    """Name services that a file of Docker Compose runs beside the project."""
    file = next(
        iter(
            project.tree.named(
                "docker-compose.prod.yml",
                "docker-compose.production.yml",
                "docker-compose.yml",
                "docker-compose.yaml",
                "compose.yml",
                "compose.yaml",
            )
        ),
        None,
    )
    if file is None:
        return
    try:
        content = yaml.safe_load(project.tree.text(file))
    except yaml.YAMLError:
        return
    services = content.get("services") if isinstance(content, dict) else None
    own = {posixpath.basename(project.source).lower(), project.chosen.module.partition(".")[0].lower()}
    for name, service in (services or {}).items() if isinstance(services, dict) else ():
        image = service.get("image") if isinstance(service, dict) else None
        base = str(image or "").split("/")[-1].partition(":")[0]
        if (
            image
            and not service.get("build")
            and base.lower() not in own
            and not re.search(
                r"postgres|postgis|redis|valkey|nginx|traefik|caddy|python|node|mailhog|mailpit|maildev|adminer|pgadmin|certbot|selenium|flower|\$",
                base,
            )
        ):
            yield Missing(
                what=f"{base} runs beside the project: settings have to say where it is",
                do=f"slipway:services.{_slug(str(name))} with the image {image}, or the address of one that runs elsewhere",
                place=project.tree.line(file, f"{name}:"),
            )


def _finds_queue(project: Project) -> bool:
    return celery_app(project) is not None or project.installs(*_BY_APP, "django_rq") is not None


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:31].strip("-")
    return slug or "process"
