"""What surrounds ``pulumi up`` for a stack on a Kubernetes cluster."""

from pipeline.cluster import check, doctor, drift, failed, heal, page, tidy
from pipeline.target import Target

TARGET = Target(
    check=check.before_update,
    doubts=check.doubts,
    reasons=failed.reasons,
    remove_half_made=tidy.remove_half_made,
    settle=heal.settle,
    serve=page.serve,
    reach=tidy.reach,
    free=lambda _engine, _state: False,
    tidy=tidy.after_destroy,
    sweep=lambda _engine, _state, _project: None,
    left=tidy.left,
    images=tidy.images_stay,
    gone="the namespace with everything in it",
    platform=doctor.platform,
    running=doctor.running,
    served=doctor.served,
    look=drift.look,
    clear=heal.clear,
)
