"""Tests of the guestbook: `python -W error manage.py test`."""
