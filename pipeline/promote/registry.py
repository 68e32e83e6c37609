"""The way of an image from a Docker host into a registry. What it is called there is its digest."""

import docker.errors

from pipeline.console import problem
from pipeline.engine import Engine
from pipeline.host.check import daemon


def push(engine: Engine, image: str, repository: str, tag: str) -> str:
    """Push an image and give its name with its digest. One that is in a registry already is left where it is.

    Raises:
        PipelineError: if the registry does not take it.
    """
    if "@" in image:
        return image
    said = ""
    with daemon(engine.environ) as client:
        try:
            client.images.get(image).tag(repository, tag)
            for line in client.api.push(repository, tag, stream=True, decode=True):
                digest = (line.get("aux") or {}).get("Digest")
                if digest:
                    return f"{repository}@{digest}"
                said = str(line.get("error") or said)
        except docker.errors.APIError as error:
            said = str(error.explanation or error)
    raise problem(
        f"the registry did not take {repository}:{tag}: {said or 'it gave no digest'}",
        allowed="a registry that this Docker host may push to",
        mend=f"docker login {repository.partition('/')[0]}",
    )
