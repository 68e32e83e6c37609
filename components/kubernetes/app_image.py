"""The image of the app: built, pushed to the registry that settings name, and known by its digest from then on."""

from pulumi import Output, ResourceOptions

from components import image, target
from components.args import AppImageArgs


class AppImage(target.Image):
    """The app, built and in its registry."""

    def __init__(self, name: str, args: AppImageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("slipway:kubernetes:AppImage", name, {}, opts)
        built = image.build(name, args, self, push=True)
        # What a tag means can change in a registry; what a digest means cannot.
        self.id = Output.concat(image.tag(args).rsplit(":", 1)[0], "@", built.digest)
        self.register_outputs({"id": self.id})
