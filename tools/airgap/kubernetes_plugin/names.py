"""Automatic names, the same ones that the official plugin makes of the same seed. Pure."""

import hashlib
import secrets
import struct
from typing import Final

DIGITS: Final = 8
_WORD: Final = 0xFFFFFFFF
_ROUNDS: Final = 8
_CONSTANTS: Final = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
_COLUMNS: Final = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS: Final = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def automatic_name(name: str, seed: bytes) -> str:
    """Return the name of an object that its program does not name: its logical name and eight hexadecimal digits."""
    return f"{name}-{_digits(seed) if seed else secrets.token_hex(DIGITS // 2)}"


def _digits(seed: bytes) -> str:
    """Draw eight digits as Pulumi's SDK for Go does: each from the lowest bits of one number of Go's ChaCha8 generator.

    That generator computes four blocks at a time and gives their words in turn, two to a number. So a number's low half
    is a word of block 0 or block 2, and eight numbers need the first four words of each.
    """
    key = struct.unpack("<8I", hashlib.sha256(seed).digest())
    even, odd = _block(key, 0), _block(key, 2)
    return "".join(f"{(odd if number % 2 else even)[number // 2] % 16:x}" for number in range(DIGITS))


def _block(key: tuple[int, ...], counter: int) -> list[int]:
    words = [*_CONSTANTS, *key, counter, 0, 0, 0]
    for _ in range(_ROUNDS // 2):
        for a, b, c, d in (*_COLUMNS, *_DIAGONALS):
            for target, source, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                words[target] = (words[target] + words[source]) & _WORD
                turned = words[mixed] ^ words[target]
                words[mixed] = ((turned << turn) | (turned >> (32 - turn))) & _WORD
    return words  # without the key added once more, as this generator leaves its first and last words
