"""What every pod of the app's image has in common."""

from components import app

USER = int(app.USER.split(":")[0])
"""The numeric user of the app. What it shares with the edge belongs to the group of the same number."""
