"""The version that the pages show."""

VERSION = "1.0.0"
