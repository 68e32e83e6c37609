"""What CI systems are told: three files that say the same, and the script that all of them call, with made-up commands."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci_steps import EXPRESSION, ROOT, WORKFLOWS, Step, filled, github, gitlab, jenkins, workflow

STEPS = [*github(), *gitlab(), *jenkins()]
JOBS = [(path.name, name, job) for path in WORKFLOWS for name, job in workflow(path)["jobs"].items()]
IDS = [f"{file}-{name}" for file, name, _ in JOBS]
OURS = (
    "github.event.pull_request.head.repo.full_name == github.repository && "
    "github.event.pull_request.user.login != 'dependabot[bot]'"
)

# It writes down how it was called and with which variables, then does what the rules say.
PYTHON = """#!/usr/bin/env bash
printf '%s|%s\\n' "${*:3}" "state=${PULUMI_BACKEND_URL-unset} passphrase=${PULUMI_CONFIG_PASSPHRASE-unset} \
key=${SLIPWAY_SSH_KEY-unset} kubeconfig=$([ -f "${KUBECONFIG:-/}" ] && cat "$KUBECONFIG")" >>"$CALLS"
for ((i = 1; i <= $#; i++)); do
  if [ "${!i}" = --output ] && [ ! -e "$CALLS.noreport" ]; then j=$((i + 1)); echo '<!-- slipway-preview: x -->' >"${!j}"; fi
  if [ "${!i}" = --file ]; then j=$((i + 1)); { echo --; cat "${!j}"; } >>"$CALLS.files"; fi
done
case "$3 ${4:-}" in
"env create")
  [ -e "$CALLS.code-env" ] || echo "Review: https://$5.review.example.com/  (release 1a2b3c)"
  [ -e "$CALLS.code-env" ] || echo "Until:  2026-12-01 10:00 UTC (in 2 days); longer: python -m pipeline env extend $5"
  ;;
"env list") [ ! -e "$CALLS.list" ] || cat "$CALLS.list"; exit 0 ;;
"drift "*) echo "drift of $4" ;;
esac
exit "$(cat "$CALLS.code-$3" 2>/dev/null || echo 0)"
"""

AGENT = """#!/bin/sh
sh -c 'trap "echo ended >>$HOME/agents; exit" TERM; for i in $(seq 600); do sleep 0.05; done' >/dev/null 2>&1 &
echo "SSH_AGENT_PID=$!; export SSH_AGENT_PID; SSH_AUTH_SOCK=x; export SSH_AUTH_SOCK;"
"""
ADD = "#!/bin/sh\nexec grep -q 'PRIVATE KEY'\n"


@dataclass
class Clone:
    """A repository with the scripts of CI, and made-up commands."""

    folder: Path

    def code(self, command: str, code: int) -> None:
        """Let ``python -m pipeline COMMAND`` end like this."""
        Path(f"{self.folder / 'calls'}.code-{command}").write_text(str(code))

    def run(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a step as a CI system does."""
        kept = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env={**kept, "HOME": str(self.folder / "home"), "CALLS": str(self.folder / "calls"), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """Every call of ``python -m pipeline``."""
        path = self.folder / "calls"
        return [line.partition("|")[0] for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def seen(self) -> str:
        """What the last call found in its environment."""
        return (self.folder / "calls").read_text().splitlines()[-1].partition("|")[2]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone in which the commands only say what they were asked."""
    folder = tmp_path / "clone"
    (folder / "home").mkdir(parents=True)
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    (folder / "Makefile").write_text("bootstrap:\n\t@echo ready\n")
    (folder / "bin").mkdir()
    for name, text in {"python": PYTHON, "ssh-agent": AGENT, "ssh-add": ADD}.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    (folder / ".slipway").mkdir()
    (folder / ".slipway" / "env").write_text(f'export PATH={folder}/bin:"$PATH"\n')
    return Clone(folder)


STATE = {"PULUMI_BACKEND_URL": "s3://state"}
PREVIEW = "preview prod --format markdown --output out/preview-prod.md"


@pytest.mark.parametrize(
    ("job", "calls"),
    [
        ("preview prod", [PREVIEW, "comment --file out/preview-prod.md"]),
        ("preview prod --without-secrets", [f"{PREVIEW} --without-secrets"]),
        ("plan prod", [f"{PREVIEW} --save-plan out/plan-prod.json"]),
        ("apply prod", ["up prod --plan out/plan-prod.json"]),
        ("promote staging prod", ["promote staging prod"]),
        (
            "review-open pr-5",
            [
                "env create pr-5 --from review --ttl 48h",
                "comment --file out/review.md --marker slipway-review: pr-5",
            ],
        ),
        ("review-close pr-5", ["env destroy pr-5"]),
        ("expire", ["env expire"]),
        ("drift prod", ["drift prod"]),
    ],
)
def test_a_job_calls_these_commands(clone: Clone, job: str, calls: list[str]) -> None:
    """In this order, after the tools are there."""
    done = clone.run(f".ci/job {job}", **STATE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ready\n")
    assert clone.calls == calls


@pytest.mark.parametrize(
    ("job", "environ", "call"),
    [
        ("preview prod", {"SLIPWAY_PREVIEW_BUILD": "true"}, f"{PREVIEW} --build"),
        ("preview prod", {"SLIPWAY_PREVIEW_BUILD": ""}, PREVIEW),
        ("plan prod", {"SLIPWAY_PREVIEW_BUILD": "true"}, f"{PREVIEW} --save-plan out/plan-prod.json --build"),
        (
            "review-open pr-5",
            {"SLIPWAY_REVIEW_TTL": "7d", "SLIPWAY_REVIEW_REF": "5d0c3f1e"},
            "env create pr-5 --from review --ttl 7d --ref 5d0c3f1e",
        ),
    ],
)
def test_variables_ask_for_more(clone: Clone, job: str, environ: dict[str, str], call: str) -> None:
    """Migrations with their SQL, where the image may be built; another life; a commit of the project's own repository."""
    assert clone.run(f".ci/job {job}", **environ, **STATE).returncode == 0
    assert clone.calls[0] == call


def test_what_promotion_wrote_is_shown(clone: Clone, tmp_path: Path) -> None:
    """The clone goes with the job, so somebody has to commit it."""
    page, file = tmp_path / "summary.md", clone.folder / "stacks" / "Pulumi.prod.yaml"
    file.parent.mkdir()
    file.write_text("config: {}\n")
    for command in ("init --quiet", "add stacks"):
        subprocess.run(["git", *command.split()], cwd=clone.folder, check=True)
    file.write_text("config:\n  slipway:promoted: {}\n")
    done = clone.run(".ci/job promote staging prod", GITHUB_STEP_SUMMARY=str(page), **STATE)
    assert (done.returncode, done.stderr) == (0, "")
    said = page.read_text()
    assert said.startswith("**Commit this, so that prod stays at what was promoted:**\n\n```diff\ndiff --git ")
    assert "\n-config: {}\n+config:\n+  slipway:promoted: {}\n```\n" in said
    assert said in done.stdout


@pytest.mark.parametrize(
    ("job", "failing", "code", "calls"),
    [
        ("preview prod", {"preview": 1}, 1, ["preview", "comment"]),
        ("preview prod", {"comment": 1}, 1, ["preview", "comment"]),
        ("preview prod", {"preview": 2, "comment": 1}, 2, ["preview", "comment"]),
        ("plan prod", {"preview": 1}, 1, ["preview"]),
        ("apply prod", {"up": 130}, 130, ["up"]),
        ("review-open pr-5", {"env": 1}, 1, ["env", "env", "comment"]),
        ("review-close pr-5", {"env": 1}, 1, ["env"]),
        ("expire", {"env": 1}, 1, ["env"]),
        ("drift prod", {"drift": 3}, 3, ["drift"]),
        ("promote staging prod", {"promote": 1}, 1, ["promote"]),
    ],
)
def test_a_failure_is_the_jobs(clone: Clone, job: str, failing: dict[str, int], code: int, calls: list[str]) -> None:
    """A report of what failed is posted all the same, and the job fails as the command did."""
    for command, each in failing.items():
        clone.code(command, each)
    assert clone.run(f".ci/job {job}", **STATE).returncode == code
    assert [call.split()[0] for call in clone.calls] == calls


def test_no_report_is_posted_where_there_is_none(clone: Clone) -> None:
    """A preview that was given wrong settings may have ended before it wrote one."""
    (clone.folder / "calls.noreport").touch()
    clone.code("preview", 2)
    assert clone.run(".ci/job preview prod", **STATE).returncode == 2
    assert [call.split()[0] for call in clone.calls] == ["preview"]


ROWS = """NAME   AGE  EXPIRES  URL  RELEASE  SIZE
pr-55  1 h  in 47 h  https://pr-55.review.example.com/  9f9f9f  1024 MiB, 40 resources
pr-5   2 h  in 46 h  https://pr-5.review.example.com/  1a2b3c  1024 MiB, 40 resources
2 with 2048 MiB of memory; none is due
"""


@pytest.mark.parametrize(
    ("code", "rows", "text"),
    [
        (
            0,
            "",
            "**Review environment pr-5**\n\nhttps://pr-5.review.example.com/\n\nuntil 2026-12-01 10:00 UTC (in 2 days)\n",
        ),
        (
            1,
            ROWS,
            (
                "**Review environment pr-5: the last push failed.** The log of the job says why. The release before it goes on "
                "being served:\n\nhttps://pr-5.review.example.com/\n"
            ),
        ),
        (
            1,
            "There are no review environments.\n",
            "**Review environment pr-5: it failed.** The log of the job says why.\n",
        ),
        (
            1,
            "pr-5  1 m  in 48 h  not served yet  -  1024 MiB, 9 resources\n",
            "**Review environment pr-5: it failed.** The log of the job says why.\n",
        ),
    ],
)
def test_a_review_environment_is_announced(clone: Clone, code: int, rows: str, text: str) -> None:
    """With its address and its time; a failure is said, and what is served nevertheless."""
    if code:
        clone.code("env", code)
    (clone.folder / "calls.list").write_text(rows)
    assert clone.run(".ci/job review-open pr-5", **STATE).returncode == code
    assert (clone.folder / "calls.files").read_text() == f"--\n{text}"


def test_reports_go_to_the_page_of_the_job(clone: Clone, tmp_path: Path) -> None:
    """Where GitHub shows them, the report of a fork too."""
    page = tmp_path / "summary.md"
    for job in ("preview prod --without-secrets", "plan prod", "drift prod", "review-open pr-5"):
        clone.run(f".ci/job {job}", GITHUB_STEP_SUMMARY=str(page), **STATE)
    assert page.read_text() == (
        "<!-- slipway-preview: x -->\n<!-- slipway-preview: x -->\n"
        "**Drift of prod**\n\n```\ndrift of prod\n```\n"
        "**Review environment pr-5**\n\nhttps://pr-5.review.example.com/\n\nuntil 2026-12-01 10:00 UTC (in 2 days)\n"
    )


@pytest.mark.parametrize(
    ("job", "environ", "text"),
    [
        ("", {}, "error: no command\n  mend:    sed -n 2,14p .ci/job   # shows what there is\n"),
        (
            "deploy prod",
            STATE,
            "error: deploy is no command\n  mend:    sed -n 2,14p .ci/job   # shows what there is\n",
        ),
        ("apply", STATE, "error: apply: no name\n  mend:    sed -n 2,14p .ci/job   # shows what there is\n"),
        ("promote staging", STATE, "error: promote: two names are needed\n  mend:    sed -n 2,14p .ci/job   # shows "),
        *(
            (
                job,
                environ,
                "error: PULUMI_BACKEND_URL is not set: this job would find no state, and make everything again",
            )
            for job in ("preview prod", "plan prod", "apply prod", "expire", "drift prod", "review-open pr-5")
            for environ in ({}, {"PULUMI_BACKEND_URL": ""})
        ),
        ("apply prod", {**STATE, "SLIPWAY_SSH_KEY": "no key"}, "error: SLIPWAY_SSH_KEY is no private key without a"),
    ],
)
def test_what_cannot_work_is_refused_first(clone: Clone, job: str, environ: dict[str, str], text: str) -> None:
    """With code 2, before a command is called. An empty variable is what GitHub makes of a secret that is not there."""
    done = clone.run(f".ci/job {job}", **environ)
    assert done.returncode == 2
    assert text in done.stderr
    assert clone.calls == []


def test_an_empty_passphrase_is_none(clone: Clone) -> None:
    """Pulumi would take it for one."""
    clone.run(".ci/job expire", PULUMI_CONFIG_PASSPHRASE="", **STATE)
    assert clone.seen == "state=s3://state passphrase=unset key=unset kubeconfig="


def test_ways_to_hosts_are_open_for_the_job_alone(clone: Clone) -> None:
    """The key is in an agent that ends with the job, the kubeconfig in a file that is gone then; known hosts stay."""
    folder = clone.folder / "tmp"
    folder.mkdir()
    line = "host.example ssh-ed25519 AAAA"
    for _ in range(2):
        done = clone.run(
            ".ci/job apply prod",
            SLIPWAY_SSH_KEY="-----BEGIN OPENSSH PRIVATE KEY-----",
            SLIPWAY_SSH_KNOWN_HOSTS=line,
            SLIPWAY_KUBECONFIG="kind: Config",
            TMPDIR=str(folder),
            **STATE,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert clone.seen == "state=s3://state passphrase=unset key=unset kubeconfig=kind: Config"
    assert (clone.folder / "home/.ssh/known_hosts").read_text() == f"{line}\n"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    agents = clone.folder / "home/agents"
    end = time.monotonic() + 20
    while not agents.exists() or agents.read_text() != "ended\nended\n":
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.file}-{step.job}")
def test_every_step_runs_in_a_clone(clone: Clone, step: Step) -> None:
    """As it stands in the file; all but the tests and the tidying up call a command of the pipeline."""
    values = {
        "github.event.pull_request.number": "5",
        "github.ref_type == 'tag' && 'prod' || 'staging'": "staging",
        "matrix.stack": "staging",
        "github.token": "made-up",
    }
    known = {
        name: filled(text, values)
        for name, text in step.env.items()
        if not re.search(r"\$\{\{ *(vars|secrets)\.", text)
    }
    (clone.folder / ".ci" / "run").write_text("#!/bin/sh\necho tested\n")
    surroundings = {"CI_MERGE_REQUEST_IID": "5", "CHANGE_ID": "5", **STATE}

    done = clone.run(step.run, **surroundings, **known)

    assert (done.returncode, done.stderr) == (0, "")
    if step.run == ".ci/run":
        assert done.stdout == "tested\n"
    else:
        assert bool(clone.calls) == (step.job != "post")
        for call in clone.calls:
            assert re.search(r"\b(staging|prod|pr-5|expire|review\.md)\b", call)


def commands(steps: Callable[[], Any]) -> set[str]:
    """What a system runs, with its own names for stacks and numbers replaced."""
    found = set()
    for step in steps():
        for stack in (
            ("staging", "prod") if step.env.get("STACK", "").startswith("${{") else (step.env.get("STACK", ""),)
        ):
            text = step.run.replace('"$STACK"', stack)
            found.add(re.sub(r'"(?:\$NAME|pr-\$\w+)"', "NAME", text))
    return found


def test_the_three_systems_run_the_same() -> None:
    """Jenkins is not told when a request is closed; there the night does it."""
    assert commands(github) == commands(gitlab)
    assert commands(github) - commands(jenkins) == {".ci/job review-close NAME"}
    assert commands(jenkins) - commands(github) == {"rm -rf out"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.file}-{step.job}")
def test_a_step_is_thin(step: Step) -> None:
    """One line, and no expression in it: what an expression becomes would be run."""
    assert "\n" not in step.run.strip()
    assert not EXPRESSION.search(step.run)
    assert step.run in {".ci/run", "rm -rf out"} or step.run.startswith(".ci/job ")


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=IDS)
def test_what_a_job_may_is_said_and_little(file: str, name: str, job: dict[str, Any]) -> None:
    """Nothing by default; reading the code; commenting where a comment is posted."""
    assert workflow(ROOT / ".github/workflows" / file)["permissions"] == {}
    comments = (file, name) in {("preview.yml", "preview"), ("review.yml", "review")}
    assert job["permissions"] == {"contents": "read"} | ({"pull-requests": "write"} if comments else {})
    assert ("GITHUB_TOKEN" in job.get("env", {})) == comments
    assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=IDS)
