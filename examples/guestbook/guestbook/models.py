"""What the guestbook keeps."""

import uuid
from pathlib import PurePath

from django.db import models


def picture_path(_entry: "Entry", filename: str) -> str:
    """Return a name that says nothing about the sender and never meets another one."""
    return f"entries/{uuid.uuid4().hex}{PurePath(filename).suffix.lower()}"


class Entry(models.Model):
    """A message that a visitor left."""

    name = models.CharField(max_length=80)
    message = models.TextField(max_length=1000)
    picture = models.FileField(upload_to=picture_path, blank=True)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        """Newest first."""

        ordering = ["-created", "-pk"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        """Return who wrote it and when."""
        return f"{self.name}, {self.created:%Y-%m-%d %H:%M}"
