"""Pulumi's output without the tracebacks."""

from pipeline.readable import Readable


def test_ordinary_lines_pass_unchanged() -> None:
    """Nothing but tracebacks is dropped, and indentation is kept."""
    text = "Updating (dev):\n\n +  docker:index:Container web creating (3s) \n    done"

    assert Readable().all(text) == ["Updating (dev):", "", " +  docker:index:Container web creating (3s)", "    done"]


def test_chatter_is_dropped() -> None:
    """A build says what it does; that something is cached, or a group of resources, is no news."""
    build = " +  docker-build:index:Image app-build creating (2s)"
    text = f""" +  slipway:docker:Web web creating (0s)
@ updating....
{build}
{build} #1 [internal] load build definition from Dockerfile
{build} #5 CACHED
{build} #6 [build 4/7] RUN {"x" * 200}
{build} #6 2.1 Installed 12 packages
 +  docker:index:Container web creating (2s) waiting for web to be healthy"""

    assert Readable().all(text) == [
        f"    app-build | [build 4/7] RUN {'x' * 200}"[:160] + " ...",
        "    app-build | Installed 12 packages",
        " +  docker:index:Container web creating (2s) waiting for web to be healthy",
    ]


def test_the_end_of_a_failed_program_is_dropped() -> None:
    """The language host ends a program whose update failed with KeyboardInterrupt; that says nothing to a user."""
    text = """Diagnostics:
  docker:index:Container (web):
    error: it is unhealthy
  pulumi:pulumi:Stack (slipway-dev):
    Traceback (most recent call last):
      File "/x/pulumi-language-python-exec", line 192, in <module>
        loop.run_until_complete(coro)
    KeyboardInterrupt
    error: update failed
Resources:"""

    assert Readable().all(text) == [
        "Diagnostics:",
        "  docker:index:Container (web):",
        "    error: it is unhealthy",
        "  pulumi:pulumi:Stack (slipway-dev):",
        "    error: update failed",
        "Resources:",
    ]


def test_a_heading_with_nothing_below_it_is_dropped() -> None:
    """When all that a resource had to say was a traceback, its name is no news; blank lines do not pile up either."""
    text = """Diagnostics:
  pulumi:pulumi:Stack (slipway-dev):
    Traceback (most recent call last):
      File "x"
    KeyboardInterrupt

  docker:index:Container (web):
    error: it is unhealthy

Resources:
    1 unchanged

"""

    assert Readable().all(text) == [
        "Diagnostics:",
        "",
        "  docker:index:Container (web):",
        "    error: it is unhealthy",
        "",
        "Resources:",
        "    1 unchanged",
    ]


def test_of_other_tracebacks_the_reason_is_kept() -> None:
    """Frames go, the last line with the reason stays, chained ones too."""
    text = """    Traceback (most recent call last):
      File "a.py", line 1, in <module>
        import a
    KeyError: 'a'

    During handling of the above exception, another exception occurred:

    Traceback (most recent call last):
      File "b.py", line 2, in <module>
        import b
    ModuleNotFoundError: No module named 'b'
    next"""

    kept = [line.strip() for line in Readable().all(text) if line.strip()]

    assert kept == ["KeyError: 'a'", "ModuleNotFoundError: No module named 'b'", "next"]


def test_tracebacks_in_prefixed_lines_are_seen() -> None:
    """While a program runs, each of its lines comes behind the name of its resource, in colour on a terminal."""
    prefix = "\x1b[0m    pulumi:pulumi:Stack slipway-dev running (2s) "
    lines = ["Traceback (most recent call last):", '  File "x", line 1', "    f()", "ValueError: bad", "after"]

    kept = Readable().all("\n".join(prefix + line for line in lines))

    assert [line.removeprefix(prefix) for line in kept] == ["ValueError: bad", "after"]


