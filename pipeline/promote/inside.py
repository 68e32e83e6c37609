"""The program that runs beside the app and tells its migrations: those of its image, and those of its database.

It is sent as text, and needs nothing but Django. It judges nothing.
"""

import json

MARK = "slipway-migrations:"
"""Begins the line that tells them."""


def main() -> None:
    """Tell the migrations of the default database."""
    import django  # type: ignore[import-not-found]  # noqa: PLC0415 - it is there where this runs

    django.setup()

    from django.db import connection  # type: ignore[import-not-found]  # noqa: PLC0415 - not before the setup
    from django.db.migrations.loader import MigrationLoader  # type: ignore[import-not-found]  # noqa: PLC0415 - the same

    loader = MigrationLoader(connection)
    plan: dict[tuple[str, str], None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        plan.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    told = {
        "plan": [".".join(key) for key in plan],
        "known": sorted(".".join(key) for key in loader.disk_migrations),
        "replaces": {
            ".".join(key): [".".join(each) for each in migration.replaces]
            for key, migration in loader.disk_migrations.items()
            if migration.replaces
        },
        "applied": sorted(".".join(key) for key in loader.applied_migrations or ()),
    }
    print(MARK + json.dumps(told))


if __name__ == "__main__":
    main()
