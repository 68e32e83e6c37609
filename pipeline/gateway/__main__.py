"""What `pulumi up` deploys in this folder: the gateway of a host. Its stack's file says what it is."""

import json
import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Pulumi knows the folder of this project alone

from components import gateway
from components.args import GatewayArgs
from components.docker.gateway import Gateway
from components.model import Gateway as Settings

config = pulumi.Config()
settings = Settings.model_validate(json.loads(config.require("gateway")))
Gateway(
    "gateway",
    GatewayArgs(
        name=settings.name,
        image=settings.image,
        resources=settings.resources,
        site=gateway.site(settings, config.require("domain")),
        address=settings.address,
        port=settings.port,
    ),
)
pulumi.export("network", gateway.network(settings.name))
