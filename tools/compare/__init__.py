"""``python -m tools.compare``: Slipway beside a plain compose file of the same services, in one run.

``program.py`` brings ``docker compose``, ``measure.py`` measures, ``compose.yaml`` and ``nginx.conf`` are what a team
writes by hand. Nothing that runs needs any of it, and the bootstrap does not bring it.
"""