def test_actions_are_pinned_by_commit(file: str, name: str, job: dict[str, Any]) -> None:
    """With the version as a comment; a clone keeps no credentials."""
    text = (ROOT / ".github/workflows" / file).read_text(encoding="utf-8")
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/(checkout|upload-artifact|download-artifact)@[0-9a-f]{40}", step["uses"]), (
                name
            )
            assert re.search(rf"{re.escape(step['uses'])} # v\d+\.\d+\.\d+\n", text)
            if "checkout" in step["uses"]:
                assert step["with"] == {"persist-credentials": False}


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=IDS)
def test_a_fork_gets_no_secret(file: str, name: str, job: dict[str, Any]) -> None:
    """Its jobs know no environment and no secret and run on no machine of ours; the others do not run for it."""
    on = workflow(ROOT / ".github/workflows" / file)["on"]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(on)
    secretive = "secrets." in json.dumps(job) or "environment" in job
    if "pull_request" in on:
        assert secretive == (job.get("if") == OURS), name
    if not secretive:
        assert job["runs-on"] == "ubuntu-24.04"


def test_a_forks_code_runs_on_no_machine_of_ours() -> None:
    """GitLab runs a fork's pipeline in the fork, where the project of the job is not that of the merge request."""
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    source, target, own = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "$CI_MERGE_REQUEST_PROJECT_ID", "$CI_PROJECT_ID"
    branch = f'$CI_PIPELINE_SOURCE == "merge_request_event" && {source} == {target}'
    fork = f'$CI_PIPELINE_SOURCE == "merge_request_event" && {source} == {own} && {target} != {own}'
    found = {
        name: rules
        for name, job in content.items()
        if isinstance(job, dict) and "script" in job
        if (rules := [rule["if"] for rule in job["rules"] if "merge_request_event" in rule["if"]])
    }
    assert found == {
        "test": [branch, fork],
        "preview": [branch],
        "preview-of-a-fork": [fork],
        "review": [branch],
        "review-close": [branch],
    }
    text = (ROOT / "Jenkinsfile").read_text(encoding="utf-8")
    assert re.findall(r"^ *agent .*", text, re.MULTILINE) == [
        "    agent { label \"${env.CHANGE_FORK ? 'slipway-forks' : 'slipway'}\" }"
    ]


