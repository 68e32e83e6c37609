"""The report for programs, in a shape that docs/preview.md describes and that a version stands for. Pure."""

import json

from pipeline.preview import markdown
from pipeline.preview.cost import Cost
from pipeline.preview.report import Report, headline, notes
from pipeline.preview.value import Json

VERSION = 1
"""Another number where a field goes or means something else; new fields do not change it."""


def text(report: Report) -> str:
    """Write it."""
    return json.dumps(shape(report), indent=2, ensure_ascii=False) + "\n"


def shape(report: Report) -> dict[str, Json]:
    """Give what is written."""
    migrations = report.migrations
    return {
        "version": VERSION,
        "stack": report.stack,
        "marker": markdown.marker(report.stack),
        "target": report.target or None,
        "outcome": "failed" if report.failed else "unchanged" if report.unchanged else "changes",
        "summary": headline(report),
        "notes": [*notes(report)],
        "compared_with": report.compared.value,
        "problems": [{"found": each.found, "allowed": each.allowed, "mend": each.mend} for each in report.problems],
        "release": {"before": report.release_before or None, "after": report.release_after or None},
        "counts": {
            "create": report.counts.create,
            "update": report.counts.update,
            "replace": report.counts.replace,
            "delete": report.counts.delete,
            "same": report.counts.same,
        },
        "dangers": [
            {"kind": each.kind.value, "component": each.component, "text": each.text} for each in report.dangers
        ],
        "components": [
            {"name": each.name, "operation": each.operation.value, "changes": [*each.facts]} for each in report.parts
        ],
        "migrations": None
        if migrations is None
        else {
            "against": migrations.against or None,
            "unknown": migrations.unknown or None,
            "pending": [
                {"name": each.name, "sql": each.sql, "destroys": [*each.destroys]} for each in migrations.pending
            ],
        },
        "images": [
            {
                "component": each.component,
                "before": each.before or None,
                "after": each.after or None,
                "bytes_before": each.size_before,
                "bytes_after": each.size_after,
                "layers": each.layers,
                "new_layers": each.new_layers,
            }
            for each in report.images
        ],
        "cost": None
        if report.costs is None
        else {
            "before": _cost(report.costs.before),
            "after": _cost(report.costs.after),
            "during": _cost(report.costs.during),
        },
        "picture": report.picture or None,
    }


def _cost(each: Cost) -> dict[str, Json]:
    return {
        "containers": each.containers,
        "memory_mb": each.memory_mb,
        "cpus": each.cpus,
        "volumes": each.volumes,
        "disk_gb": each.disk_gb or None,
    }
