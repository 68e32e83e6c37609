"""What nginx does with the addresses of a site, as text. What it does for real is in tests/e2e."""

from collections.abc import Mapping
from typing import Any

import pytest

from components import edge_rules, nginx
from tests.sample import settings

STATIC = """
        location /static/ {
            alias /srv/static/;
            charset utf-8;
            charset_types application/javascript application/json image/svg+xml text/css text/javascript text/plain text/xml;
            gzip_static on;
            add_header Cache-Control $static_caching;
            add_header X-Content-Type-Options nosniff always;
        }
"""

MEDIA = """
        location /media/ {
            alias /srv/media/;
            add_header Content-Disposition $media_disposition;
            add_header X-Content-Type-Options nosniff always;
        }
"""

INTERNAL = """
        location /media/ {
            internal;
            alias /srv/media/;
            add_header Content-Disposition $internal_disposition;
            add_header X-Content-Type-Options nosniff always;
        }
"""


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, STATIC + MEDIA),
        ({"static": {"serve": "project"}}, MEDIA),
        ({"static": {"serve": "volume", "root": "/app/collected"}}, STATIC + MEDIA),
        ({"static": {"url": "/assets/js/"}}, STATIC.replace("/static/ {", "/assets/js/ {") + MEDIA),
        ({"media": {"url": "/up/"}}, STATIC + MEDIA.replace("/media/ {", "/up/ {")),
        ({"media": {"url": "none"}}, STATIC),
        ({"media": {"internal": True}}, STATIC + INTERNAL),
    ],
)
def test_locations(said: Mapping[str, Any], text: str) -> None:
    """What is served from files, where, and what is not."""
    assert edge_rules.locations(settings(said)) == text
    assert text in nginx.site(settings(said))


@pytest.mark.parametrize("internal", [False, True])
def test_what_the_app_says_about_an_upload_wins(internal: bool) -> None:  # noqa: FBT001 - a table
    """Only where the app hands uploads out can it have said how a browser takes them."""
    text = nginx.site(settings({"media": {"internal": internal}}))
    assert ("map $sent_http_content_disposition $internal_disposition {" in text) is internal
