"""``python -m pipeline check``: tries a stack's file against the project, in the image that would be deployed.

Nothing is deployed. The image is built the way an update builds it, and asked without a network and without any secret.
"""
