"""A machine of its own inside this one, for what changes a machine: its network, mounts and processes are its own.

What it shares with this one is the disk, the cgroups, and the kernel settings that are not of the network. Everything
in it ends with it.
"""

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.site import ROOT, Done
from tools.airgap import cache_dir

SHARED = ("tools", "bin", "registry", "images")
"""What is built, which is not built again."""

OWN = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/run/netns", "/run/containerd")
"""Folders outside of the cache that a cluster writes to."""

START = f"""
set -e
mount --make-rprivate /
# what Docker, the builder and the cluster of this machine have mounted: a copy of it is of no use here, and goes when
# theirs goes, which some do meanwhile
awk '$2 ~ "^((/var/lib/docker|/run/docker|/run/netns|{cache_dir()})/|/tmp/buildkit-)" {{print $2}}' /proc/self/mounts \
    | sort -r | xargs -r umount -l 2>/dev/null || true
for each in {" ".join(OWN)}; do mkdir -p "$each"; mount -t tmpfs own "$each"; done
ip link set lo up
iptables -P FORWARD DROP # as Docker does
echo ready
while :; do sleep 3600 & wait $!; done # the first process has to take leave of those that were orphaned
"""
SETTINGS = ("net/bridge", "net/ipv4", "vm", "kernel")
RESTLESS = re.compile(
    r"kernel/(random/|ns_last_pid|pty/nr|sched_domain|keys/|.*_nr$|usermodehelper|perf_event_max_sample_rate)"
    r"|vm/(stat_refresh|compact_memory|drop_caches)|net/ipv4/(neigh|conf|route)/|net/ipv4/(icmp|tcp_fastopen_key)"
)
"""Settings that change by themselves, or cannot be read without an effect, or belong to an interface."""

COMMAND_SECONDS = 1500
"""The longest that one command may take: a first one builds all of Kubernetes."""


@dataclass(frozen=True)
class Traces:
    """What can be seen of a machine: two of these are equal when nothing was left behind."""

    processes: list[str]
    network: list[str]
    rules: list[str]
    mounts: list[str]
    settings: dict[str, str]
    cgroups: list[str]
    files: list[str]


class Machine:
    """A machine that runs until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.cache.mkdir()
        for name in SHARED:
            (cache_dir() / name).mkdir(parents=True, exist_ok=True)
            (self.cache / name).symlink_to(cache_dir() / name)
        line = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", START]
        self._holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n", "the machine did not start"
        self._inner = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()[0]

    def line(self, *command: str) -> list[str]:
        """Give what runs a command inside."""
        enter = ["nsenter", "--target", self._inner, "--net", "--mount", "--pid", f"--wdns={ROOT}"]
        own = [f"SLIPWAY_CACHE={self.cache}", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin", "HOME=/root"]
        return [*enter, "env", "-u", "KUBECONFIG", *own, *command]

    def run(self, *command: str, text: str | None = None) -> Done:
        """Run a command inside."""
        start = time.monotonic()
        done = subprocess.run(
            self.line(*command),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        return Done(done.returncode, done.stdout, time.monotonic() - start)

    def said(self, *command: str) -> str:
        """Run a command that must work; what it said."""
        return self.run(*command).good().text

    def cluster(self, *arguments: str) -> Done:
        """Run what ``make cluster`` and ``make cluster-down`` run."""
        return self.run("python", "-m", "tools.airgap.cluster", *arguments)

    def kubectl(self, *arguments: str, text: str | None = None) -> Done:
        """Ask the cluster."""
        return self.run("kubectl", "--kubeconfig", str(self.cache / "cluster" / "kubeconfig"), *arguments, text=text)

    def pids(self, program: str) -> list[str]:
        """Find the processes of a program."""
        return self.run("pgrep", "-x", program[:15]).text.split()

    def traces(self) -> Traces:
        """Look at everything that a cluster changes."""
        return Traces(
            processes=sorted(set(self.said("ps", "-eo", "comm=").split()) - {"ps", "env", "nsenter"}),
            network=_rows(self.said("ip", "-o", "address"), self.said("ip", "route")),
            rules=[rule for program in ("iptables", "ip6tables", "iptables-legacy") for rule in self._rules(program)],
            mounts=_rows(self.said("cat", "/proc/self/mounts")),
            settings=self._settings(),
            cgroups=self._cgroups(),
            files=_rows(self.said("find", *OWN), self.said("ls", str(self.cache))),
        )

    def _rules(self, program: str) -> Sequence[str]:
        """List rules and chains; that a table is there, though empty, is no rule."""
        saved = self.run(f"{program}-save")
        lines = saved.text.splitlines() if saved.code == 0 else []
        built_in = re.compile(r":(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING) ACCEPT ")
        return [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if line[:1] in "-:" and not built_in.match(line)]

    def _settings(self) -> dict[str, str]:
        found = self.said("find", *(f"/proc/sys/{each}" for each in SETTINGS), "-type", "f", "-perm", "/444").split()
        wanted = [each for each in found if not RESTLESS.match(each.removeprefix("/proc/sys/"))]
        wanted += [f"/proc/sys/net/ipv4/conf/all/{name}" for name in ("route_localnet", "forwarding", "rp_filter")]
        rows = self.run("grep", "-s", "", "--with-filename", *wanted).text.splitlines()
        return dict(row.split(":", 1) for row in rows)

    def _cgroups(self) -> list[str]:
        """Find what is there of this machine's cluster, or of any kubelet outside of a folder of its own."""
        mark = hashlib.sha256(os.fsencode(self.cache / "cluster")).hexdigest()[:8]
        return sorted(
            str(each) for name in (f"*{mark}", "kubepods*") for each in Path("/sys/fs/cgroup").glob(f"*/{name}")
        )

    def close(self) -> None:
        """End it with everything that runs in it."""
        with self._holder:
            self._holder.kill()


def _rows(*texts: str) -> list[str]:
    return sorted(re.sub(r"\s+(valid_lft|preferred_lft) \S+", "", row) for text in texts for row in text.splitlines())
