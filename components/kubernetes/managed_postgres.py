"""The database, run by CloudNativePG: the operator has to be in the cluster before."""

import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_kubernetes import core

from components import target
from components.args import ManagedPostgresArgs
from components.flows import POSTGRES_PORT
from components.kubernetes import cnpg, metadata, roles


class ManagedPostgres(target.Server):
    """PostgreSQL by CloudNativePG."""

    def __init__(self, name: str, args: ManagedPostgresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:ManagedPostgres", name, {}, opts)
        secret = core.v1.Secret(
            f"{name}-user",
            metadata=metadata.of(args.owner, roles.POSTGRES, args.network, name=cnpg.SECRET),
            type="kubernetes.io/basic-auth",
            string_data={"username": args.database, "password": Output.secret(args.password)},
            opts=ResourceOptions(parent=self),
        )
        user = Output.unsecret(secret.metadata.apply(lambda it: str(it.name)))
        kubernetes.apiextensions.CustomResource(
            f"{name}-cluster",
            api_version=cnpg.API_VERSION,
            kind=cnpg.KIND,
            # The plugin waits for what the operator says.
            metadata=metadata.of(
                args.owner, roles.POSTGRES, args.network, name=roles.POSTGRES, annotations=cnpg.WAIT_FOR
            ),
            spec=cnpg.spec(args, user),
            opts=ResourceOptions(
                parent=self,
                protect=args.protect,
                retain_on_delete=args.protect,
                custom_timeouts=cnpg.TIMEOUTS,
            ),
        )
        self.host = Output.from_input(cnpg.HOST)
        self.port = Output.from_input(POSTGRES_PORT)
        self.register_outputs({"host": self.host, "port": self.port})
