"""Drift: what runs, compared with what was declared."""
