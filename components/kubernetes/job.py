"""A step that runs once and decides whether the update goes on.

Another step has another name, so that the old one is there until the update succeeded. A failed one is made again by
the next update. What it said is in the log of its pod, which stays as long as the Job does.
"""

import pulumi
from pulumi import CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes import batch

from components.kubernetes import metadata, pod
from components.kubernetes.pod import Pod

ROOM_SECONDS = 60
"""What scheduling and pulling may take on top of the step itself, and Kubernetes to say that it ended."""


def run(
    name: str,
    spec: Pod,
    namespace: Input[str],
    limit_seconds: int,
    opts: ResourceOptions,
) -> Output[bool]:
    """Register the Job, and give an output that exists only if it ended well."""
    seconds = limit_seconds + ROOM_SECONDS
    job = batch.v1.Job(
        name,
        metadata=metadata.of(spec.owner, spec.component, namespace, annotations=metadata.REPLACE_UNREADY),
        spec=batch.v1.JobSpecArgs(
            # A second try is another update's: whoever looks has to see what happened to the first.
            backoff_limit=0,
            active_deadline_seconds=seconds,
            template=pod.template(spec),
        ),
        opts=ResourceOptions.merge(
            opts,
            ResourceOptions(
                custom_timeouts=CustomTimeouts(create=f"{seconds + ROOM_SECONDS}s", update=f"{seconds + ROOM_SECONDS}s")
            ),
        ),
    )
    return ready(job)


def ready(job: pulumi.Resource) -> Output[bool]:
    """Give an output that previews know and that is there only once the Job is complete."""
    return job.urn.apply(lambda _: True)
