"""Names, times to live, limits and the list of review environments, to the letter."""

import json
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.model import Review
from pipeline.console import PipelineError
from pipeline.env import lifetime, limits, listing, name, record
from pipeline.env.record import Listed, Record
from tests.sample import settings

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def environment(called: str = "pr-1", *, hours: int = 24, memory_mb: int = 640, **said: Any) -> Record:  # noqa: ANN401 - fields are of many types
    """Give an environment that is a day old and expires in so many hours."""
    return Record(
        name=called,
        project="shop",
        created=NOW - timedelta(days=1),
        expires=NOW + timedelta(hours=hours),
        memory_mb=memory_mb,
        **said,
    )


def review(**said: int) -> Review:
    """Give what a template says of review environments."""
    return settings({"review": said}).review


@pytest.mark.parametrize("text", ["pr-123", "1", "a" * 30, "fix-login"])
def test_names_that_are_taken(text: str) -> None:
    """What a host name can begin with is a name, and its stack begins like all of them."""
    assert name.read(text) == text
    assert name.stack(text) == f"review-{text}"


@pytest.mark.parametrize(
    "text", ["", "PR-1", "pr_1", "-pr", "pr-", "pr.1", "a" * 31, "pr 1", "../x", "--yes", "prod\n"]
)
def test_names_that_are_refused(text: str) -> None:
    """Anything else could be another thing for a shell, a host name or a folder."""
    with pytest.raises(ArgumentTypeError, match="allowed: 1 to 30 small letters, digits and hyphens"):
        name.read(text)


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("feature/foo-bar", "feature-foo-bar"),
        ("Feature_1", "feature-1"),
        ("fix/" + "a" * 25 + "--b", "fix-" + "a" * 25),
        ("/", "pr-123"),
    ],
)
def test_a_name_that_is_refused_is_followed_by_a_likely_one(text: str, likely: str) -> None:
    """Names of branches are no host names, and most of them are nearly one."""
    with pytest.raises(ArgumentTypeError, match=rf"such as {likely}$"):
        name.read(text)


def test_names_leave_room_for_the_project() -> None:
    """The longest name on the network of a stack has 63 characters."""
    assert name.room("shop") == 30
    assert len(f"{'p' * 31}-review-{'n' * name.room('p' * 31)}-postgres") == 63


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("48h", 48), ("7d", 168), ("90d", 2160), ("1m", 1 / 60)])
def test_times_to_live(text: str, hours: float) -> None:
    """A number and a unit."""
    assert lifetime.read(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "48", "0h", "-1h", "1.5h", "48 h", "1w", "91d", "999999d", "48h "])
