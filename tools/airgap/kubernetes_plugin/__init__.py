"""Our own `pulumi-resource-kubernetes`: what Slipway needs of the official plugin, for any kind of object.

For machines that reach package registries and nothing else. It answers as the official plugin 4.32.0 does
(tests/conformance holds it to that) and refuses by name whatever it does not implement. README.md lists both.
"""

VERSION = "4.32.0"
