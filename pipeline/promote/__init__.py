"""Promotion: the image that ran in one stack is what another one runs."""
