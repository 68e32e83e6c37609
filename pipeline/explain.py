"""What errors of Pulumi, Docker, Kubernetes and the build mean, and the command that mends each.

A table of patterns, tried in order; it runs nothing and changes nothing. What is not in it is printed as Pulumi said it.
"""

import re
from collections.abc import Callable
from re import Match
from typing import TYPE_CHECKING

from components import agent
from components.dependencies import LOCK_COMMANDS, LOCKS
from pipeline import backend
from pipeline.console import PipelineError, Problem
from pipeline.init.dependencies import canonical
from pipeline.init.packages import TABLE
from pipeline.readable import plain

if TYPE_CHECKING:
    from pipeline.engine import Engine

type_of_rule = Callable[[Match[str], "Engine"], Problem]


def _passphrase_wrong(_found: Match[str], engine: "Engine") -> Problem:
    source = engine.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    where = "PULUMI_CONFIG_PASSPHRASE" if "PULUMI_CONFIG_PASSPHRASE" in engine.environ else (source or "no variable")
    return Problem(
        f"the passphrase (from {where}) does not open the secrets of stack {engine.stack}",
        allowed=f"the passphrase that stacks/{engine.stack_file.name} was made with",
        mend="export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase",
    )


def _passphrase_missing(_found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"no passphrase is set, and the secrets of stack {engine.stack} need one",
        allowed="PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
        mend="tools/bootstrap && . .slipway/env",
    )


def _locked(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"another update of stack {engine.stack} is running: {found['who']}",
        mend=f"wait for it; if it is gone for good: pulumi cancel --yes {engine.stack}",
    )


def _secret(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"stacks/{engine.stack_file.name}: the secret {found['key']} is missing",
        mend=f"python -m pipeline secrets init {engine.stack}",
    )


def _protected(found: Match[str], engine: "Engine") -> Problem:
    name = found["what"].rpartition("::")[2]
    if volume := re.fullmatch(r"(?:volume-)?(.+)-storage-(?:claim|volume)", name):
        name = f"the volume {volume[1]}"
    return Problem(
        f"{name} is protected, and this change would delete it with its data",
        allowed="changes that keep protected data; data that may go is given free by an update of its own before",
        mend="take the change back; or, where the data may go:\n"
        f"pulumi config set --path slipway:data.protect false --stack {engine.stack}   # and `make up` before this change",
    )


def _disk(_found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        "the disk is full: no space left on device",
        mend="docker system df   # shows what Docker holds\ndocker image prune   # removes images nothing uses",
    )


def _networks(_found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        "the Docker host has no addresses for another network: Docker has room for some 30 by default, and each stack has two",
        allowed="more address pools in /etc/docker/daemon.json, such as 256 small ones:\n"
        '{"default-address-pools": [{"base": "10.200.0.0/16", "size": 24}]}',
        mend="docker network ls   # what there is; `docker network prune` removes those that nothing uses\n"
        "systemctl restart docker   # once daemon.json says more",
    )


def _port(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:edge.port: {found['address']} is taken by another program",
        mend=f"pulumi config set --path slipway:edge.port OTHER_PORT --stack {engine.stack}",
    )


def _build(found: Match[str], engine: "Engine") -> Problem:
    """Name what the project's own code said while its static files were collected."""
    error = found["error"].strip()
    module = re.search(r"No module named '([\w.]+)'", error)
    if module is None:
        return Problem(
            f"the image cannot be built, since Django does not start in it: {error}",
            allowed="settings that can be imported with a made-up SECRET_KEY, DATABASE_URL and REDIS_URL",
            mend="mend the project and run the same command again",
        )
    return Problem(
        f"the image cannot be built, since Django does not start in it: No module named '{module[1]}'",
        allowed="modules of the project, and packages that its requirements list",
        mend=f"list the package in the requirements; or, if the settings module is wrong:\n"
        f"pulumi config set --path slipway:app.settings_module NAME --stack {engine.stack}",
    )


def _build_command(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:build.commands: `{found['command'].strip()}` failed with exit code {found['code']} "
        "while the image was built (what it said is above)",
        allowed="commands that work without the database and with made-up secrets",
        mend=f"mend the project, or the command in stacks/{engine.stack_file.name}, and run the same command again",
    )


