"""Texts for nginx stay where they are put."""

import pytest

from components.snippets import stands_alone


@pytest.mark.parametrize(
    "text",
    [
        "return 200;",
        "return 200 'a } b';",
        'return 200 "a \\" }";',
        "if ($a) {\n    return 404;\n}\n",
        "# it's a } comment\nexpires 1h;",
        "expires 1h; # the end",
        "proxy_pass http://app/a#b;",
        "set $a ${b}c; return 200 $a;",
        "return 200 a\\;b;",
        "if ($uri ~ a{2}) { return 404; }".replace("a{2}", "'a{2}'"),
    ],
)
def test_texts_that_stay(text: str) -> None:
    """Braces and quotes in words and comments do not count."""
    assert stands_alone(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "return 200",
        "return 200; # }\n}",
        "return 200; } location /a { return 200;",
        "if ($a) { return 404;",
        "return 200 'a;",
        'return 200 "a;',
        "return 200 a\\;",
        "return 200; \\",
    ],
)
def test_texts_that_do_not(text: str) -> None:
    """What would close what is around it, or swallow what follows, is none."""
    assert not stands_alone(text)
