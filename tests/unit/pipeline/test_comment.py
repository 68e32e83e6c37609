"""One comment that is edited instead of repeated, against a server that speaks as GitHub and GitLab do."""

import io
import json
import socket
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from pipeline import __main__ as command_line
from pipeline import comment as command
from pipeline.console import Console, PipelineError
from pipeline.forge import comment, http, place
from pipeline.forge.github import GitHub
from tests.unit.pipeline.fake_forge import TOKEN, Forge

MARK = "<!-- slipway-preview: prod -->"
REPORT = f"{MARK}\nprod: 2 changes\n"
SYSTEMS = ("GitHub Actions", "GitLab CI", "Jenkins with GitHub", "Jenkins with GitLab")


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A server with no comment yet."""
    with Forge() as server:
        yield server


def variables(system: str, forge: Forge, folder: Path) -> dict[str, str]:
    """What a CI system sets for a job about request 5."""
    event = folder / "event.json"
    event.write_text(json.dumps({"action": "opened", "pull_request": {"number": 5}}))
    return {
        "GitHub Actions": {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": f"{forge.address}/api/v3",  # as on a GitHub Enterprise Server
            "GITHUB_REPOSITORY": "me/shop",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF": "refs/pull/5/merge",
            "GITHUB_TOKEN": TOKEN,
        },
        "GitLab CI": {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{forge.address}/api/v4",
            "CI_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "5",
            "GITLAB_TOKEN": TOKEN,
        },
        "Jenkins with GitHub": {
            "CHANGE_URL": f"{forge.address}/me/shop/pull/5",
            "GITHUB_TOKEN": TOKEN,
        },
        "Jenkins with GitLab": {
            "CHANGE_URL": f"{forge.address}/me/shop/-/merge_requests/5",
            "GITLAB_TOKEN": TOKEN,
        },
    }[system]


@pytest.fixture
def where(forge: Forge, tmp_path: Path) -> place.Place:
    """Request 5 there, on GitHub."""
    return place.find(variables("GitHub Actions", forge, tmp_path))


def request(system: str, forge: Forge, folder: Path) -> comment.Request:
    """Request 5 there, as the command finds it."""
    found = place.find(variables(system, forge, folder))
    return command.OF[found.kind](found)


def quiet() -> Console:
    """A console that is read afterwards."""
    return Console(io.StringIO(), io.StringIO())


def said(console: Console) -> str:
    """What was printed on both."""
    assert isinstance(console.out, io.StringIO)
    assert isinstance(console.err, io.StringIO)
    return console.out.getvalue() + console.err.getvalue()


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_first_report_is_posted_and_the_next_one_edits_it(
    system: str, forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the command line, with what each CI system sets; the same report again changes nothing."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CHANGE_URL", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables(system, forge, tmp_path).items():
        monkeypatch.setenv(name, value)
    report = tmp_path / "report.md"
    forge.add("a comment of somebody else", {"id": 1, "login": "ann", "type": "User"})
    printed = []

    for text in (REPORT, f"{MARK}\nprod: nothing changes\n", f"{MARK}\nprod: nothing changes\n"):
        report.write_text(text)
        console = quiet()
        assert command_line.main(["comment", "--file", str(report)], console) == 0
        printed.append(said(console).splitlines()[-1].partition(":")[0])
        assert TOKEN not in said(console)

    assert forge.bodies() == ["a comment of somebody else", f"{MARK}\nprod: nothing changes\n"]
    assert printed == ["Posted", "Edited", "Is there already"]


def test_the_token_of_a_job_is_not_told_its_name(forge: Forge, where: place.Place) -> None:
    """Its comments are those of a bot, and are found again all the same."""
    forge.as_job()
    forge.add(f"{MARK}\nplanted", {"id": 1, "login": "ann", "type": "User"})

    comment.post(GitHub(where), MARK, REPORT, quiet())
    comment.post(GitHub(where), MARK, f"{MARK}\nnew", quiet())

    assert forge.bodies() == [f"{MARK}\nplanted", f"{MARK}\nnew"]


@pytest.mark.parametrize("system", SYSTEMS[:2])
def test_a_marker_in_the_comment_of_somebody_else_is_left_alone(system: str, forge: Forge, tmp_path: Path) -> None:
    """Whoever plants one could change the report afterwards."""
    forge.add(f"{MARK}\nplanted", {"id": 1, "login": "ann", "type": "User"})
    forge.add(f"see {MARK}")

    made, did = comment.post(request(system, forge, tmp_path), MARK, REPORT, quiet())

    assert (made.id, did) == (102, "posted")
    assert forge.bodies() == [f"{MARK}\nplanted", f"see {MARK}", REPORT]


@pytest.mark.parametrize("system", SYSTEMS[:2])
def test_the_comment_is_found_on_the_last_of_many_pages(system: str, forge: Forge, tmp_path: Path) -> None:
    """Long conversations have more than a page; what the server calls a change of state is no comment."""
    for number in range(95):
        forge.add(f"comment {number}", system=True)
    own = forge.add(REPORT)

    made, did = comment.post(request(system, forge, tmp_path), MARK, f"{MARK}\nnew", quiet())

    assert (made.id, did) == (own, "edited")
    assert sum("page=" in each and each.startswith("GET") for each in forge.asked) == 4


def test_a_next_page_on_another_server_is_not_asked(where: place.Place) -> None:
    """It would get the token."""
    headers = Message()
    headers["Link"] = '<https://elsewhere.example/?page=2>; rel="next"'
    assert http.following(where, headers) is None


def test_a_redirect_is_not_followed(forge: Forge, where: place.Place) -> None:
    """It would carry the token along."""
    forge.refuse("GET", 302, headers={"Location": f"{forge.address}/elsewhere"})
    with pytest.raises(PipelineError, match="pull request 5 of me/shop: GitHub answers 302"):
        comment.post(GitHub(where), MARK, REPORT, quiet())
    assert len(forge.asked) == 1


@pytest.mark.parametrize(
    ("status", "message", "headers", "pauses"),
    [
        (403, "You have exceeded a secondary rate limit", {"Retry-After": "7"}, [7.0]),
        (429, "Too Many Requests", {"Retry-After": "3"}, [3.0]),
        (429, "", {}, [2.0]),
        (502, "", {}, [2.0]),
    ],
)
def test_a_busy_server_gets_the_time_that_it_asks_for(  # noqa: PLR0913, PLR0917 - what pytest hands over
    forge: Forge, where: place.Place, status: int, message: str, headers: dict[str, str], pauses: list[float]
) -> None:
    """And the run says that it waits."""
    forge.refuse("POST", status, message, headers=headers)
    slept: list[float] = []
    console = quiet()

    comment.post(GitHub(where), MARK, REPORT, console, sleep=slept.append)

    assert slept == pauses
    assert f"GitHub answers {status}" in said(console)
    assert f"tries again in {pauses[0]:.0f} s" in said(console)
    assert forge.bodies() == [REPORT]


def test_an_answer_that_got_lost_makes_no_second_comment(forge: Forge, where: place.Place) -> None:
    """The next try finds what the first has posted."""
    forge.refuse("POST", 504, after_doing=True)

    _, did = comment.post(GitHub(where), MARK, REPORT, quiet(), sleep=lambda _: None)

    assert did == "left"
    assert forge.bodies() == [REPORT]


def test_a_wait_that_is_too_long_ends_the_run(forge: Forge, where: place.Place) -> None:
    """An hour of a runner is worth more than a comment."""
    reset = str(int(time.time()) + 3000)
    forge.refuse(
        "POST", 403, "API rate limit exceeded", headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    )
    slept: list[float] = []

    with pytest.raises(PipelineError) as error:
        comment.post(GitHub(where), MARK, REPORT, quiet(), sleep=slept.append)

    assert slept == []
    [only] = error.value.problems
    assert only.found.startswith("GitHub answers 403: API rate limit exceeded; it asks to wait ")
    assert only.mend == "run the job again later"


def test_it_gives_up_after_a_few_tries(forge: Forge, where: place.Place) -> None:
    """With what the server said last."""
    for _ in range(comment.TRIES):
        forge.refuse("GET", 503, "Service unavailable")
    slept: list[float] = []

    with pytest.raises(PipelineError, match="GitHub answers 503: Service unavailable"):
        comment.post(GitHub(where), MARK, REPORT, quiet(), sleep=slept.append)
    assert slept == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("system", "method", "status", "message", "text"),
    [
        (
            "GitHub Actions",
            "GET",
            401,
            "Bad credentials",
            (
                "GITHUB_TOKEN: pull request 5 of me/shop: GitHub answers 401: Bad credentials\n"
                "  mend:    give GITHUB_TOKEN a token that has not expired"
            ),
        ),
        (
            "GitHub Actions",
            "POST",
            403,
            "Resource not accessible by integration",
            (
                "GITHUB_TOKEN: pull request 5 of me/shop: GitHub answers 403: Resource not accessible by integration\n"
                "  mend:    permissions: {pull-requests: write}   # of the job; the token of a fork's pull request may "
                "never write"
            ),
        ),
        (
            "GitHub Actions",
            "POST",
            404,
            "Not Found",
            (
                "pull request 5 of me/shop: GitHub answers 404: Not Found\n"
                "  mend:    give GITHUB_TOKEN a token that may read me/shop; or, if that is another name now, use it"
            ),
        ),
        (
            "GitHub Actions",
            "POST",
            422,
            "Validation Failed",
            (
                "pull request 5 of me/shop: GitHub answers 422: Validation Failed\n"
                "  mend:    the conversation may be locked: unlock it, or run the job without the comment"
            ),
        ),
        (
            "GitLab CI",
            "POST",
            403,
            "403 Forbidden",
            (
                "GITLAB_TOKEN: merge request 5 of 12: GitLab answers 403: 403 Forbidden\n"
                "  mend:    give GITLAB_TOKEN a token with the scope api, of a member who may comment"
            ),
        ),
    ],
)
def test_a_refusal_names_what_mends_it(  # noqa: PLR0913, PLR0917 - what pytest hands over
    forge: Forge, tmp_path: Path, system: str, method: str, status: int, message: str, text: str
) -> None:
    """Whose token, for what, what the server said, what to do."""
    forge.refuse(method, status, message)

    with pytest.raises(PipelineError) as error:
        comment.post(request(system, forge, tmp_path), MARK, REPORT, quiet())

    assert str(error.value) == text
    assert TOKEN not in str(error.value)


def test_what_is_no_api_is_named(forge: Forge, where: place.Place) -> None:
    """A login page answers 200 with HTML."""
    forge.refuse("GET", 200, raw=b"<html>")
    with pytest.raises(PipelineError, match="answers with something else than JSON"):
        comment.post(GitHub(where), MARK, REPORT, quiet())


def test_a_server_that_is_away_is_named(tmp_path: Path, forge: Forge) -> None:
    """After some tries, with the reason and a command that shows more."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}"
    environ = variables("GitHub Actions", forge, tmp_path) | {"GITHUB_API_URL": away}

    with pytest.raises(PipelineError) as error:
        comment.post(GitHub(place.find(environ)), MARK, REPORT, quiet(), sleep=lambda _: None)

    assert error.value.problems[0].found == f"GitHub at {away} does not answer: [Errno 111] Connection refused"
    assert (
        error.value.problems[0].mend == f"curl --verbose {away}   # from this machine; a proxy belongs into HTTPS_PROXY"
    )


