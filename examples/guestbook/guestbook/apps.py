"""Registers the app with Django."""

from django.apps import AppConfig


class GuestbookConfig(AppConfig):
    """The guestbook."""

    name = "guestbook"
