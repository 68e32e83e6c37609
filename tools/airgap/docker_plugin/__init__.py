"""Our own `pulumi-resource-docker`: the four resource types of the official docker plugin that Slipway uses.

For machines that reach package registries and nothing else. It answers as the official plugin 5.1.0 does
(tests/conformance holds it to that) and refuses by name whatever it does not implement. README.md lists both.
"""

VERSION = "5.1.0"
