"""The place of the state: what it may be, how it is shown, and what Pulumi's errors about it mean, as they were measured."""

from dataclasses import replace

import pytest

from pipeline import backend, stack
from pipeline.console import PipelineError
from pipeline.engine import Engine, Result
from pipeline.explain import explain
from tests.unit.pipeline.fake_pulumi import Fake, printed

S3 = "s3://state/team/shop?endpoint=http://127.0.0.1:7312&s3ForcePathStyle=true"
POSTGRES = "postgres://me:pa55@127.0.0.1:7331/state?sslmode=disable"
AT_S3 = "PULUMI_BACKEND_URL: the state in s3://state/team/shop cannot be reached: "
AT_POSTGRES = "PULUMI_BACKEND_URL: the state in postgres://me@127.0.0.1:7331/state cannot be reached: "
READ = 'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject, '
OPEN = f'error: unable to open state database "{POSTGRES}": failed to ping PostgreSQL: '


def at(engine: Engine, url: str) -> Engine:
    """The engine with its state somewhere else."""
    return replace(engine, environ={**engine.environ, "PULUMI_BACKEND_URL": url})


@pytest.mark.parametrize(
    ("url", "said", "found", "mend"),
    [
        (
            S3,
            (
                "error: error listing stacks: could not list bucket: blob (code=NotFound): operation error S3: ListObjectsV2, "
                "https response error StatusCode: 404, RequestID: I91, HostID: Dgh44r=, NoSuchBucket: The specified bucket does "
                "not exist."
            ),
            f"{AT_S3}NoSuchBucket: The specified bucket does not exist",
            "aws s3api create-bucket --bucket state   # with --endpoint-url where the server is your own",
        ),
        (
            S3,
            (
                f"{READ}https response error StatusCode: 403, RequestID: QB, HostID: TR=, api error SignatureDoesNotMatch: The "
                "request signature we calculated does not match the signature you provided. Check your key and signing method."
            ),
            (
                f"{AT_S3}SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method"
            ),
            "export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...   # or AWS_PROFILE",
        ),
        (
            S3,
            (
                f"{READ}get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation "
                'error ec2imds: GetMetadata, access disabled to EC2 IMDS via client option, or "AWS_EC2_METADATA_DISABLED" '
                "environment variable"
            ),
            f"{AT_S3}there are no credentials",
            "export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...   # or AWS_PROFILE",
        ),
        (
            S3,
            (
                f"{READ}exceeded maximum number of attempts, 3, https response error StatusCode: 0, RequestID: , HostID: , "
                'request send failed, Get "http://127.0.0.1:7312/state/.pulumi/meta.yaml?x-id=GetObject": dial tcp '
                "127.0.0.1:7312: connect: connection refused"
            ),
            f"{AT_S3}dial tcp 127.0.0.1:7312: connect: connection refused",
            "pulumi stack ls   # asks the same place; PULUMI_BACKEND_URL and its credentials are in docs/state.md",
        ),
        (
            S3,
            (
                f"{READ}https response error StatusCode: 400, RequestID: QB, HostID: TR=, api error AuthorizationHeaderMalformed: "
                'The authorization header is malformed; the region "eu-central-1" is wrong; expecting "us-east-1"'
            ),
            (
                f"{AT_S3}AuthorizationHeaderMalformed: The authorization header is malformed; the region "
                '"eu-central-1" is wrong; expecting "us-east-1"'
            ),
            "export AWS_REGION=REGION",
        ),
        (
            POSTGRES,
            f'{OPEN}pq: password authentication failed for user "me" (28P01)',
            f'{AT_POSTGRES}password authentication failed for user "me" (28P01)',
            "export PGPASSWORD=...   # not in the address: Pulumi prints that",
        ),
        (
            POSTGRES,
            f'{OPEN}pq: database "state" does not exist (3D000)',
            f'{AT_POSTGRES}database "state" does not exist (3D000)',
            "createdb NAME",
        ),
        (
            POSTGRES,
            f"{OPEN}pq: SSL is not enabled on the server",
            f"{AT_POSTGRES}SSL is not enabled on the server",
            "export PULUMI_BACKEND_URL=postgres://USER@HOST/NAME?sslmode=disable",
        ),
        (
            POSTGRES,
            f"{OPEN}failed to create table pulumi_state: pq: permission denied for schema public at position 1:28 (42501)",
            f"{AT_POSTGRES}failed to create table pulumi_state: pq: permission denied for schema public at position 1:28 (42501)",
            "python -m pipeline state STACK --output FILE   # by that role: a copy for others, without secrets",
        ),
        (
            POSTGRES,
            f"{OPEN}dial tcp 127.0.0.1:7331: connect: connection refused",
            f"{AT_POSTGRES}dial tcp 127.0.0.1:7331: connect: connection refused",
            "pulumi stack ls   # asks the same place; PULUMI_BACKEND_URL and its credentials are in docs/state.md",
        ),
    ],
)
def test_a_place_that_cannot_be_reached_is_explained(
    engine: Engine, url: str, said: str, found: str, mend: str
) -> None:
    """In one line: where, what the server says, what mends it; never the password."""
    known = explain(said, at(engine, url))
    assert known is not None
    [only] = known.problems
    assert (only.found, only.mend) == (found, mend)
    assert "pa55" not in str(known)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            (
                "docker:index:Container shop-web-2  error: create is not allowed by the plan: no steps were expected for this "
                "resource"
            ),
            (
                "the plan no longer fits stack dev: shop-web-2: create is not allowed by the plan: no steps were expected for "
                "this resource"
            ),
        ),
        (
            (
                "error: resource urn:pulumi:dev::slipway::docker:index/container:Container::web-1 violates plan: properties "
                "changed: +-image"
            ),
            "the plan no longer fits stack dev: web-1: properties changed: +-image",
        ),
    ],
)
def test_a_plan_that_no_longer_fits_is_explained(engine: Engine, said: str, found: str) -> None:
    """With what differs, and what makes another."""
    known = explain(said, engine)
    assert known is not None
    assert known.problems[0].found == found
    assert known.problems[0].mend == (
        "python -m pipeline preview dev --save-plan FILE   # and have the new plan reviewed"
    )