def test_a_server_that_says_nothing_is_not_waited_for_long(
    where: place.Place, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer has a limit of time."""
    monkeypatch.setattr(http, "LIMIT_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        still = place.Place(where.kind, f"http://127.0.0.1:{port}", where.repository, 5, TOKEN, "GITHUB_TOKEN")
        with pytest.raises(PipelineError, match="does not answer: timed out"):
            comment.post(GitHub(still), MARK, REPORT, quiet(), sleep=lambda _: None)
    assert forge.asked == []


def test_what_no_comment_can_hold_is_refused_before_anything_is_asked(forge: Forge, where: place.Place) -> None:
    """With both sizes."""
    with pytest.raises(PipelineError) as error:
        comment.post(GitHub(where), MARK, MARK + "x" * 70_000, quiet())
    assert str(error.value) == (
        "the comment has 70,030 characters, 4,494 too many\n  allowed: 65,536 characters\n"
        "  mend:    post a shorter text, and the whole as an artifact of the job"
    )
    assert forge.asked == []


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (REPORT, None, (MARK, REPORT)),
        (f"\ufeff{REPORT}", None, (MARK, REPORT)),
        ("It is there.\n", "review pr-5", ("<!-- review pr-5 -->", "<!-- review pr-5 -->\nIt is there.\n")),
        (REPORT, "mine", ("<!-- mine -->", f"<!-- mine -->\n{REPORT}")),
    ],
)
def test_the_marker_is_the_first_line(text: str, name: str | None, expected: tuple[str, str]) -> None:
    """That of the file, or one that is named."""
    assert comment.marked(text, name, "report.md") == expected


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        (" \n", None, "report.md is empty: there is nothing to post"),
        ("# Report\n", None, "report.md: its first line is no marker, by which the comment would be found again"),
        ("# Report\n", "a -->", "--marker: found 'a -->'"),
        ("# Report\n", "a--b", "--marker: found 'a--b'"),
        ("# Report\n", "", "--marker: found ''"),
    ],
)
def test_a_text_without_a_marker_is_refused(text: str, name: str | None, found: str) -> None:
    """It would be posted again and again."""
    with pytest.raises(PipelineError) as error:
        comment.marked(text, name, "report.md")
    assert error.value.problems[0].found == found


@pytest.mark.parametrize(
    ("system", "changed", "found"),
    [
        ("GitHub Actions", {"GITHUB_ACTIONS": ""}, "no pull request: none of the variables that say which one is set"),
        (
            "GitHub Actions",
            {"GITHUB_EVENT_PATH": "", "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_NAME": "push"},
            "GITHUB_EVENT_PATH: the event push is about no pull request",
        ),
        ("GitHub Actions", {"GITHUB_TOKEN": " "}, "GITHUB_TOKEN is not set: without a token nothing can be posted"),
        ("GitHub Actions", {"GITHUB_TOKEN": "a\nb"}, "GITHUB_TOKEN holds characters that no token has"),
        ("GitHub Actions", {"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY is not set"),
        ("GitHub Actions", {"GITHUB_API_URL": "file:///x"}, "GITHUB_API_URL: file:///x is no address of an API"),
        (
            "GitLab CI",
            {"CI_MERGE_REQUEST_IID": ""},
            "CI_MERGE_REQUEST_IID is not set: this pipeline is about no merge request",
        ),
        ("GitLab CI", {"GITLAB_TOKEN": ""}, "GITLAB_TOKEN is not set: without a token nothing can be posted"),
        (
            "Jenkins with GitHub",
            {"CHANGE_URL": "https://git.example/x/1"},
            "CHANGE_URL: https://git.example/x/1 is no address of a pull request",
        ),
    ],
)
def test_what_is_missing_is_named(
    system: str, changed: dict[str, str], found: str, forge: Forge, tmp_path: Path
) -> None:
    """Before anything is asked."""
    with pytest.raises(PipelineError) as error:
        place.find(variables(system, forge, tmp_path) | changed)
    assert error.value.problems[0].found == found
    assert forge.asked == []


def test_an_event_that_cannot_be_read_is_named(forge: Forge, tmp_path: Path) -> None:
    """A file that is not there, or is no JSON."""
    environ = variables("GitHub Actions", forge, tmp_path)
    (tmp_path / "event.json").write_text("{")
    with pytest.raises(PipelineError, match=r"GITHUB_EVENT_PATH: .*event\.json cannot be read"):
        place.find(environ)


@pytest.mark.parametrize(
    ("url", "api", "repository"),
    [
        ("https://github.com/me/shop/pull/5", "https://api.github.com", "me/shop"),
        ("https://git.example/me/shop/pull/5", "https://git.example/api/v3", "me/shop"),
        ("https://gitlab.com/a/b/shop/-/merge_requests/5", "https://gitlab.com/api/v4", "a%2Fb%2Fshop"),
    ],
)
def test_jenkins_says_where_with_one_address(url: str, api: str, repository: str) -> None:
    """Theirs, or a server of one's own."""
    found = place.find({"CHANGE_URL": url, "GITHUB_TOKEN": "x", "GITLAB_TOKEN": "x"})
    assert (found.api, found.repository, found.number) == (api, repository, 5)


def test_a_job_without_an_event_takes_the_number_from_the_reference(forge: Forge, tmp_path: Path) -> None:
    """Other runners for the workflows of GitHub write no event."""
    environ = variables("GitHub Actions", forge, tmp_path) | {"GITHUB_EVENT_PATH": ""}
    assert place.find(environ).number == 5


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is one error, no traceback."""
    console = quiet()
    assert command_line.main(["comment", "--file", str(tmp_path / "no.md")], console) == 1
    assert said(console) == (
        f"error: --file: {tmp_path}/no.md cannot be read: No such file or directory\n  allowed: a file of Markdown\n"
    )
