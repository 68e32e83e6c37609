"""What `pulumi up` deploys. What there is to deploy is in components/, and what a stack says about it in stacks/."""

import pulumi

from components import ownership, secrets, settings
from components.deployment import Deployment

loaded = settings.load()
deployment = Deployment(loaded, secrets.load(loaded))

pulumi.export(ownership.APP, loaded.app.name)
pulumi.export("url", deployment.url)
pulumi.export("release", deployment.release)
pulumi.export("image", deployment.image)
if deployment.commit:
    pulumi.export("commit", deployment.commit)
