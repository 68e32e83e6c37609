"""Quantities as Kubernetes writes them: ``250m``, ``1.5``, ``512Mi``, ``2Gi``, ``1e3``. Pure."""

_SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
}
MIB, GIB = 2**20, 2**30


def amount(text: object) -> float:
    """Read a quantity, in cores, bytes or pieces."""
    written = str(text)
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if written.endswith(suffix):
            return float(written.removesuffix(suffix)) * _SUFFIXES[suffix]
    return float(written)
