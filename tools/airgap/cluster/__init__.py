"""A Kubernetes of one node on this machine, from Go modules and Debian packages, for where none can be downloaded.

It owns everything from the host's network to the addons, and leaves nothing of it behind. Where the user has a
cluster, nothing of this runs. Applications are not its business: what runs on the cluster only meets its API.
"""
