"""What a single value of the settings may be: one type each, with its limits and the words for them.

It knows how ``pulumi config set`` writes values, and nothing about which setting has which type.
"""

import base64
import json
import math
import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from components import source
from components.cron import Schedule
from components.snippets import stands_alone


@dataclass(frozen=True)
class Words:
    """What a kind of value allows, in words."""

    text: str


def _whole(value: object) -> object:
    """Take what ``pulumi config set`` may have written for a whole number."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse()


def _number(value: object) -> object:
    """Take what ``pulumi config set`` may have written for a number: it keeps fractions as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", value):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return _refuse()


def _switch(value: object) -> object:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value] if isinstance(value, str) and value in {"true", "false"} else _refuse()


def text(value: object) -> object:
    """Give text back that ``pulumi config set --path`` made a whole number or a truth value of."""
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int) else value


def _command(value: object) -> object:
    """Take a command as one line too: ``pulumi config set`` writes no lists."""
    try:
        return shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        return _refuse()


COMMAND = BeforeValidator(_command)
"""Reads a command line."""


def _one(value: object) -> object:
    """Take one line for a list of one."""
    return [value] if isinstance(value, str) else value


ONE = BeforeValidator(_one)
"""Reads one line as a list of lines."""


def _lines(value: object) -> object:
    """Take a text for a list of its lines; empty ones and remarks are none."""
    if not isinstance(value, str):
        return value
    lines = (line.strip() for line in value.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


LINES = BeforeValidator(_lines)
"""Reads what is the content of a file elsewhere."""


def _version(value: object) -> object:
    """Take a version that YAML has read as a number."""
    return str(value) if isinstance(value, float) else value


def _refuse() -> object:
    msg = "refused"
    raise ValueError(msg)


def _inside(path: str) -> str:
    if ".." in path.split("/"):
        _refuse()
    return path


def _open(spec: str) -> str:
    """Refuse a password in an address: everybody can read a stack's file, and the history of an image."""
    if re.search(r"://(?!git@)[^/@]*@", spec):
        _refuse()
    return spec


def _host_key(line: str) -> str:
    """Refuse half a key, or one that is not what stands before it."""
    *_, kind, key = line.split()[: 4 if line.startswith("@") else 3]
    if not base64.b64decode(key, validate=True).startswith(len(kind).to_bytes(4) + kind.encode()):
        _refuse()
    return line


def _schedule(text: str) -> str:
    Schedule(text)
    return text


def _place(path: str) -> str:
    """Refuse a password in the address of a repository, as in any other."""
    if source.has_password(path):
        _refuse()
    return path


def _media(path: str) -> str:
    """Keep uploads away from what the containers need for themselves."""
    taken = ("/app", "/opt/venv", "/run/secrets", "/srv/static", "/tmp", "/etc", "/proc", "/sys", "/dev", "/usr")  # noqa: S108 - paths in a container
    around = any(other == path or other.startswith(f"{path}/") for other in taken)
    beneath = any(path.startswith(f"{other}/") for other in taken if other != "/app")
    if around or beneath or posixpath.normpath(path) != path:
        _refuse()
    return path


def _rendered(path: str) -> str:
    """Keep rendered files away from what lies in memory or belongs to the kernel."""
    if posixpath.normpath(path) != path or path.startswith(("/tmp/", "/proc/", "/sys/", "/dev/")):  # noqa: S108 - paths in a container
        _refuse()
    return path


def _own(path: str) -> str:
    """Keep what a service writes away from what every container has anyway."""
    taken = ("/tmp", "/proc", "/sys", "/dev", "/run/secrets")  # noqa: S108 - paths in a container
    if posixpath.normpath(path) != path or any(path == each or path.startswith(f"{each}/") for each in taken):
        _refuse()
    return path


def _pinned(image: str) -> str:
    """Refuse an image that may be another one tomorrow."""
    name = image.rsplit("/", 1)[-1]
    if "@" not in name and (":" not in name or name.endswith(":latest")):
        _refuse()
    return image


def _own_header(name: str) -> str:
    """Refuse headers that carry what an answer is."""
    taken = (
        "cache-control connection content-disposition content-encoding content-length content-range content-type date "
        "keep-alive location server set-cookie trailer transfer-encoding upgrade vary"
    )
    if name.lower() in taken.split() or name.lower().startswith("x-accel-"):
        _refuse()
    return name


def _alone(snippet: str) -> str:
    if not stands_alone(snippet):
        _refuse()
    return snippet


_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_DOTTED = "[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*"
_IMAGE_PART = "[a-z0-9]+([._-]+[a-z0-9]+)*"
_IMAGE = (
    f"^([a-z0-9.-]+(:[0-9]+)?/)?{_IMAGE_PART}(/{_IMAGE_PART})*"
    "(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[a-f0-9]{64})?$"
)

Whole = Annotated[int, BeforeValidator(_whole)]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=1024, le=65535), Words("a whole number from 1024 to 65535")]
Number = Annotated[float, BeforeValidator(_number)]
Switch = Annotated[bool, BeforeValidator(_switch), Words("true or false")]
Slug = Annotated[
    str,
    Field(pattern="^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$"),
    BeforeValidator(text),
    Words("1 to 31 small letters, digits and hyphens, starting with a letter and not ending with a hyphen"),
]
ShortSlug = Annotated[
    str,
    Field(pattern="^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"),
    BeforeValidator(text),
    Words("1 to 20 small letters, digits and hyphens, starting with a letter and not ending with a hyphen"),
]
"""A name below another one, so that both together are a label of Kubernetes."""
PortNumber = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=65535)]
ServiceUrl = Annotated[
    str,
    Field(pattern="^[^\\x00-\\x20]+$", max_length=4096),
    BeforeValidator(text),
    Words("an address without spaces, with ${host} and ${port} in it, such as amqp://${host}:${port}/"),
]
HostName = Annotated[
    str,
    Field(pattern=rf"^{_LABEL}([.]{_LABEL})*$", max_length=253),
    BeforeValidator(text),
    Words("a host name in small letters, such as shop.example.org"),
]
Address = Annotated[
    str,
    Field(pattern=rf"^{_OCTET}([.]{_OCTET}){{3}}$"),
    BeforeValidator(text),
    Words("an IPv4 address: 127.0.0.1 for this machine alone, 0.0.0.0 for every network"),
]
SourcePath = Annotated[
    str,
    Field(min_length=1, max_length=1024, pattern="^[^\\x00-\\x1f]+$"),
    BeforeValidator(text),
    AfterValidator(_place),
    Words(
        "the path of a folder, absolute or relative to the repository, or the address of a git repository without a password"
    ),
]
Ref = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$", max_length=255),
    BeforeValidator(text),
    BeforeValidator(_version),
    AfterValidator(_inside),
    Words("a branch, a tag, or all digits of a commit"),
]
FilePath = Annotated[
    str,
    Field(min_length=1, max_length=1024, pattern="^[^\\x00-\\x1f]+$"),
    BeforeValidator(text),
    Words("the path of a file, absolute or relative to the repository"),
]
InnerPath = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)*$", max_length=1024),
    BeforeValidator(text),
    AfterValidator(_inside),
    Words("the path of a file inside slipway:app.source"),
]
InnerFolder = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)*$", max_length=1024),
    BeforeValidator(text),
    AfterValidator(_inside),
    Words("the path of a folder inside slipway:app.source"),
]
ExtraName = Annotated[
    str, Field(pattern="^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=128), BeforeValidator(text)
]
Requirement = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9][^\\x00-\\x1f]*$", max_length=1024),
    BeforeValidator(text),
    AfterValidator(_open),
]
"""A package, as a file of requirements says it."""
Day = Annotated[
    str,
    Field(pattern="^20[0-9]{2}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z)?$"),
    BeforeValidator(text),
    Words("a day or a moment in UTC, such as 2026-06-30 or 2026-06-30T12:00:00Z"),
]
IndexUrl = Annotated[
    str,
    Field(pattern="^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/%+-]*)?$", max_length=1024),
    BeforeValidator(text),
    Words("the address of a simple index, without credentials, such as https://packages.example.org/simple"),
]
KnownHost = Annotated[
    str,
    Field(
        pattern="^(@(cert-authority|revoked) )?[^ \\x00-\\x1f#@]+ [a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [^\\x00-\\x1f]*)?$",
        max_length=4096,
    ),
    BeforeValidator(text),
    AfterValidator(_host_key),
]
"""A line of a known_hosts file: names of a host, and one of its public keys."""
PackageName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.+-]*$", max_length=128), BeforeValidator(text)]
Line = Annotated[str, Field(min_length=1, max_length=32768, pattern="^[^\\x00\\n\\r]*$"), BeforeValidator(text)]
ContainerPath = Annotated[
    str,
    Field(pattern="^(/[A-Za-z0-9._-]+)+$", max_length=255),
    BeforeValidator(text),
    AfterValidator(_media),
    Words("an absolute path in the container that nothing else uses, such as /srv/media or /app/media"),
]
RenderedPath = Annotated[
    str,
    Field(pattern="^(/[A-Za-z0-9._-]+)+$", max_length=255),
    BeforeValidator(text),
    AfterValidator(_rendered),
]
ServicePath = Annotated[
    str,
    Field(pattern="^(/[A-Za-z0-9._-]+)+$", max_length=255),
    BeforeValidator(text),
    AfterValidator(_own),
]
"""A folder of a service that is no folder of its image alone."""
RenderedText = Annotated[str, Field(pattern="^[^\\x00]*$", max_length=262144), BeforeValidator(text)]
UrlFolder = Annotated[
    str,
    Field(pattern="^/([A-Za-z0-9._~-]+/)+$", max_length=255),
    BeforeValidator(text),
    Words("a path that starts and ends with /, such as /static/"),
]
UrlFolderOrNone = Annotated[
    str,
    Field(pattern="^(none|/([A-Za-z0-9._~-]+/)+)$", max_length=255),
    BeforeValidator(text),
    Words("a path that starts and ends with /, such as /media/, or none"),
]
WebPath = Annotated[
    str,
    Field(pattern="^/([A-Za-z0-9._~-]+/)*([A-Za-z0-9._~-]+)?$", min_length=2, max_length=255),
    BeforeValidator(text),
]
"""A path of a site: with a / at its end all that is below, else itself alone."""
SiteName = Annotated[str, Field(pattern=rf"^([*][.])?{_LABEL}([.]{_LABEL})*$", max_length=253), BeforeValidator(text)]
"""A host name, or all below one."""
HeaderName = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9-]*$", max_length=100), AfterValidator(_own_header)]
HeaderValue = Annotated[str, Field(pattern="^[ -#%-~]+$", max_length=8192), BeforeValidator(text)]
"""What nginx can send: printable, and without the sign that begins a variable."""
RedirectFrom = Annotated[
    str,
    Field(pattern=rf"^(/|(/[A-Za-z0-9._~-]+)+(/[*]?)?|{_LABEL}([.]{_LABEL})*)$", max_length=255),
]
RedirectTo = Annotated[
    str,
    Field(
        pattern=rf"^(30[1278] )?(/|https?://{_LABEL}([.]{_LABEL})*(:[0-9]+)?)(/?[A-Za-z0-9._~?=&%#+,@:!-]+)*/?[*]?$",
        max_length=1024,
    ),
    BeforeValidator(text),
]
LocationMatch = Annotated[str, Field(pattern="^((=|~|~[*]|\\^~) )?[^\x00-\x20{};\"'#]+$", max_length=255)]
"""What nginx takes after ``location``."""
LocationText = Annotated[
    str, Field(pattern="^[^\x00-\x08\x0b-\x1f]+$", max_length=16384), BeforeValidator(text), AfterValidator(_alone)
]
UrlPath = Annotated[
    str,
    Field(pattern="^/[A-Za-z0-9._~/?=&%-]*$", max_length=1024),
    BeforeValidator(text),
    Words("a path that starts with /, such as /healthz"),
]
Module = Annotated[
    str,
    Field(pattern=f"^{_DOTTED}$", max_length=200),
    BeforeValidator(text),
    Words("the dotted name of a Python module, such as config.settings"),
]
Dotted = Annotated[
    str,
    Field(pattern=f"^{_DOTTED}$", max_length=200),
    BeforeValidator(text),
    Words("one of gunicorn's names for a class, or the dotted name of one"),
]
Wsgi = Annotated[
    str,
    Field(pattern=f"^{_DOTTED}:[A-Za-z_][A-Za-z0-9_]*$", max_length=255),
    BeforeValidator(text),
    Words("MODULE:NAME, such as config.wsgi:application"),
]
Image = Annotated[
    str,
    Field(pattern=_IMAGE, max_length=512),
    BeforeValidator(text),
    AfterValidator(_pinned),
    Words("an image with a tag other than latest, or with a digest, such as nginx:1.26"),
]
ImmutableImage = Annotated[
    str,
    Field(pattern=f"^((.*/)?{_IMAGE_PART}@)?sha256:[0-9a-f]{{64}}$", max_length=512),
    BeforeValidator(text),
    Words("an image by its digest: sha256: and 64 hexadecimal digits, or REGISTRY/NAME@ before that"),
]
ReleaseName = Annotated[
    str,
    Field(pattern="^[0-9a-f]{12}$"),
    BeforeValidator(text),
    Words("the 12 hexadecimal digits of a release"),
]
StackName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_.-]{1,100}$"),
    BeforeValidator(text),
    Words("the name of a stack"),
]
CronFields = Annotated[
    str,
    Field(max_length=200),
    BeforeValidator(text),
    AfterValidator(_schedule),
    Words("minute hour day month weekday, each of numbers, * - , and /, such as 0 3 * * * for three in the night"),
]
Statuses = Annotated[
    str,
    Field(pattern="^[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*$", max_length=200),
    BeforeValidator(text),
    Words("numbers from 100 to 599, or ranges of them, with commas between, such as 200-299,401"),
]
VariableName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=255)]
VariableValue = Annotated[str, Field(pattern="^[^\\x00]*$", max_length=32768), BeforeValidator(text)]
Environment = Annotated[
    dict[VariableName, VariableValue],
    Words("NAME: value pairs, each name of letters, digits and _, each value text"),
]
RenderedFiles = Annotated[
    dict[RenderedPath, RenderedText],
    Words("PATH: text pairs, each path absolute and not in /tmp, /proc, /sys or /dev"),
]
StepName = Annotated[str, Field(pattern="^[a-z][a-z0-9_-]{0,62}$")]
Word = Annotated[str, Field(min_length=1, max_length=32768, pattern="^[^\\x00]*$"), BeforeValidator(text)]
_COMMAND_WORDS = Words("a list of words, program first, or one line with them; quotes hold words together")
Command = Annotated[list[Word], Field(min_length=1, max_length=100), COMMAND, _COMMAND_WORDS]
MaybeCommand = Annotated[list[Word], Field(max_length=100), COMMAND, _COMMAND_WORDS]
"""A command, or an empty list for none."""
Text = Annotated[
    str,
    Field(pattern="^[^\\x00-\\x1f]+$", max_length=253),
    BeforeValidator(text),
    Words("a name without line breaks, as `kubectl config get-contexts` lists it"),
]
NamespaceName = Annotated[
    str,
    Field(pattern="^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"),
    BeforeValidator(text),
    Words("1 to 63 small letters, digits and hyphens, starting with a letter and not ending with a hyphen"),
]
ClassName = Annotated[
    str,
    Field(pattern=rf"^{_LABEL}([.]{_LABEL})*$", max_length=253),
    BeforeValidator(text),
    Words("the name of an object of the cluster: small letters, digits, hyphens and dots"),
]
GatewayName = Annotated[
    str,
    Field(pattern=rf"^{_LABEL}/{_LABEL}([.]{_LABEL})*$", max_length=317),
    BeforeValidator(text),
    Words("NAMESPACE/NAME of a Gateway, such as gateways/public"),
]
Registry = Annotated[
    str,
    Field(
        pattern=f"^([a-z0-9.-]+[.][a-z0-9-]+|localhost|[a-z0-9.-]+:[0-9]+)(:[0-9]+)?(/{_IMAGE_PART})*$", max_length=255
    ),
    BeforeValidator(text),
    Words("a registry and a path in it, without a tag, such as registry.example.org/team or 127.0.0.1:5000"),
]
PythonVersion = Annotated[Literal["3.11", "3.12", "3.13", "3.14"], BeforeValidator(_version)]
NodeVersion = Annotated[Literal["24", "22"], BeforeValidator(text)]
