"""What all containers of the app's image have in common."""

USER = "10001:10001"
"""The numeric user of the app; the image gives it the folder of the uploads."""

PORT = 8000
"""Where the app listens."""
