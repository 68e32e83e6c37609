"""What may be uploaded.

Uploads are served from the address of the site, so only pictures pass, told by their content as well as their name:
an HTML page or an SVG with a script in it would run as part of the site.
"""

from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

MAX_BYTES = 5 * 1024 * 1024
SIGNATURES = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF87a", b"GIF89a"),
}


def validate_picture(upload: UploadedFile) -> None:
    """Refuse what is too large, or is no PNG, JPEG or GIF."""
    if upload.size > MAX_BYTES:
        raise ValidationError("The picture is larger than 5 MB.", code="large")
    upload.seek(0)
    start = upload.read(16)
    upload.seek(0)
    signatures = SIGNATURES.get(PurePath(upload.name).suffix.lower(), ())
    if not any(start.startswith(signature) for signature in signatures):
        raise ValidationError("Choose a PNG, JPEG or GIF picture.", code="kind")