@pytest.mark.parametrize(
    "lock",
    [
        "s3://state/team/shop/.pulumi/locks/organization/slipway/dev/x.json?endpoint=http%3A%2F%2Fs3",
        "postgres://****:****@127.0.0.1:7331/state/.pulumi/locks/organization/slipway/dev/x.json?sslmode=disable",
    ],
)
def test_a_second_update_is_refused_by_name(engine: Engine, lock: str) -> None:
    """Wherever the lock lies."""
    said = (
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock "
        f"file with `pulumi cancel`.\n  {lock}: created by ann@laptop (pid 7) at 2026-11-29T10:00:00Z"
    )
    known = explain(said, at(engine, S3))
    assert str(known) == (
        "another update of stack dev is running: ann@laptop (pid 7) at 2026-11-29T10:00:00Z\n"
        "  mend:    wait for it; if it is gone for good: pulumi cancel --yes dev"
    )


@pytest.mark.parametrize("url", ["postgresql://me:pa55@host/state", "s4://bucket", "/srv/state"])
def test_a_place_that_the_engine_does_not_know_is_refused(engine: Engine, url: str) -> None:
    """Pulumi would ask for a token of its own service."""
    with pytest.raises(PipelineError) as error:
        stack.backend(at(engine, url))
    [only] = error.value.problems
    assert only.found == f"PULUMI_BACKEND_URL: {backend.shown(url)} is no place for a state"
    assert only.allowed == "file://, s3://, gs://, azblob://, postgres://, https://, http://"
    assert "pa55" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (POSTGRES, "postgres://me@127.0.0.1:7331/state"),
        (S3, "s3://state/team/shop"),
        ("postgres://host/state", "postgres://host/state"),
        ("file:///srv/state", "file:///srv/state"),
    ],
)
def test_a_place_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    """Options may hold keys, and the address a password."""
    assert backend.shown(url) == shown


def test_a_password_in_the_address_is_warned_about_and_never_printed(engine: Engine, fake: Fake) -> None:
    """Neither while a command runs nor in an error that nobody knows."""
    place = at(engine, POSTGRES)
    stack.backend(place)
    assert place.console.err.getvalue() == (  # type: ignore[attr-defined]  # the fixture writes into text
        "warning: PULUMI_BACKEND_URL holds a password, which Pulumi prints with some errors: give it as PGPASSWORD instead\n"
    )
    fake.when("up", out=f"error: odd {POSTGRES}\n", code=1)
    place.stream("up")
    with pytest.raises(PipelineError) as error:
        place.refuse(Result(1, f"odd {POSTGRES}"), ("up",))
    assert "odd postgres://me:****@127.0.0.1:7331/state" in printed(engine)
    assert "odd postgres://me:****@127.0.0.1:7331/state" in str(error.value)
    stack.backend(at(engine, "s3://state"))
