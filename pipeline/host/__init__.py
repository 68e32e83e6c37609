"""What surrounds ``pulumi up`` for a stack on a Docker host."""

from pipeline.host import check, doctor, drift, failed, page, tidy
from pipeline.target import Target

TARGET = Target(
    check=check.before_update,
    doubts=check.doubts,
    reasons=failed.reasons,
    remove_half_made=tidy.remove_half_made,
    settle=lambda _engine, _again: None,
    serve=page.serve,
    reach=tidy.reach,
    free=tidy.disconnect_the_gone,
    tidy=tidy.after_destroy,
    sweep=tidy.sweep,
    left=tidy.left,
    images=tidy.remove_unused,
    gone="containers, networks, volumes, images",
    platform=doctor.platform,
    running=doctor.running,
    served=doctor.served,
    look=drift.look,
    clear=drift.clear,
)
