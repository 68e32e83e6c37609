"""Packages of the system that dependencies need, by the names that Debian has for them.

A table with a reason for each. What has wheels with everything inside (Pillow, lxml, cryptography, psycopg[binary]) needs
none and is not in it. What is loaded is needed while the image is built as well: the project is imported there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from components import agent
from pipeline.init import python, wheels
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project

_SSH = re.compile(r"(?:ssh://(?:[^@/\s]*@)?|(?<![/\w.])git@)(?P<host>[\w.-]+)(?::(?P<port>\d+)(?=/))?")
"""An address that git asks by SSH, with a scheme or in the short form."""
_GIT = re.compile(r"""\bgit\+\w+:|(?<![\w-])git = ["']""")
"""How a file says that a dependency comes from git; ``django-taggit = "1"`` is none."""

_COMPILER = ("gcc", "libc6-dev")


@dataclass(frozen=True)
class Needs:
    """What one distribution needs."""

    build: tuple[str, ...]
    """While the image is built."""
    runtime: tuple[str, ...]
    """While the project runs."""
    why: str
    """The reason."""


TABLE: dict[str, Needs] = {
    "psycopg2": Needs((*_COMPILER, "libpq-dev"), ("libpq5",), "is compiled against libpq"),
    "psycopg-c": Needs((*_COMPILER, "libpq-dev"), ("libpq5",), "is compiled against libpq"),
    "psycopg2cffi": Needs((*_COMPILER, "libpq-dev"), ("libpq5",), "is compiled against libpq"),
    "mysqlclient": Needs(
        (*_COMPILER, "pkg-config", "default-libmysqlclient-dev"),
        ("libmariadb3",),
        "is compiled against MySQL's library",
    ),
    "xmlsec": Needs(
        (*_COMPILER, "pkg-config", "libxml2-dev", "libxmlsec1-dev", "libxmlsec1-openssl"),
        ("libxmlsec1-openssl",),
        "is compiled against libxmlsec1",
    ),
    "python-ldap": Needs(
        (*_COMPILER, "libldap2-dev", "libsasl2-dev"), ("libldap2", "libsasl2-2"), "is compiled against OpenLDAP"
    ),
    "uwsgi": Needs(_COMPILER, (), "is compiled, though gunicorn serves"),
    "pylibmc": Needs(
        (*_COMPILER, "libmemcached-dev", "zlib1g-dev"), ("libmemcached11",), "is compiled against libmemcached"
    ),
    "pycurl": Needs((*_COMPILER, "libcurl4-openssl-dev", "libssl-dev"), ("libcurl4",), "is compiled against curl"),
    "pygraphviz": Needs((*_COMPILER, "libgraphviz-dev"), ("graphviz",), "is compiled against Graphviz"),
    "pycairo": Needs((*_COMPILER, "pkg-config", "libcairo2-dev"), ("libcairo2",), "is compiled against Cairo"),
    "cairosvg": Needs((), ("libcairo2",), "loads Cairo"),
    "cairocffi": Needs((), ("libcairo2",), "loads Cairo"),
    "weasyprint": Needs((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"), "loads Pango"),
    "python-magic": Needs((), ("libmagic1",), "loads libmagic"),
    "pyzbar": Needs((), ("libzbar0",), "loads zbar"),
    "pdf2image": Needs((), ("poppler-utils",), "runs pdftoppm"),
    "pytesseract": Needs((), ("tesseract-ocr",), "runs tesseract"),
    "ffmpeg-python": Needs((), ("ffmpeg",), "runs ffmpeg"),
    "pydub": Needs((), ("ffmpeg",), "runs ffmpeg"),
    "pypandoc": Needs((), ("pandoc",), "runs pandoc"),
    "wand": Needs((), ("imagemagick",), "loads ImageMagick"),
    "opencv-python": Needs((), ("libgl1", "libglib2.0-0"), "loads OpenGL"),
    "pyodbc": Needs((), ("unixodbc",), "loads unixODBC"),
    "gitpython": Needs((), ("git",), "runs git"),
    "django-dbbackup": Needs((), ("postgresql-client",), "runs pg_dump"),
}
"""By the name of the distribution."""


def find(project: Project) -> Iterator[Found]:
    """Name the packages of the system."""
    needed = dict(_needed(project))
    for name, needs in needed.items():
        place = project.of_package(name)
        why = f"{name} {needs.why}"
        if needs.build:
            yield Setting(path=("build", "packages"), value=needs.build, why=why, place=place)
        if needs.runtime and needs.why.startswith("loads "):  # the build imports the project, too
            yield Setting(path=("build", "packages"), value=needs.runtime, why=why, place=place)
        if needs.runtime:
            yield Setting(path=("build", "runtime_packages"), value=needs.runtime, why=why, place=place)
    bare = "psycopg" in project.packages and project.has("psycopg-binary", "psycopg-c") is None
    if bare and not any(each.startswith(("psycopg[binary", "psycopg[c")) for each in project.packages):
        place = project.of_package("psycopg")
        for key in ("packages", "runtime_packages"):
            why = "psycopg without [binary] loads libpq"
            yield Setting(path=("build", key), value=("libpq5",), why=why, place=place)
    git = next(
        (file for file in project.declared if _GIT.search(project.tree.text(file))),
        None,
    )
    if git is not None:
        found = _GIT.search(project.tree.text(git))
        where = project.tree.line(git, found[0]) if found else Place(git)
        yield Setting(path=("build", "packages"), value=("git",), why="a dependency comes from git", place=where)
    yield from _by_ssh(project)
    if project.installs("django.contrib.gis"):
        place = project.of_app("django.contrib.gis")
        for key in ("packages", "runtime_packages"):
            why = "django.contrib.gis loads GEOS, GDAL and PROJ"
            yield Setting(path=("build", key), value=("binutils", "libproj-dev", "gdal-bin"), why=why, place=place)
        yield Missing(
            what="django.contrib.gis needs a PostgreSQL with PostGIS",
            do=f"pulumi config set --path slipway:postgres.image postgis/postgis:17-3.5 --stack {project.stack}",
            place=project.of_app("django.contrib.gis"),
        )


def _by_ssh(project: Project) -> Iterator[Missing]:
    """Name the hosts that dependencies come from by SSH: what their keys are, no file of a project says."""
    lines = [(file, line) for file in project.declared for line in project.tree.text(file).splitlines()]
    found = [(file, match) for file, line in lines if not line.startswith("#") for match in _SSH.finditer(line)]
    if found:
        file, first = found[0]
        hosts = [(match["host"], match["port"]) for _, match in found]
        yield Missing(
            what=f"dependencies come from git by SSH, and nothing says the public keys of {', '.join(dict(hosts))}",
            do=agent.scan(hosts, project.stack),
            place=project.tree.line(file, first[0]),
        )


def _needed(project: Project) -> Iterator[tuple[str, Needs]]:
    yield from ((name, needs) for name, needs in TABLE.items() if name in project.packages)
    for each in wheels.of_table(project.packages):  # psycopg2-binary that is older than every Python that there is
        if each.package.startswith("psycopg2-binary ") and python.fits(each.newest, f"<{python.VERSIONS[0]}"):
            yield "psycopg2-binary", TABLE["psycopg2"]
