"""How Pulumi names things in what it writes: the types of resources, and the mark of a secret.

A state, a plan and a preview all use these. They are the plugins' and the engine's, and never change.
"""

from collections.abc import Mapping

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
NETWORK = "docker:index/network:Network"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
"""An image that the daemon has, by its tag."""
IMAGE = "docker-build:index:Image"
"""An image that is built."""
KUBERNETES = "kubernetes:"
"""What the type of every object of a cluster begins with, such as ``kubernetes:apps/v1:Deployment``."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of every object that the engine has marked."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, no secret
"""What stands under that key where the object is a secret, encrypted or not."""


def encrypted(value: object) -> bool:
    """Whether a value of a state is marked."""
    return isinstance(value, Mapping) and SIGNATURE in value