def _release_command(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"{found['key']}: `{found['command'].strip()}` failed with exit code {found['code']} (what it said is above)",
        mend=f"mend the project, or the command in stacks/{engine.stack_file.name}, and run the same command again",
    )


def _release_late(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:release.timeout_seconds: `{found['command'].strip()}` was stopped, since it had not ended after "
        f"{found['seconds']} s",
        allowed="as long as the longest migration or command takes",
        mend=f"pulumi config set --path slipway:release.timeout_seconds SECONDS --stack {engine.stack}",
    )


def _assets_command(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:assets.{found['key']}: `{found['command'].strip()}` failed with exit code {found['code']} "
        "while the assets were made (what it said is above)",
        allowed="commands that work where package.json is, with that folder and slipway:assets.inputs alone",
        mend=f"mend the project, or the command in stacks/{engine.stack_file.name}, and run the same command again",
    )


def _assets_outputs(found: Match[str], engine: "Engine") -> Problem:
    made = found["made"].strip()
    return Problem(
        f"slipway:assets.outputs: nothing made {found['name']} while the assets were made",
        allowed="files and folders that the commands make"
        + (f"; they made {made}" if made != "nothing" else ", and they made no file"),
        mend=f"pulumi config set --path slipway:assets.outputs FOLDER --stack {engine.stack}",
    )


def _assets_lock(found: Match[str], _engine: "Engine") -> Problem:
    lock, command = next(
        pair
        for name, pair in {
            "npm": ("package-lock.json", "npm install"),
            "yarn": ("yarn.lock", "yarn install"),
            "pnpm": ("pnpm-lock.yaml", "pnpm install"),
        }.items()
        if found[name]
    )
    return Problem(
        f"{lock} does not match package.json: somebody changed what the assets depend on, and not the lock",
        allowed=f"a {lock} that was made from the package.json beside it",
        mend=f"{command}   # in the folder of {lock}; commit it",
    )


def _left_out(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"the build needs {found['path']}, which is in the project and not in what the builder gets",
        allowed="a .dockerignore of the project that leaves it in",
        mend=f"echo '!{found['path']}' >> .dockerignore   # in the folder of slipway:app.source",
    )


def _system_package(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:build: the system of the base image has no package {found['name']}",
        allowed="names of packages of its release, for the usual images Debian's",
        mend=f"correct packages or runtime_packages in stacks/{engine.stack_file.name}",
    )


def _lock(found: Match[str], _engine: "Engine") -> Problem:
    lock, made_from, command = next(
        (lock, made_from, LOCK_COMMANDS[installer])
        for installer, (lock, made_from) in LOCKS.items()
        if found[installer]
    )
    return Problem(
        f"{lock} does not match {made_from}: somebody changed what the project depends on, and not the lock",
        allowed=f"a {lock} that was made from the {made_from} beside it",
        mend=f"{command}   # in the folder of {lock}; commit it",
    )


def _not_built(found: Match[str], engine: "Engine") -> Problem:
    """Name what a package wants of the system; what its build said is above."""
    # What is named after its wheels is compiled as the other one is, where there is none for this Python.
    needs = TABLE.get(canonical(found["package"].partition("==")[0]).removesuffix("-binary"))
    if needs is not None and needs.build:
        lists = (("packages", needs.build), ("runtime_packages", needs.runtime))
        return Problem(
            f"the dependency {found['package']} has no wheel for this image and {needs.why} (what its build said is above)",
            allowed="packages with wheels, or what a build needs of the system, in slipway:build.packages",
            mend="\n".join(
                f"pulumi config set --path slipway:build.{key} '{' '.join(names)}' --stack {engine.stack}   # beside what is there"
                for key, names in lists
                if names
            ),
        )
    return Problem(
        f"the dependency {found['package']} has no wheel for this image and cannot be built (what its build said is above)",
        allowed="packages with wheels, or what a build needs of the system, in slipway:build.packages",
        mend="pulumi config set --path slipway:build.packages 'build-essential pkg-config' "
        f"--stack {engine.stack}   # with the -dev packages of the libraries that it names\n"
        f"pulumi config set --path slipway:dependencies.build_constraints 'setuptools<70' --stack {engine.stack}   "
        "# or an older tool, where a newer one broke it\n"
        f"pulumi config set --path slipway:app.python VERSION --stack {engine.stack}   "
        "# or an older Python, which it has a wheel for",
    )


