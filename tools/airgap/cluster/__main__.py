"""``make cluster`` and ``make cluster-down``."""

import argparse
import shlex
import signal
import sys

from pipeline.console import Console, PipelineError
from tools.airgap.cluster import place, theirs
from tools.bootstrapping import places
from tools.bootstrapping.main import INTERRUPTED, explain
from tools.bootstrapping.report import Report


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.airgap.cluster", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--own", action="store_true", help="make one here also where you have another")
    parser.add_argument("--addons", default="", help="what else runs there; see docs/airgap.md")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Do what the command line says; problems become messages."""
    console = Console()
    chosen = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        run(chosen, Report(places.LOGS, console))
    except PipelineError as error:
        console.fail(error)
        return 1
    except OSError as error:
        console.fail(explain(error))
        return 1
    except KeyboardInterrupt:
        console.say()
        console.warn("interrupted; the same command goes on where it stopped")
        return INTERRUPTED
    return 0


def run(chosen: argparse.Namespace, report: Report) -> None:
    """Bring the cluster, or take it away."""
    from tools.airgap.cluster import extras  # noqa: PLC0415 - as below
    from tools.airgap.cluster.down import down  # noqa: PLC0415 - what the one needs the other does not
    from tools.airgap.cluster.up import up  # noqa: PLC0415 - as above

    wanted = extras.chosen(chosen.addons)
    if chosen.command == "down":
        down(report)
        return
    file = theirs.kubeconfig()
    found = theirs.answers(file) if file and not chosen.own else None
    if found:
        report.console.say(f"  using your cluster: {found} ({file}). Nothing is built or started.")
        report.console.say("  for one on this machine all the same: make cluster OWN=1")
        return
    if file and not chosen.own:
        report.console.say(f"  the cluster of {file} does not answer: making one on this machine")
    up(report)
    extras.ensure(report, wanted)
    report.console.say(f"  kubeconfig: {place.kubeconfig()}")
    report.console.say(f"  use it:     export KUBECONFIG={shlex.quote(str(place.kubeconfig()))} && kubectl get nodes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