def test_times_to_live_that_are_refused(text: str) -> None:
    """Nothing lives for ever, or for no time."""
    with pytest.raises(
        ArgumentTypeError, match="allowed: a whole number with m, h or d behind it, such as 48h, up to 90d"
    ):
        lifetime.read(text)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47, minutes=59), "1 d 23 h"),
        (timedelta(days=2, minutes=3), "2 d"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_durations(duration: timedelta, words: str) -> None:
    """Two units are enough."""
    assert lifetime.words(duration) == words


@pytest.mark.parametrize(
    ("ttl", "hours"), [(None, 72), (timedelta(hours=48), 72), (timedelta(hours=72), 72), (timedelta(days=7), 168)]
)
def test_a_time_to_live_is_never_made_shorter(ttl: timedelta | None, hours: int) -> None:
    """A push that says 48 hours leaves an environment that was extended its longer life."""
    assert lifetime.later(NOW + timedelta(hours=72), NOW, ttl) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize(("hours", "said"), [(48, "96h"), (0.2, "2h"), (-3, "2h"), (90 * 24, "2160h")])
def test_the_time_that_is_suggested_does_lengthen(hours: float, said: str) -> None:
    """Twice what is left, as far as that is allowed; the command takes it."""
    assert lifetime.longer(NOW + timedelta(hours=hours), NOW) == said
    assert lifetime.read(said) <= lifetime.LONGEST


def test_a_record_goes_into_a_tag_and_back() -> None:
    """What is remembered is one short text in clear, with the images beside it."""
    before = environment(url="http://pr-1.localhost:8090/", release="1a2b3c", images=("shop:1", "shop:2"))
    text = record.text(before)

    assert json.loads(text) == {
        "name": "pr-1",
        "project": "shop",
        "created": "2026-11-28T12:00:00Z",
        "expires": "2026-11-30T12:00:00Z",
        "memory_mb": 640,
        "url": "http://pr-1.localhost:8090/",
        "release": "1a2b3c",
        "seeded": False,
    }
    assert len(text) < 256  # what Pulumi Cloud takes
    assert record.parse({record.TAG: text, record.IMAGES: "shop:1,shop:2"}, "review-pr-1") == before


@pytest.mark.parametrize(
    ("tags", "stack"),
    [
        ({}, "review-pr-1"),
        ({record.TAG: "?"}, "review-pr-1"),
        ({record.TAG: '{"name": "pr-1"}'}, "review-pr-1"),
        ({record.TAG: record.text(environment())}, "review-pr-2"),
        ({record.TAG: record.text(environment())}, "prod"),
    ],
)
def test_what_is_no_record(tags: dict[str, Any], stack: str) -> None:
    """A stack without one, with a broken one, or with that of another name is no review environment."""
    assert record.parse(tags, stack) is None


def refused(others: list[Record], memory_mb: int = 640, **said: int) -> str | None:
    """Give the words of the refusal."""
    try:
        limits.check("pr-9", memory_mb, others, review(**said), NOW)
    except PipelineError as error:
        return str(error)
    return None


def test_there_is_room() -> None:
    """Up to the limits and no further."""
    others = [environment("pr-1"), environment("pr-2")]

    assert refused(others, max_environments=3, max_memory_mb=3 * 640) is None
    assert refused([], max_environments=1, max_memory_mb=640) is None


def test_too_many() -> None:
    """What is there is named, the next that is due first, with the command that makes room."""
    assert refused([environment("pr-1", hours=30), environment("pr-2", hours=2)], max_environments=2) == (
        "2 review environments are there, and slipway:review.max_environments is 2; nothing was made\n"
        "  allowed: at most 2\n"
        "           pr-2: 640 MiB, in 2 h\n"
        "           pr-1: 640 MiB, in 1 d 6 h\n"
        "  mend:    python -m pipeline env destroy pr-2   # the next that is due"
    )


def test_too_much_memory() -> None:
    """The same for memory; where something is due already, `expire` makes room."""
    assert refused([environment("pr-1", hours=-3)], max_memory_mb=1000) == (
        "pr-9 would have 640 MiB of memory beside the 640 MiB of 1 other, and slipway:review.max_memory_mb is 1000; "
        "nothing was made\n"
        "  allowed: at most 1000 MiB together\n"
        "           pr-1: 640 MiB, due for 3 h\n"
        "  mend:    python -m pipeline env expire   # destroys all that are due"
    )


def test_one_that_is_too_large_by_itself() -> None:
    """Nothing could be destroyed for it."""
    assert refused([], memory_mb=2000, max_memory_mb=1000) == (
        "pr-9 would have 2000 MiB of memory beside the 0 MiB of 0 others, and slipway:review.max_memory_mb is 1000; "
        "nothing was made\n"
        "  allowed: at most 1000 MiB together"
    )


def test_the_list() -> None:
    """Age, time, address, release and size of each, and the sums."""
    served = environment("pr-1", url="http://pr-1.localhost:8090/", release="1a2b3c4d5e6f")
    found = [
        (served, Listed(stack="review-pr-1", resources=52)),
        (environment("pr-22", hours=-2), Listed(stack="review-pr-22", resources=3)),
    ]

    assert listing.table(found, NOW) == [
        "NAME   AGE  EXPIRES      URL                          RELEASE       SIZE",
        "pr-1   1 d  in 1 d       http://pr-1.localhost:8090/  1a2b3c4d5e6f  640 MiB, 52 resources",
        "pr-22  1 d  due for 2 h  not served yet               -             640 MiB, 3 resources",
        "2 with 1280 MiB of memory; 1 due: python -m pipeline env expire",
    ]
    assert listing.table([], NOW) == ["There are no review environments."]


def test_the_list_for_programs() -> None:
    """The same as JSON, with moments in UTC."""
    [found] = json.loads(listing.as_json([(environment(), Listed(stack="review-pr-1", resources=3))], NOW))

    assert found == {
        "name": "pr-1",
        "stack": "review-pr-1",
        "project": "shop",
        "url": None,
        "release": None,
        "created": "2026-11-28T12:00:00Z",
        "expires": "2026-11-30T12:00:00Z",
        "age_seconds": 86400,
        "due": False,
        "memory_mb": 640,
        "resources": 3,
    }