def _hash(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"{found['package']} is not what the project's files say: its hash is another one",
        allowed="the file whose hash they have",
        mend="find out which of the two is right before anything else: a changed file may be an attack",
    )


def _no_solution(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"no versions of the dependencies fit together: {found['why'].strip()}",
        allowed="requirements and slipway:dependencies.constraints that can all hold, for slipway:app.python",
        mend=f"correct them, in the project or in stacks/{engine.stack_file.name}",
    )


def _python(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:app.python: the image has Python {found['has']}, and the project wants {found['wants']}",
        allowed="a version that fits",
        mend=f"pulumi config set --path slipway:app.python VERSION --stack {engine.stack}",
    )


def _git(_found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        "a dependency comes from git, which the image does not have while it is built",
        allowed="git in slipway:build.packages",
        mend=f"pulumi config set --path slipway:build.packages git --stack {engine.stack}   # beside what is there",
    )


def _ssh_unused(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"a dependency comes from git by SSH, and slipway:dependencies.ssh_hosts does not name {found['host']}",
        allowed="the public keys of each host that dependencies come from by SSH",
        mend=agent.scan([(found["host"], found["port"])], engine.stack),
    )


def _ssh_unknown(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:dependencies.ssh_hosts: it has no key of {found['host']} that fits",
        allowed="the public keys of each host that dependencies come from by SSH; with a port: [HOST]:PORT TYPE KEY",
        mend=agent.scan([(found["host"], found["port"])], engine.stack),
    )


def _ssh_changed(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:dependencies.ssh_hosts: {found['host']} shows another key than the one that stands there",
        allowed="the key of the host",
        mend="find out which of the two is right before anything else: another key may be an attack; then, if it is new:\n"
        + agent.scan([(found["host"], found["port"])], engine.stack),
    )


def _ssh_refused(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"a dependency comes from git by SSH, and {found['host']} lets {found['user']} in with none of the agent's keys",
        allowed="an SSH agent with a key that may read the repository",
        mend=f"ssh-add PATH_OF_THE_KEY   # ssh-add -l lists what the agent has; ssh -T {found['user']}@{found['host']} tries it",
    )


def _ssh_away(found: Match[str], _engine: "Engine") -> Problem:
    host = found["host"] or found["name"]
    return Problem(
        f"a dependency comes from git by SSH, and the build does not reach {host}: {(found['why'] or 'no such host')}",
        allowed="a host that the machine of the builder reaches",
        mend=f"ssh {host}   # from the machine that builds, until it answers",
    )


def _registry(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"a registry cannot be reached: {found['what'].strip()}",
        allowed="a route to the registry, or the images in the local one",
        mend="tools/bootstrap   # brings images where registries cannot be reached, and says what is missing",
    )


def _image(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"the image {found['image']} cannot be had from any registry that this machine reaches",
        mend="tools/bootstrap   # brings the images of the default settings; or set another image",
    )


def _connected(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"Docker does not remove network {found['name']}, since something is still connected to it",
        mend=f"docker network inspect {found['name']}   # names it; docker network disconnect lets it go\n"
        f"# where it names nothing, Docker has lost count: restart its daemon, then make down STACK={engine.stack}",
    )


def _daemon(_found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"the Docker daemon does not answer at {engine.environ.get('DOCKER_HOST', 'unix:///var/run/docker.sock')}",
        mend="tools/bootstrap   # starts it where it may, or says how",
    )


STEP_RULES: list[tuple[str, type_of_rule]] = [
    (
        r"release command failed with exit code (?P<code>-?\d+) \((?P<key>slipway:release\.(?:commands|once)[^)]*)\): (?P<command>[^\n]+)",
        _release_command,
    ),
    (
        r"release command was stopped before it ended \(slipway:release\.timeout_seconds is (?P<seconds>\d+)\): (?P<command>[^\n]+)",
        _release_late,
    ),
]
"""What the step says that brings the database to a release: at the end of an output, or of its log."""

