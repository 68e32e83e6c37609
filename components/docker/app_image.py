"""The image of the app: built on the Docker host, and known by its identity there."""

import pulumi_docker as docker
from pulumi import Output, ResourceOptions

from components import image, target
from components.args import AppImageArgs


class AppImage(target.Image):
    """The app, built and on the Docker host."""

    tag: Output[str]
    """Its name and tag."""

    def __init__(self, name: str, args: AppImageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:docker:AppImage", name, {}, opts)
        name_and_tag = image.tag(args)
        built = image.build(name, args, self, push=False)
        present = docker.RemoteImage(
            f"{name}-image",
            # By its tag and not by its digest, which a builder gives to the manifest: Docker does not know it.
            name=name_and_tag,
            keep_locally=True,
            # The tag is known before it is built, so the order has to be said.
            opts=ResourceOptions(parent=self, depends_on=[built]),
        )
        self.id = present.image_id
        self.tag = Output.from_input(name_and_tag)
        self.register_outputs({"id": self.id, "tag": self.tag})
