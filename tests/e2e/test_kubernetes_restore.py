"""The data of a stack on the cluster, in a file and back into the same stack: nothing else of it changes."""

import re
from pathlib import Path

import pytest

from tests.e2e.cluster_site import ClusterSite

pytestmark = pytest.mark.cluster

ROWS = "select id, name, message from guestbook_entry order by id"


def test_what_was_dumped_comes_back(guestbook: ClusterSite, tmp_path: Path) -> None:
    """Rows that were written since are gone, those that were deleted are there; the pods are new and nobody's change."""
    site, file = guestbook, tmp_path / "data.tar"
    insert = "insert into guestbook_entry (name, message, picture, created) values ('{0}', '{0}', '', now())"
    site.sql(insert.format("before the dump"))
    site.pipeline("data", "dump", site.stack, "--to", str(file)).good()
    before, pods = site.sql(ROWS), site.serving("web")
    site.sql("delete from guestbook_entry where name = 'before the dump'")
    site.sql(insert.format("after the dump"))

    refused = site.pipeline("data", "restore", site.stack, "--from", str(file)).bad().text
    assert "has data: rows in guestbook_entry" in refused
    site.pipeline("data", "restore", site.stack, "--from", str(file), "--replace").good()

    assert site.sql(ROWS) == before
    assert site.ask().status == 200
    site.settle("web")  # the old ones finish what they began
    assert not pods & site.serving("web")
    preview = site.pipeline("preview", site.stack).good().text
    assert re.search(r"\d+ unchanged", preview)
    assert not re.search(r"to (create|update|replace|delete)", preview), preview
