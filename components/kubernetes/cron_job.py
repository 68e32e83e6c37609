"""What runs by the clock, as a CronJob. A run that is under way when the next is due goes on, and that one is left out."""

from pulumi import Input, ResourceOptions
from pulumi_kubernetes import batch

from components.kubernetes import metadata, pod
from components.kubernetes.pod import Pod

LATE_SECONDS = 300
"""How late a run may begin, where the cluster was away at its time."""

KEPT_GOOD, KEPT_BAD = 1, 3
"""How many runs that ended are kept to look at."""


def create(name: str, spec: Pod, schedule: str, namespace: Input[str], opts: ResourceOptions) -> batch.v1.CronJob:
    """Register a CronJob. Its name in the namespace is that of the pod's component."""
    owner, role = spec.owner, spec.component
    return batch.v1.CronJob(
        f"{name}-schedule",
        metadata=metadata.of(owner, role, namespace, name=role),
        spec=batch.v1.CronJobSpecArgs(
            schedule=schedule,
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            starting_deadline_seconds=LATE_SECONDS,
            successful_jobs_history_limit=KEPT_GOOD,
            failed_jobs_history_limit=KEPT_BAD,
            job_template=batch.v1.JobTemplateSpecArgs(
                # The next time is the second try.
                spec=batch.v1.JobSpecArgs(backoff_limit=0, template=pod.template(spec)),
            ),
        ),
        opts=opts,
    )
