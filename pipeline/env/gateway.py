"""The gateway of a host, brought up and taken away: a stack of its own, in the project of the folder ``pipeline/gateway``.

It is there before the first environment and stays after the last. Its configuration names no environment, so none of
them changes it.
"""

import re
from dataclasses import replace
from pathlib import Path

import docker
import yaml
from docker.models.containers import Container

from components import gateway
from components.labels import STACK
from components.model import Gateway
from pipeline import down as down_
from pipeline import draft, failed, host, interrupted, secrets, stack
from pipeline.console import problem
from pipeline.engine import Engine
from pipeline.env import stackfile, trace
from pipeline.host.check import daemon, holder

FOLDER = "pipeline/gateway"
"""Where its project is, in the repository."""

PROJECT = "slipway-gateway"

_SERVED = r"end in \.([a-z0-9.-]+)\\n"
"""Where the configuration of a gateway names the domain that it serves."""


def engine_of(engine: Engine, said: Gateway) -> Engine:
    """Give the engine of a gateway's stack."""
    return replace(engine, stack=said.name, root=engine.root / FOLDER)


def ensure(engine: Engine, template: stackfile.Template) -> None:
    """Bring the gateway up if it is not there, and raise where another than the template's is."""
    said = template.review.gateway
    with daemon(engine.environ) as client:
        found = _container(client, said.name)
        if found is not None and found.status == "running":
            _refuse_other(found, template)
            return
    up(engine, template)


def up(engine: Engine, template: stackfile.Template) -> None:
    """Bring the gateway up, or up to date with the template."""
    said = template.review.gateway
    _refuse_taken(engine, template)
    console, own = engine.console, engine_of(engine, said)
    with console.step("gateway", f"Bring up the gateway {said.name} on {said.address}:{said.port}"):
        own.stack_file.parent.mkdir(exist_ok=True)
        interrupted.release_stale_locks(own)
        state = own.exported()
        kept = {} if state is None else stackfile.encryption(state)
        config = {
            f"{PROJECT}:gateway": said.model_dump(mode="json"),
            f"{PROJECT}:domain": template.review.domain,
        }
        provider = {"secretsprovider": template.provider} if template.provider else {}
        draft.write(own.stack_file, yaml.safe_dump({**provider, **kept, "config": config}, sort_keys=False))
        _passphrase(engine, own)
        if state is None:
            given = ["--secrets-provider", template.provider] if template.provider else []
            own.must("stack", "init", own.stack, "--no-select", *given)
        else:
            interrupted.mend(own, state, host.TARGET)
        # What somebody has removed by hand is not there, whatever the state says.
        outcome = own.stream("up", "--yes", "--skip-preview", "--suppress-outputs", *(["--refresh"] if state else []))
        if outcome.code:
            raise _failed(own, template, failed.command(own, outcome, "up").problems[0].found)


def down(engine: Engine, template: stackfile.Template) -> bool:
    """Take the gateway away. False when there was none.

    Raises:
        PipelineError: if a stack is reached through it.
    """
    said = template.review.gateway
    own = engine_of(engine, said)
    behind = _behind(engine, said)
    if behind:
        raise problem(
            f"the gateway {said.name} stays, since {', '.join(behind)} {'is' if len(behind) == 1 else 'are'} reached through it",
            allowed="a gateway with nothing behind it",
            mend="python -m pipeline env list   # and `env destroy NAME` for each",
        )
    interrupted.release_stale_locks(own)
    state = own.exported()
    if state is None:
        return False
    own.stack_file.parent.mkdir(exist_ok=True)
    stackfile.recover(own, state)
    down_.everything(own, host.TARGET, state)
    own.must("stack", "rm", own.stack, "--yes", "--remove-backups")
    trace.remove(own)
    return True


def _passphrase(engine: Engine, own: Engine) -> None:
    """Make sure that there is a passphrase: Pulumi wants one also where there is nothing to encrypt."""
    named = engine.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if named and not Path(named).exists() and Path(named).is_relative_to(engine.root / ".slipway"):
        secrets.make_passphrase(Path(named))
    stack.passphrase(own)


def _container(client: docker.DockerClient, name: str) -> Container | None:
    found = client.containers.list(all=True, filters={"label": [f"{gateway.LABEL}={name}"]}, ignore_removed=True)
    return next(iter(found), None)


def _refuse_taken(engine: Engine, template: stackfile.Template) -> None:
    """Raise where somebody else has the port, before anything is made."""
    said = template.review.gateway
    with daemon(engine.environ) as client:
        who = holder(client, said.address, said.port, engine.environ, {gateway.LABEL: said.name})
    if who is not None:
        raise problem(
            f"slipway:review.gateway.port: {said.address}:{said.port} is taken by {who}",
            allowed="a free port of the host, or the gateway that is there: its name in slipway:review.gateway.name",
            mend=f"another slipway:review.gateway.port in stacks/{template.file}",
        )


def _refuse_other(found: Container, template: stackfile.Template) -> None:
    """Raise where the gateway that runs is not at the address, or not of the domain, that the template says."""
    said = template.review.gateway
    bindings = found.attrs["HostConfig"].get("PortBindings") or {}
    at = [(each.get("HostIp") or "0.0.0.0", each.get("HostPort")) for each in bindings.get(f"{gateway.PORT}/tcp") or ()]  # noqa: S104 - compared with, never bound
    sites = [each.partition("=")[2] for each in found.attrs["Config"]["Env"] if each.startswith(f"{gateway.SITE}=")]
    where = f"{at[0][0]}:{at[0][1]}" if at else "no port"
    domain = template.review.domain
    served = next((text[1] for each in sites if (text := re.search(_SERVED, each))), domain)
    if at != [(said.address, str(said.port))]:
        differs = f"the gateway {said.name} runs on {where}, and stacks/{template.file} says {said.address}:{said.port}"
    elif domain != served and not domain.endswith(f".{served}"):
        raise problem(
            f"the gateway {said.name} serves names below {served}, and stacks/{template.file} says slipway:review.domain: {domain}",
            allowed=f"{served}, a domain below it, or a gateway of another name and port: slipway:review.gateway",
            mend=f"slipway:review.domain in stacks/{template.file}, or python -m pipeline env gateway up{template.option}   "
            f"# serves {domain} instead: nobody is reached below {served} any more",
        )
    elif sites != [gateway.site(said, served)]:
        differs = (
            f"the gateway {said.name} runs, but not as stacks/{template.file} says (slipway:review.gateway.resources)"
        )
    else:
        return
    raise problem(
        differs,
        allowed="the same for all who use it, or a gateway of another name and port: slipway:review.gateway",
        mend=f"python -m pipeline env gateway up{template.option}   # makes it what the template says; for a second nobody "
        "is served",
    )


def _behind(engine: Engine, said: Gateway) -> list[str]:
    """Name the stacks that are reached through a gateway."""
    with daemon(engine.environ) as client:
        found = client.containers.list(all=True, filters={"network": gateway.network(said.name)}, ignore_removed=True)
        return sorted({f"stack {each.labels[STACK]}" for each in found if STACK in each.labels})


def _failed(own: Engine, template: stackfile.Template, found: str) -> Exception:
    said = template.review.gateway
    return problem(
        f"the gateway {said.name} is not up: {found}",
        allowed="a free port of the host",
        mend=f"slipway:review.gateway.port in stacks/{template.file}, if {said.address}:{said.port} is taken; everything "
        f"that Pulumi said is in {FOLDER}/{own.log_of('up').relative_to(own.root)}",
    )
