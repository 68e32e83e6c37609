"""The namespace of a stack: everything of it is in there, and nothing else is.

It enforces Pod Security ``restricted``, has a quota, denies every connection that ``components/flows.py`` does not
list, and holds the one account that pods run under, which has no token.
"""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core, networking

from components import target
from components.args import NetworksArgs
from components.kubernetes import metadata, policies, quota, roles

_LEVEL = "restricted"
_POD_SECURITY = {f"pod-security.kubernetes.io/{mode}": _LEVEL for mode in ("enforce", "warn", "audit")}


class Namespace(target.Networks):
    """A namespace with everything that has to be there before the first pod."""

    def __init__(self, name: str, args: NetworksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:Namespace", name, {}, opts)
        self._args = args
        self._whole: pulumi.Resource | None = None
        self._provider = self._cluster()
        self.providers = [self._provider]
        namespace = self._namespace(name)
        # Its rules go with it, in one deletion instead of dozens; a protected namespace stays, and takes nothing with it.
        # Pods do not: Kubernetes looks again only after half of the longest time that one of them may take to stop.
        self._whole = None if args.protect else namespace
        self._inside: Input[str] = namespace.metadata.apply(lambda it: str(it.name))
        first = [*self._limits(name), *self._policies(name), self._account(name)]
        # What is in the namespace comes after what rules there, and goes before it.
        self.internal = Output.all(self._inside, *(each.urn for each in first)).apply(lambda them: str(them[0]))
        self.edge = self.internal
        self.register_outputs({"edge": self.edge, "internal": self.internal})

    def _cluster(self) -> kubernetes.Provider:
        place = self._args.place
        return kubernetes.Provider(
            "cluster",
            # Wherever the one who runs this has it. Left out, the SDK would write its path into the state for all others.
            kubeconfig="",
            context=place.context,
            namespace=place.namespace,
            # Names the cluster for the plugin: with another address of its API, everything would be replaced.
            cluster_identifier=f"{pulumi.get_project()}/{pulumi.get_stack()}",
            enable_server_side_apply=True,
            # What a killed update left is taken over, and claims that outlived the stack are found again; with force,
            # since each creation owns its fields under a name of its own, and another release is a conflict otherwise.
            upsert_existing_objects=True,
            enable_patch_force=True,
            opts=ResourceOptions(parent=self),
        )

    def _options(self) -> ResourceOptions:
        return ResourceOptions(parent=self, provider=self._provider, deleted_with=self._whole)

    def _namespace(self, name: str) -> core.v1.Namespace:
        args = self._args
        labels = {**args.owner.labels(policies.EVERYTHING), **_POD_SECURITY}
        return core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=args.place.namespace, labels=labels),
            opts=ResourceOptions.merge(
                self._options(),
                # Deleting a namespace deletes the claims in it.
                ResourceOptions(protect=args.protect, retain_on_delete=args.protect),
            ),
        )

    def _limits(self, name: str) -> Sequence[pulumi.Resource]:
        owner, inside = self._args.owner, self._inside
        return [
            core.v1.ResourceQuota(
                f"{name}-quota",
                metadata=metadata.of(owner, policies.EVERYTHING, inside, name="slipway"),
                spec=core.v1.ResourceQuotaSpecArgs(hard=quota.hard(self._args.budget)),
                opts=self._options(),
            ),
            core.v1.LimitRange(
                f"{name}-limits",
                metadata=metadata.of(owner, policies.EVERYTHING, inside, name="slipway"),
                spec=core.v1.LimitRangeSpecArgs(limits=[quota.container()]),
                opts=self._options(),
            ),
        ]

    def _policies(self, name: str) -> Sequence[pulumi.Resource]:
        return [
            networking.v1.NetworkPolicy(
                f"{name}-{policy.name}",
                metadata=metadata.of(self._args.owner, policy.component, self._inside, name=policy.name),
                spec=policy.spec,
                opts=self._options(),
            )
            for policy in policies.policies(self._args.flows)
        ]

    def _account(self, name: str) -> core.v1.ServiceAccount:
        args = self._args
        secrets = []
        if args.registry_auth is not None:
            secret = core.v1.Secret(
                f"{name}-registry",
                metadata=metadata.of(args.owner, policies.EVERYTHING, self._inside),
                type="kubernetes.io/dockerconfigjson",
                string_data={".dockerconfigjson": Output.secret(args.registry_auth)},
                opts=self._options(),
            )
            secrets.append(core.v1.LocalObjectReferenceArgs(name=secret.metadata.apply(lambda it: str(it.name))))
        return core.v1.ServiceAccount(
            f"{name}-account",
            metadata=metadata.of(args.owner, policies.EVERYTHING, self._inside, name=roles.ACCOUNT),
            automount_service_account_token=False,
            image_pull_secrets=secrets or None,
            opts=self._options(),
        )