def test_tracebacks_in_build_logs_are_seen() -> None:
    """BuildKit puts a step number and a time before each line."""
    lines = """#14 1.203 Traceback (most recent call last):
#14 1.203   File "manage.py", line 22, in <module>
#14 10.203     main()
#14 10.204 ModuleNotFoundError: No module named 'config.nope'
#14 ERROR: process did not complete""".splitlines()
    prefix = " ~  docker-build:index:Image app-build updating (7s) [diff: ~contextHash,labels]; "

    assert Readable().all("\n".join(prefix + line for line in lines)) == [
        "    app-build | ModuleNotFoundError: No module named 'config.nope'",
    ]


def test_what_has_ended_does_not_say_what_it_waited_for() -> None:
    """Pulumi shows the last message of a resource again when it is done; an error stays."""
    lines = [
        " ++ kubernetes:batch/v1:Job migration created replacement (7s) [diff: ~spec]; waiting for Job 'm' to succeed",
        " -- kubernetes:batch/v1:Job migration deleted original (2s) [diff: ~spec]; waiting for Job 'm' to succeed",
        " +  kubernetes:apps/v1:Deployment web created (5s) waiting for app ReplicaSet to be available (1/1 Pods available)",
        " +  kubernetes:apps/v1:Deployment web **creating failed** error: no",
        " ~  docker-build:index:Image app refreshing (4s) warning: unable to verify image tags, leaving state unchanged: x",
    ]

    assert Readable().all("\n".join(lines)) == [
        " ++ kubernetes:batch/v1:Job migration created replacement (7s) [diff: ~spec]",
        " -- kubernetes:batch/v1:Job migration deleted original (2s) [diff: ~spec]",
        " +  kubernetes:apps/v1:Deployment web created (5s)",
        " +  kubernetes:apps/v1:Deployment web **creating failed** error: no",
    ]


def test_what_waits_for_the_same_says_so_once() -> None:
    """A cluster says every two seconds what it waits for, with other numbers; something else is news."""
    line = " +  kubernetes:apps/v1:Deployment web creating ({0}s) {1} of 2 replicas ready ({0} s of at most 300 s)"
    other = " +  kubernetes:apps/v1:Deployment web creating (7s) ImagePullBackOff"
    failed = " +  kubernetes:apps/v1:Deployment web **creating failed** error: no"
    text = "\n".join([line.format(1, 0), line.format(3, 0), line.format(5, 1), other, other, failed, failed])

    assert Readable().all(text) == [line.format(1, 0), other, failed, failed]


def test_a_container_that_waits_for_the_same_says_so_again_after_a_while() -> None:
    """Ten seconds later, so that a job's log shows that something happens; when it is there, that is all."""
    line = " +  docker:index:Container web creating ({0}s) waiting for web-1 to be healthy ({0} s of at most 300 s)"
    done = " +  docker:index:Container web created (7s) waiting for web-1 to be healthy (4 s of at most 300 s)"
    text = "\n".join([*(line.format(each) for each in (2, 4, 11, 12, 14, 22, 63, 71, 73)), done])

    assert Readable().all(text) == [
        *(line.format(each) for each in (2, 12, 22, 63, 73)),
        " +  docker:index:Container web created (7s)",
    ]


def test_what_did_not_change_and_what_is_done_anyway_is_not_said() -> None:
    """A refresh names every resource that is as it was; after a destroy Pulumi asks for what our commands do next."""
    text = """Destroying (review-pr-1):
    pulumi:pulumi:Stack slipway-review-pr-1 running
    slipway:docker:Redis redis
    docker:index:Volume media-storage-volume
 -  docker:index:Container web deleted (1s)
    a line of something else
The resources in the stack have been deleted, but the history and configuration associated with the stack are still maintained.
If you want to remove the stack completely, run `pulumi stack rm review-pr-1`."""

    assert Readable().all(text) == [
        "Destroying (review-pr-1):",
        "    pulumi:pulumi:Stack slipway-review-pr-1 running",
        " -  docker:index:Container web deleted (1s)",
        "    a line of something else",
    ]
