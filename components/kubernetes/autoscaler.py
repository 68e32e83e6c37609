"""How many web processes there are when nobody says it: as many as keep the CPU at a target. Pure."""

from pulumi_kubernetes import autoscaling

from components.args import Autoscale
from components.kubernetes.quantities import millicores, requested
from components.model import Resources

CALM_SECONDS = 300
"""How long it must have been calm before there are fewer: what comes in waves would cost a start for each."""


def spec(
    name: str, scale: Autoscale, resources: Resources
) -> "autoscaling.v2.HorizontalPodAutoscalerSpecArgs":  # a name alone: loading it takes 70 ms
    """Give the specification of an autoscaler of a Deployment."""
    target = autoscaling.v2.MetricTargetArgs(type="Utilization", average_utilization=utilization(scale, resources))
    return autoscaling.v2.HorizontalPodAutoscalerSpecArgs(
        scale_target_ref=autoscaling.v2.CrossVersionObjectReferenceArgs(
            api_version="apps/v1", kind="Deployment", name=name
        ),
        min_replicas=scale.min,
        max_replicas=scale.max,
        metrics=[
            autoscaling.v2.MetricSpecArgs(
                type="Resource", resource=autoscaling.v2.ResourceMetricSourceArgs(name="cpu", target=target)
            )
        ],
        behavior=autoscaling.v2.HorizontalPodAutoscalerBehaviorArgs(
            scale_down=autoscaling.v2.HPAScalingRulesArgs(stabilization_window_seconds=CALM_SECONDS)
        ),
    )


def utilization(scale: Autoscale, resources: Resources) -> int:
    """Give the target as the autoscaler wants it: in percent of what is asked for, where settings speak of the limit."""
    return round(scale.cpu_percent * millicores(resources.cpus) / requested(resources.cpus))
