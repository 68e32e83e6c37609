"""What nginx does with the addresses of a site: which it answers from files, and which it hands to the project. Pure.

This module owns the parts of ``nginx.conf`` that follow from the settings of a project: static files and uploads.
The frame around them is in ``nginx.py``.
"""

from components.model import NOT_SERVED, ServeStatic, Settings

STATIC_DIR = "/srv/static"
"""Where the edge mounts the static files, read-only."""

MEDIA_DIR = "/srv/media"
"""Where the edge mounts the uploads, read-only."""

_TEXT = "application/javascript application/json image/svg+xml text/css text/javascript text/plain text/xml"

_STATIC = """
        location {url} {{
            alias {folder}/;
            charset utf-8;
            charset_types {text};
            gzip_static on;
            add_header Cache-Control $static_caching;
            add_header X-Content-Type-Options nosniff always;
        }}
"""

_MEDIA = """
        location {url} {{
            {internal}alias {folder}/;
            add_header Content-Disposition {disposition};
            add_header X-Content-Type-Options nosniff always;
        }}
"""

_INTERNAL = """\
    # What the app says about an upload that it hands out is what the visitor gets.
    map $sent_http_content_disposition $internal_disposition {
        default "";
        "" $media_disposition;
    }

"""


def http(settings: Settings) -> str:
    """Give what stands before the servers."""
    return _INTERNAL if settings.media.internal else ""


def locations(settings: Settings) -> str:
    """Give the locations of the site beside ``/``, which is the app's."""
    return _static(settings) + _media(settings)


def _static(settings: Settings) -> str:
    """Give the location of the static files; none where the project serves them itself."""
    if settings.static.serve is ServeStatic.PROJECT:
        return ""
    return _STATIC.format(url=settings.static.url, folder=STATIC_DIR, text=_TEXT)


def _media(settings: Settings) -> str:
    """Give the location of the uploads; none where nobody serves them."""
    media = settings.media
    if media.url == NOT_SERVED:
        return ""
    return _MEDIA.format(
        url=media.url,
        folder=MEDIA_DIR,
        internal="internal;\n            " if media.internal else "",
        disposition="$internal_disposition" if media.internal else "$media_disposition",
    )