RULES: list[tuple[str, type_of_rule]] = [
    (r"incorrect passphrase", _passphrase_wrong),
    (r"passphrase must be set with PULUMI_CONFIG_PASSPHRASE", _passphrase_missing),
    (r"stack is currently locked by (?s:.*?)created by (?P<who>[^\n]+)", _locked),
    (r"Missing required configuration variable '(?P<key>secrets:[\w-]+)'", _secret),
    (r'resource "(?P<what>[^"\n]+)" cannot be deleted\s+because it is protected', _protected),
    (r'unable to replace resource "(?P<what>[^"\n]+)"[^\n]* marked for protection', _protected),
    (r"no space left on device", _disk),
    (r"non-overlapping IPv4 address pool|all predefined address pools have been fully subnetted", _networks),
    (
        r"(?:Bind for|listen tcp4?) (?P<address>\S+?):? (?:failed: port is already allocated|bind: address already in use)",
        _port,
    ),
    (
        r"(?P<npm>`npm ci` can only install packages when)|(?P<yarn>Your lockfile needs to be updated, but yarn|The lockfile would have been modified by this install)|(?P<pnpm>ERR_PNPM_OUTDATED_LOCKFILE)",
        _assets_lock,
    ),
    (
        r"slipway:assets\.(?P<key>install|build): the command failed with exit code (?P<code>\d+): (?P<command>[^\n]+)",
        _assets_command,
    ),
    (r"slipway:assets\.outputs: the build made no (?P<name>[^;\n]+); it made: (?P<made>[^\n]+)", _assets_outputs),
    (r"failed to (?:calculate checksum|compute cache key)[^\n]*\"/(?P<path>[^\"\n]+)\": not found", _left_out),
    (r"the build command failed with exit code (?P<code>-?\d+): (?P<command>[^\n]+)", _build_command),
    *STEP_RULES,
    (
        r"(?P<uv>`uv.lock` needs to be updated)|(?P<poetry>changed significantly since poetry.lock was last generated)|(?P<pipenv>Pipfile.lock is out-of-date)",
        _lock,
    ),
    (r"Failed to build `(?P<package>[^`]+)`", _not_built),
    (
        r"No solution found when resolving dependencies[^\n]*\n[^\n]*cause: (?P<why>[^\n]+)",
        _no_solution,
    ),
    (r"Hash mismatch for `(?P<package>[^`]+)`", _hash),
    (
        r"resolved to Python (?P<has>[\d.]+), which is incompatible with the project's Python requirement: `(?P<wants>[^`]+)`",
        _python,
    ),
    (
        r"ssh://(?:[^@/\s]*@)?(?P<host>[^/:\s]+)(?::(?P<port>\d+))?(?s:.{0,4000}?)(?:Git executable not found|cannot run ssh: No such file)",
        _ssh_unused,
    ),
    (r"Git executable not found", _git),
    (r"No \S+ host key is known for \[?(?P<host>[^\s\]]+)\]?(?::(?P<port>\d+))? and", _ssh_unknown),
    (r"[Hh]ost key for \[?(?P<host>[^\s\]]+)\]?(?::(?P<port>\d+))? has changed", _ssh_changed),
    (r"(?P<user>[^\s@|]+)@(?P<host>[^\s:|]+): Permission denied \(", _ssh_refused),
    (
        r"ssh: (?:connect to host (?P<host>\S+) port \d+: (?P<why>[^\n]+)|Could not resolve hostname (?P<name>[^\s:]+))",
        _ssh_away,
    ),
    (r"E: Unable to locate package (?P<name>\S+)", _system_package),
    (
        r"#\d+ [\d.]+ (?P<error>[A-Z][\w.]*(?:Error|Exception|ImproperlyConfigured): [^\n]+|django[\w.]+: [^\n]+)",
        _build,
    ),
    (r"(?:manifest for|pull access denied for) (?P<image>\S+?),? (?:not found|repository does not exist)", _image),
    (r"failed to resolve source metadata for (?:docker\.io/(?:library/)?)?(?P<image>\S+): \S+: not found", _image),
    (
        r"(?P<what>(?:lookup \S+|dial tcp \S+)[^\n]*(?:no such host|connection refused|i/o timeout|server misbehaving))",
        _registry,
    ),
    (r"network:? (?P<name>\S+?):? (?:id \S+|after \d+ s it still) has active endpoints", _connected),
    (r"Cannot connect to the Docker daemon|error during connect", _daemon),
]


