"""What errors of Pulumi, Docker, Kubernetes and the build mean."""

import pytest

from pipeline.engine import Engine
from pipeline.explain import explain

MODULE = """list the package in the requirements; or, if the settings module is wrong:
pulumi config set --path slipway:app.settings_module NAME --stack dev"""
LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock
file with `pulumi cancel`.
  file:///x.json: created by me@host (pid 7) at 2026-01-01T00:00:00Z"""
COLLECTSTATIC = """#12 [build 7/9] RUN python manage.py collectstatic --noinput
\x1b[31m#12 1.2 ModuleNotFoundError: No module named 'config.nope'\x1b[0m"""

KEYSCAN = "pulumi config set --path slipway:dependencies.ssh_hosts"
COMPARE = "--stack dev   # beside what is there; first compare it with what the owner of the host says"

AWAY = (
    "make doctor STACK=dev\n"
    "# if the cluster is gone for good, with everything in it:\n"
    "PULUMI_K8S_DELETE_UNREACHABLE=true pulumi refresh --yes --stack dev"
)


@pytest.mark.parametrize(
    ("said", "found", "mend"),
    [
        (
            "error: getting secrets manager: constructing secrets manager of type passphrase: incorrect passphrase",
            "the passphrase (from PULUMI_CONFIG_PASSPHRASE) does not open the secrets of stack dev",
            "export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase",
        ),
        (
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment",
            "no passphrase is set, and the secrets of stack dev need one",
            "tools/bootstrap && . .slipway/env",
        ),
        (
            LOCKED,
            "another update of stack dev is running: me@host (pid 7) at 2026-01-01T00:00:00Z",
            "wait for it; if it is gone for good: pulumi cancel --yes dev",
        ),
        (
            "error: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            "the Docker host has no addresses for another network: Docker has room for some 30 by default, and each stack has two",
            "docker network ls   # what there is; `docker network prune` removes those that nothing uses\nsystemctl restart docker   # once daemon.json says more",
        ),
        (
            "  | the release command failed with exit code 3 (slipway:release.once.superuser): python manage.py it",
            "slipway:release.once.superuser: `python manage.py it` failed with exit code 3 (what it said is above)",
            "mend the project, or the command in stacks/Pulumi.dev.yaml, and run the same command again",
        ),
        (
            "  | the release command was stopped before it ended (slipway:release.timeout_seconds is 9): python x.py",
            "slipway:release.timeout_seconds: `python x.py` was stopped, since it had not ended after 9 s",
            "pulumi config set --path slipway:release.timeout_seconds SECONDS --stack dev",
        ),
        (
            "error: failed to solve: write /x: no space left on device",
            "the disk is full: no space left on device",
            "docker system df   # shows what Docker holds\ndocker image prune   # removes images nothing uses",
        ),
        (
            "Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated",
            "slipway:edge.port: 127.0.0.1:8080 is taken by another program",
            "pulumi config set --path slipway:edge.port OTHER_PORT --stack dev",
        ),
        (
            "Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
            "slipway:edge.port: 127.0.0.1:8080 is taken by another program",
            "pulumi config set --path slipway:edge.port OTHER_PORT --stack dev",
        ),
        (
            (
                "error: failed to solve: python:3.12-slim: failed to resolve source metadata for "
                "docker.io/library/python:3.12-slim: docker.io/library/python:3.12-slim: not found"
            ),
            "the image python:3.12-slim cannot be had from any registry that this machine reaches",
            "tools/bootstrap   # brings the images of the default settings; or set another image",
        ),
        *(
            (
                said,
                f"{lock} does not match {made_from}: somebody changed what the project depends on, and not the lock",
                f"{command}   # in the folder of {lock}; commit it",
            )
            for said, lock, made_from, command in (
                (
                    "    app-build | error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.",
                    "uv.lock",
                    "pyproject.toml",
                    "uv lock",
                ),
                (
                    "pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix",
                    "poetry.lock",
                    "pyproject.toml",
                    "poetry lock",
                ),
                (
                    "Pipfile.lock is out-of-date. Run $ pipenv lock to update.",
                    "Pipfile.lock",
                    "Pipfile",
                    "pipenv lock",
                ),
            )
        ),
        (
            "    app-build | error: Failed to build `psycopg2-binary==2.9.11`\n    app-build |   cause: The build backend returned",
            "the dependency psycopg2-binary==2.9.11 has no wheel for this image and is compiled against libpq (what its build said is above)",
            (
                "pulumi config set --path slipway:build.packages 'gcc libc6-dev libpq-dev' --stack dev   # beside what is there\n"
                "pulumi config set --path slipway:build.runtime_packages 'libpq5' --stack dev   # beside what is there"
            ),
        ),
        (
            "    app-build | error: Failed to build `frobnicate==2.9.11`\n    app-build |   cause: The build backend returned",
            "the dependency frobnicate==2.9.11 has no wheel for this image and cannot be built (what its build said is above)",
            (
                "pulumi config set --path slipway:build.packages 'build-essential pkg-config' --stack dev   "
                "# with the -dev packages of the libraries that it names\n"
                "pulumi config set --path slipway:dependencies.build_constraints 'setuptools<70' --stack dev   "
                "# or an older tool, where a newer one broke it\n"
                "pulumi config set --path slipway:app.python VERSION --stack dev   # or an older Python, which it has a wheel for"
            ),
        ),
        (
            (
                "    app-build | error: No solution found when resolving dependencies\n"
                "    app-build |   cause: Because you require a<2 and a>2, we can conclude that your requirements are unsatisfiable."
            ),
            (
                "no versions of the dependencies fit together: "
                "Because you require a<2 and a>2, we can conclude that your requirements are unsatisfiable."
            ),
            "correct them, in the project or in stacks/Pulumi.dev.yaml",
        ),
        (
            "  cause: Hash mismatch for `django==5.2.19`",
            "django==5.2.19 is not what the project's files say: its hash is another one",
            "find out which of the two is right before anything else: a changed file may be an attack",
        ),
        (
            (
                "error: The requested interpreter resolved to Python 3.13.5, which is incompatible with the project's Python "
                "requirement: `>=3.14` (from `project.requires-python`)"
            ),
            "slipway:app.python: the image has Python 3.13.5, and the project wants >=3.14",
            "pulumi config set --path slipway:app.python VERSION --stack dev",
        ),
        (
            "  cause: Git executable not found. Ensure that Git is installed and available.",
            "a dependency comes from git, which the image does not have while it is built",
            "pulumi config set --path slipway:build.packages git --stack dev   # beside what is there",
        ),
        (
            (
                "#9 1.0    Updating ssh://git@git.example.org:2222/team/prices.git (v2.0)\n"
                "#9 1.1   cause: Git executable not found. Ensure that Git is installed and available."
            ),
            "a dependency comes from git by SSH, and slipway:dependencies.ssh_hosts does not name git.example.org",
            f'{KEYSCAN} "$(ssh-keyscan -p 2222 git.example.org)" {COMPARE}',
        ),
        (
            (
                "#9 1.0    Updating ssh://git@git.example.org/team/prices.git (v2.0)\n"
                "#9 1.1          error: cannot run ssh: No such file or directory"
            ),
            "a dependency comes from git by SSH, and slipway:dependencies.ssh_hosts does not name git.example.org",
            f'{KEYSCAN} "$(ssh-keyscan git.example.org)" {COMPARE}',
        ),
        (
            (
                "#9 1.0 No ED25519 host key is known for [git.example.org]:2222 and you have requested strict checking.\n"
                "#9 1.0 Host key verification failed."
            ),
            "slipway:dependencies.ssh_hosts: it has no key of git.example.org that fits",
            f'{KEYSCAN} "$(ssh-keyscan -p 2222 git.example.org)" {COMPARE}',
        ),
        (
            (
                "#9 1.0 Host key for git.example.org has changed and you have requested strict checking.\n"
                "#9 1.0 Host key verification failed."
            ),
            "slipway:dependencies.ssh_hosts: git.example.org shows another key than the one that stands there",
            (
                "find out which of the two is right before anything else: another key may be an attack; then, if it is new:\n"
                f'{KEYSCAN} "$(ssh-keyscan git.example.org)" {COMPARE}'
            ),
        ),
        (
            "#9 1.0          git@git.example.org: Permission denied (publickey).",
            "a dependency comes from git by SSH, and git.example.org lets git in with none of the agent's keys",
            "ssh-add PATH_OF_THE_KEY   # ssh-add -l lists what the agent has; ssh -T git@git.example.org tries it",
        ),
        (
            "#9 1.0          ssh: connect to host git.example.org port 22: Connection refused",
            "a dependency comes from git by SSH, and the build does not reach git.example.org: Connection refused",
            "ssh git.example.org   # from the machine that builds, until it answers",
        ),
        (
            "#9 1.0          ssh: Could not resolve hostname git.example.org: Name or service not known",
            "a dependency comes from git by SSH, and the build does not reach git.example.org: no such host",
            "ssh git.example.org   # from the machine that builds, until it answers",
        ),
        (
            (
                "#9 1.1 Error: no such file\n"
                "#9 1.2 slipway:assets.build: the command failed with exit code 2: npm run build"
            ),
            (
                "slipway:assets.build: `npm run build` failed with exit code 2 while the assets were made "
                "(what it said is above)"
            ),
            "mend the project, or the command in stacks/Pulumi.dev.yaml, and run the same command again",
        ),
        (
            "#9 1.2 slipway:assets.outputs: the build made no frontend/dist; it made: frontend/out/a.js b.js",
            "slipway:assets.outputs: nothing made frontend/dist while the assets were made",
            "pulumi config set --path slipway:assets.outputs FOLDER --stack dev",
        ),
        *(
            (
                f"#9 1.1 {text}\n#9 1.2 slipway:assets.install: the command failed with exit code 1: any",
                f"{lock} does not match package.json: somebody changed what the assets depend on, and not the lock",
                f"{command}   # in the folder of {lock}; commit it",
            )
            for text, lock, command in (
                ("npm error `npm ci` can only install packages when your", "package-lock.json", "npm install"),
                ("error Your lockfile needs to be updated, but yarn was run with", "yarn.lock", "yarn install"),
                ("The lockfile would have been modified by this install, which", "yarn.lock", "yarn install"),
                (" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install", "pnpm-lock.yaml", "pnpm install"),
            )
        ),
        (
            'failed to calculate checksum of ref a::b: "/frontend/package.json": not found',
            "the build needs frontend/package.json, which is in the project and not in what the builder gets",
            "echo '!frontend/package.json' >> .dockerignore   # in the folder of slipway:app.source",
        ),
        (
            "#9 1.2 the build command failed with exit code 3: python manage.py compress",
            (
                "slipway:build.commands: `python manage.py compress` failed with exit code 3 while the image was built "
                "(what it said is above)"
            ),
            "mend the project, or the command in stacks/Pulumi.dev.yaml, and run the same command again",
        ),
        (
            "    app-build | E: Unable to locate package libnothing",
            "slipway:build: the system of the base image has no package libnothing",
            "correct packages or runtime_packages in stacks/Pulumi.dev.yaml",
        ),
        (
            COLLECTSTATIC,
            "the image cannot be built, since Django does not start in it: No module named 'config.nope'",
            MODULE,
        ),
        (
            "#9 1.2 django.core.exceptions.X: Set KEY",
            "the image cannot be built, since Django does not start in it: django.core.exceptions.X: Set KEY",
            "mend the project and run the same command again",
        ),
        (
            "error: dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
            "a registry cannot be reached: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
            "tools/bootstrap   # brings images where registries cannot be reached, and says what is missing",
        ),
        *(
            (
                said,
                "Docker does not remove network shop-dev-edge, since something is still connected to it",
                (
                    "docker network inspect shop-dev-edge   # names it; docker network disconnect lets it go\n"
                    "# where it names nothing, Docker has lost count: restart its daemon, then make down STACK=dev"
                ),
            )
            for said in (
                "error while removing network: network shop-dev-edge id 5f5f has active endpoints",
                "cannot remove network shop-dev-edge: after 30 s it still has active endpoints, and Docker names none",
            )
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "the Docker daemon does not answer at unix:///var/run/docker.sock",
            "tools/bootstrap   # starts it where it may, or says how",
        ),
        (
            (
                "error: configured Kubernetes cluster is unreachable: unable to load schema information from the API server:"
                ' Get "https://127.0.0.1:1/openapi/v2?timeout=32s": dial tcp 127.0.0.1:1: connect: connection refused'
            ),
            "the Kubernetes cluster of stack dev does not answer: dial tcp 127.0.0.1:1: connect: connection refused",
            AWAY,
        ),
        (
            "error: configured Kubernetes cluster is unreachable: the server has asked for the client to provide credentials",
            (
                "the Kubernetes cluster of stack dev does not answer: "
                "the server has asked for the client to provide credentials"
            ),
            AWAY,
        ),
        (
            (
                'error: resource "urn" was not successfully created by the Kubernetes API server: '
                'configmaps "exists" already exists\n\nThe resource already exists in the cluster.'
            ),
            'configmaps "exists" is in the cluster already, and stack dev did not make it',
            "pulumi config set --path slipway:kubernetes.namespace OTHER --stack dev",
        ),
        (
            'had an apply conflict: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
            "somebody else has changed what stack dev owns: kubectl set .spec.replicas",
            "PULUMI_K8S_ENABLE_PATCH_FORCE=true make up STACK=dev   # takes it back",
        ),
        (
            'Apply failed with 2 conflicts: conflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas\n- .spec.paused',
            "somebody else has changed what stack dev owns: kubectl-edit set .spec.replicas, .spec.paused",
            "PULUMI_K8S_ENABLE_PATCH_FORCE=true make up STACK=dev   # takes it back",
        ),
        (
            'secrets is forbidden: User "ci" cannot create resource "secrets" in API group "" in the namespace "shop-dev"',
            (
                "the credentials of the kubeconfig may not do what stack dev needs: "
                'User "ci" cannot create resource "secrets" in API group "" in the namespace "shop-dev"'
            ),
            "kubectl auth can-i --list -n NAMESPACE   # whoever administers the cluster gives what is missing",
        ),
        (
            'pods "web" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5',
            "a quota of the namespace is too small: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5",
            (
                "kubectl describe resourcequota -n NAMESPACE   # whoever administers the cluster raises it\n"
                "pulumi config set --path slipway:web.replicas 1 --stack dev   # or less of everything"
            ),
        ),
        (
            'pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            'the cluster refuses a pod: it violates PodSecurity "restricted:latest": runAsNonRoot != true',
            "change what the pod asks for",
        ),
        (
            "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
            "slipway:kubernetes.storage.NAME_gb: the claim was to become smaller, which no storage can; nothing was lost",
            "pulumi config set --path slipway:kubernetes.storage.NAME_gb SIZE --stack dev",
        ),
        (
            "forbidden: only dynamically provisioned pvc can be resized and the storageclass must support resize",
            "slipway:kubernetes.storage.NAME_gb: the claim was to grow, which its storage class does not allow; nothing was lost",
            "pulumi config set --path slipway:kubernetes.storage.NAME_gb SIZE --stack dev",
        ),
        (
            (
                'PersistentVolumeClaim "volume-reports" is invalid: spec.resources.requests.storage: Forbidden: '
                "field can not be less than status.capacity"
            ),
            (
                "slipway:volumes.reports.size_gb: the claim volume-reports was to become smaller, which no storage can; "
                "nothing was lost"
            ),
            "pulumi config set --path slipway:volumes.reports.size_gb SIZE --stack dev",
        ),
        (
            'persistentvolumeclaims "media" is forbidden: only dynamically provisioned pvc can be resized',
            (
                "slipway:kubernetes.storage.media_gb: the claim media was to grow, which its storage class does not "
                "allow; nothing was lost"
            ),
            "pulumi config set --path slipway:kubernetes.storage.media_gb SIZE --stack dev",
        ),
        (
            "spec: Forbidden: spec is immutable after creation except resources.requests",
            (
                "the cluster does not let that change: "
                "spec: Forbidden: spec is immutable after creation except resources.requests"
            ),
            "set it back in stacks/Pulumi.dev.yaml, or move the data to a new stack",
        ),
        (
            (
                "creation of resource shop-dev/postgres with kind Cluster failed because the Kubernetes API server reported that"
                " the apiVersion for this resource does not exist"
            ),
            "the cluster does not know shop-dev/postgres with kind Cluster: what brings it is not installed",
            "kubectl api-resources   # shows what it knows",
        ),
        (
            "error: failed to push r.example.org/shop:1: denied: requested access to the resource is denied",
            (
                "the registry does not let this machine push the image: "
                "error: failed to push r.example.org/shop:1: denied: requested access to the resource is denied"
            ),
            (
                "docker login REGISTRY   # the one of slipway:kubernetes.registry\n"
                "pulumi config set --path slipway:kubernetes.registry REGISTRY --stack dev   # or another one"
            ),
        ),
        (
            (
                "the Kubernetes API server reported that it failed to fully initialize or become live: "
                "'web' timed out waiting to be Ready"
            ),
            "web was not ready in time; what served before goes on serving",
            "make doctor STACK=dev   # shows what does not run, and why",
        ),
        (
            "error: timed out waiting for the condition",
            "something in the cluster was not ready in time; what served before goes on serving",
            "make doctor STACK=dev   # shows what does not run, and why",
        ),
    ],
)
def test_known_errors_name_their_mend(engine: Engine, said: str, found: str, mend: str) -> None:
    """One clear sentence and one command instead of the original text."""
    error = explain(f"before\n{said}\nafter", engine)

    assert error is not None
    assert [(problem.found, problem.mend) for problem in error.problems] == [(found, mend)]


def test_an_unknown_error_is_left_to_its_own_words(engine: Engine) -> None:
    """The table does not guess."""
    assert explain("error: something new", engine) is None