def test_a_plan_that_is_made_again_takes_the_place_of_the_first() -> None:
    """GitHub refuses a second artifact of the same name in one run, and a new plan is another attempt of it."""
    steps = workflow(ROOT / ".github/workflows/deploy.yml")["jobs"]["plan"]["steps"]
    assert [step["with"]["overwrite"] for step in steps if "upload-artifact" in step.get("uses", "")] == [True]


def test_deployments_are_one_at_a_time_and_never_cut_off() -> None:
    """Of each stack, whoever starts them; a job that changes nothing may be stopped."""
    groups = {
        path.name: (found["group"], found["cancel-in-progress"])
        for path in WORKFLOWS
        if (found := workflow(path).get("concurrency"))
    }
    number = "${{ github.event.pull_request.number }}"
    assert groups == {
        "deploy.yml": ("deploy-${{ github.ref_type == 'tag' && 'prod' || 'staging' }}", False),
        "preview.yml": (f"preview-{number}", True),
        "promote.yml": ("deploy-prod", False),
        "review.yml": (f"review-{number}", False),
        "test.yml": ("test-${{ github.event.pull_request.number || github.sha }}", True),
    }
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    changing = {
        name: job.get("resource_group")
        for name, job in content.items()
        if re.search(
            r"apply|promote|review-|expire", json.dumps(job.get("script", "")) if isinstance(job, dict) else ""
        )
    }
    assert changing == {
        "review": "review-$CI_MERGE_REQUEST_IID",
        "review-close": "review-$CI_MERGE_REQUEST_IID",
        "apply-staging": "staging",
        "apply-prod": "prod",
        "promote": "prod",
        "expire": "expire",
    }
    assert content["default"]["interruptible"] is False
    jenkinsfile = (ROOT / "Jenkinsfile").read_text(encoding="utf-8")
    assert "disableConcurrentBuilds(abortPrevious: false)" in jenkinsfile
    assert re.findall(r"lock\('([^']+)'\)", jenkinsfile) == ["slipway-staging", "slipway-prod", "slipway-prod"]


