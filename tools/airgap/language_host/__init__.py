"""Pulumi's Python language host, for machines that cannot download the official one.

It starts the SDK's own ``pulumi-language-python-exec`` and reports what the program needs, as the official one does.
It generates no code and packs no packages: those calls answer "unimplemented".
"""