def _cluster_away(found: Match[str], engine: "Engine") -> Problem:
    why = re.sub(r".*?(?=dial tcp|x509|tls:|invalid configuration|the server has asked)", "", found["why"] or "")
    return Problem(
        f"the Kubernetes cluster of stack {engine.stack} does not answer: {why.strip() or 'no reason is given'}",
        allowed="an API server that answers and knows the credentials of the kubeconfig",
        mend=f"make doctor STACK={engine.stack}\n"
        "# if the cluster is gone for good, with everything in it:\n"
        f"PULUMI_K8S_DELETE_UNREACHABLE=true pulumi refresh --yes --stack {engine.stack}",
    )


def _exists(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"{found['what']} is in the cluster already, and stack {engine.stack} did not make it",
        allowed="a namespace that belongs to this stack alone",
        mend=f"pulumi config set --path slipway:kubernetes.namespace OTHER --stack {engine.stack}",
    )


def _conflict(found: Match[str], engine: "Engine") -> Problem:
    fields = ", ".join(line.removeprefix("- ").strip() for line in found["fields"].strip().splitlines())
    return Problem(
        f"somebody else has changed what stack {engine.stack} owns: {found['who']} set {fields}",
        allowed="changes by way of the settings",
        mend=f"PULUMI_K8S_ENABLE_PATCH_FORCE=true make up STACK={engine.stack}   # takes it back",
    )


