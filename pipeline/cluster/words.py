"""Taking secrets out of what processes say, before it is printed. Pure.

The values are those of the Secrets of a stack. A password hides in an address and in a configuration file as well, so
the long words of a value are taken out too, and the password of an address whatever its length.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[secret]"
_LEAST, _LONG = 8, 20
_WORD = re.compile(r"[^\s\"',;:@/=]+")
_IN_ADDRESS = re.compile(r"://[^\s:/@]*:([^\s@]+)@")


def of(secrets: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every word that must not be shown, the longest first."""
    found = set()
    for each in secrets:
        for value in (each.get("data") or {}).values():
            found |= _words(_text(str(value)))
    return sorted(found, key=len, reverse=True)


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode(errors="replace")
    except (ValueError, binascii.Error):
        return encoded


def _words(value: str) -> set[str]:
    lines = [line for line in value.splitlines() if len(line.strip()) >= _LEAST]
    words = {
        word
        for word in _WORD.findall(value)
        if len(word) >= _LONG or (len(word) >= _LEAST and any(letter.isdigit() for letter in word))
    }
    return {line.strip() for line in lines} | words | set(_IN_ADDRESS.findall(value))


def without(text: str, words: Iterable[str]) -> str:
    """Give a text in which none of the words is left."""
    for word in words:
        text = text.replace(word, HIDDEN)
    return text
