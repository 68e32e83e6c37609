"""What every process of the app's image has in common, on every target."""

USER = "10001:10001"
"""The numeric user and group of the app; the image gives them the folder of the uploads."""

PORT = 8000
"""Where the app listens."""
