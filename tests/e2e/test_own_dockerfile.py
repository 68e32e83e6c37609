"""A project with a Dockerfile of its own: it is built instead of Slipway's, and all the rest is the same."""

from collections.abc import Callable

import pytest

from tests.e2e.site import PNG, Site, multipart

pytestmark = pytest.mark.docker

DOCKERFILE = """\
FROM python:3.13-slim
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/project
RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt \\
    --mount=type=secret,id=ca_bundle,target=/etc/ssl/certs/ca-certificates.crt \\
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt pip install --quiet --no-cache-dir --requirement /tmp/requirements.txt
COPY . .
RUN python manage.py collectstatic --noinput \\
    && cp -r staticfiles /srv/static \\
    && install -d -o 10001 -g 10001 media
USER 10001:10001
CMD ["gunicorn", "--bind=0.0.0.0:8000", "--worker-tmp-dir=/dev/shm", "config.wsgi:application"]
"""


def test_it_is_built_and_served(make_site: Callable[..., Site]) -> None:
    """Page, row, upload and hashed static file come through the edge, from the command that the Dockerfile names."""
    site = make_site("own", app={"dockerfile": "Dockerfile"}, media={"root": "/srv/project/media"})
    (site.app / "Dockerfile").write_text(DOCKERFILE)
    site.secrets().up().good()

    cookie, token = site.form()
    form = {"csrfmiddlewaretoken": token, "name": "Ada", "message": "own-4711"}
    body, headers = multipart(form, {"picture": ("dot.png", "image/png", PNG)})
    sent = site.ask("/", "POST", body, {**headers, "Cookie": cookie})

    assert sent.status == 302, sent.text[:2000]
    assert site.sql("select name from guestbook_entry where message = 'own-4711'") == ["Ada"]
    assert site.execute("web", "sh", "-c", "find media -type f | wc -l") == "1"
    style = next(part for part in site.ask().text.split('"') if part.startswith("/static/") and ".css" in part)
    assert "immutable" in site.ask(style).headers["cache-control"]
    assert site.container("web").attrs["Config"]["Cmd"][0] == "gunicorn"
    assert site.container("web").attrs["Config"]["WorkingDir"] == "/srv/project"
    assert "unchanged" in site.up().good().text
