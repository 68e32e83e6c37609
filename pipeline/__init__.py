"""What surrounds ``pulumi up``: checks before it, mending after an interruption, readable output.

It deploys nothing by itself: every resource is Pulumi's, and every command here can be replaced by ``pulumi`` by hand.
"""