def test_prod_waits_for_somebody() -> None:
    """The environment asks in GitHub, the job in GitLab, the stage in Jenkins; between the plan and what follows it."""
    jobs = workflow(ROOT / ".github/workflows/deploy.yml")["jobs"]
    assert jobs["plan"]["environment"] == "${{ github.ref_type == 'tag' && 'prod' || 'staging' }}-preview"
    assert jobs["apply"]["environment"] == "${{ github.ref_type == 'tag' && 'prod' || 'staging' }}"
    assert jobs["apply"]["needs"] == "plan"
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    assert [name for name, job in content.items() if "'when': 'manual'" in str(job)] == [
        "review-close",
        "apply-prod",
        "promote",
    ]
    text = (ROOT / "Jenkinsfile").read_text(encoding="utf-8")
    assert re.search(r"plan prod'.*?input\(.*?apply prod'", text, re.DOTALL)
    assert re.search(r"stage\('promote'\).*?input\(.*?promote staging prod'", text, re.DOTALL)


def test_the_jenkinsfile_is_closed() -> None:
    """Every bracket and every quote; no linter for it is at hand."""
    text = (ROOT / "Jenkinsfile").read_text(encoding="utf-8")
    code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|//[^\n]*", "", text)
    assert "'" not in code
    assert '"' not in code
    stack: list[str] = []
    for letter in code:
        if letter in "([{":
            stack.append({"(": ")", "[": "]", "{": "}"}[letter])
        elif letter in ")]}":
            assert stack.pop() == letter
    assert stack == []