def _insecure(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(f"the cluster refuses a pod: it {found['why'].strip()}", mend="change what the pod asks for")


def _quota(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"a quota of the namespace is too small: {found['why'].strip()}",
        mend=f"kubectl describe resourcequota -n NAMESPACE   # whoever administers the cluster raises it\n"
        f"pulumi config set --path slipway:web.replicas 1 --stack {engine.stack}   # or less of everything",
    )


def _may_not(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"the credentials of the kubeconfig may not do what stack {engine.stack} needs: {found['why'].strip()}",
        mend="kubectl auth can-i --list -n NAMESPACE   # whoever administers the cluster gives what is missing",
    )


def _size(claim: str | None) -> str:
    """Name the setting that says how large a claim is."""
    if claim is None:
        return "slipway:kubernetes.storage.NAME_gb"
    name = claim.removeprefix("volume-")
    return f"slipway:volumes.{name}.size_gb" if name != claim else f"slipway:kubernetes.storage.{name}_gb"


def _smaller(found: Match[str], engine: "Engine") -> Problem:
    key = _size(found["claim"])
    return Problem(
        f"{key}: the claim{_called(found)} was to become smaller, which no storage can; nothing was lost",
        allowed="the size that it has, or a larger one",
        mend=f"pulumi config set --path {key} SIZE --stack {engine.stack}",
    )


def _called(found: Match[str]) -> str:
    return f" {found['claim']}" if found["claim"] else ""


def _fixed_size(found: Match[str], engine: "Engine") -> Problem:
    key = _size(found["claim"])
    return Problem(
        f"{key}: the claim{_called(found)} was to grow, which its storage class does not allow; nothing was lost",
        allowed="the size that it has, or a class with allowVolumeExpansion",
        mend=f"pulumi config set --path {key} SIZE --stack {engine.stack}",
    )


def _immutable(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"the cluster does not let that change: {found['what'].strip()}",
        allowed="what it was made with, for as long as it exists",
        mend=f"set it back in stacks/{engine.stack_file.name}, or move the data to a new stack",
    )


def _unknown_kind(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"the cluster does not know {found['what']}: what brings it is not installed",
        mend="kubectl api-resources   # shows what it knows",
    )


def _login(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"the registry does not let this machine push the image: {found['what'].strip()}",
        allowed="credentials that may push there",
        mend="docker login REGISTRY   # the one of slipway:kubernetes.registry\n"
        f"pulumi config set --path slipway:kubernetes.registry REGISTRY --stack {engine.stack}   # or another one",
    )


def _late(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"{found['name'] or 'something in the cluster'} was not ready in time; what served before goes on serving",
        mend=f"make doctor STACK={engine.stack}   # shows what does not run, and why",
    )


def _plan(found: Match[str], engine: "Engine") -> Problem:
    name = found["name"].rpartition("::")[2]
    return Problem(
        f"the plan no longer fits stack {engine.stack}: {name}: {found['why'].strip()}",
        allowed="what the plan shows: the settings, the project and what runs, as they were when it was made",
        mend=f"python -m pipeline preview {engine.stack} --save-plan FILE   # and have the new plan reviewed",
    )


BACKEND_RULES: list[tuple[str, type_of_rule]] = [
    (r'unable to open state (?:database|bucket|store|directory) "?[^\n]*?"?: (?P<why>[^\n]+)', backend.explain),
    (r"blob \((?:key [^\n]*?)?code=\w+\): (?P<why>[^\n]+)", backend.explain),
    (r"(?P<name>[\w.-]+) +error: (?P<why>[a-z-]+ is not allowed by the plan: [^\n]+)", _plan),
    (r"resource (?P<name>urn:\S+) violates plan: (?P<why>[^\n]+)", _plan),
]
"""What Pulumi says about the place of the state and about a plan. These come before all others: an address in them is not
one of a cluster or of a registry."""

CLUSTER_RULES: list[tuple[str, type_of_rule]] = [
    (r"configured Kubernetes cluster is unreachable(?:: *(?P<why>[^\n]+))?", _cluster_away),
    (r"failed to read resource state due to unreachable cluster(?P<why>)", _cluster_away),
    (r'conflict with "(?P<who>[^"]+)"(?: with subresource "[^"]+")? using \S+ (?P<fields>[^\n]+)', _conflict),
    (
        r'conflict(?:s)? with "(?P<who>[^"]+)"(?: with subresource "[^"]+")? using \S+:(?P<fields>(?:\n-[^\n]+)+)',
        _conflict,
    ),
    (r'(?P<what>[\w.]+ "[^"]+") already exists', _exists),
    (r"is forbidden: (?P<why>violates PodSecurity[^\n]+)", _insecure),
    (r"is forbidden: (?P<why>exceeded quota[^\n]+)", _quota),
    (r'is forbidden: (?P<why>User "[^"]+" cannot [^\n]+)', _may_not),
    (
        r"(?:PersistentVolumeClaim \W*(?P<claim>[\w-]+)[^\n]*?)?field can not be less than (?:previous value|status\.capacity)",
        _smaller,
    ),
    (
        r"(?:persistentvolumeclaims \W*(?P<claim>[\w-]+)[^\n]*?)?only dynamically provisioned pvc can be resized",
        _fixed_size,
    ),
    (
        r"(?P<what>[^\n]*(?:field is immutable|is immutable after creation|updates to statefulset spec)[^\n]*)",
        _immutable,
    ),
    (
        r"resource (?P<what>\S+(?: with kind \S+)?) failed because the Kubernetes API server reported that the apiVersion",
        _unknown_kind,
    ),
]
"""What the kubernetes plugin says. These come first: an address in them is not one of a registry."""

_DENIED = (
    "requested access to the resource is denied|no basic auth credentials|failed to authorize"
    "|authorization failed|unauthorized: authentication required"
)

LAST_RULES: list[tuple[str, type_of_rule]] = [
    (rf"(?P<what>[^\n]*(?:{_DENIED})[^\n]*)", _login),
    (r"(?:'(?P<name>[^'\n]+)' )?timed out waiting (?:to be Ready|for the condition)", _late),
]


def explain(text: str, engine: "Engine", rules: "list[tuple[str, type_of_rule]] | None" = None) -> PipelineError | None:
    """Find what an output means; None when the table does not know it."""
    clean = "\n".join(plain(line) for line in text.splitlines())
    for pattern, rule in [*BACKEND_RULES, *CLUSTER_RULES, *RULES, *LAST_RULES] if rules is None else rules:
        found = re.search(pattern, clean)
        if found is not None:
            return PipelineError(rule(found, engine))
    return None
