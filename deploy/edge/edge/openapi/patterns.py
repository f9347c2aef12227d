"""Patterns of RE2, which the protos hold, as patterns of ECMA-262 with the flag `u`, which JSON Schema holds."""

import re

_BLANKS = r"\t\n\f\r "  # RE2's \s; ECMA-262 counts every blank of Unicode
_TOKEN = re.compile(
    r"\\x\{(?P<code>[0-9A-Fa-f]+)\}|\\(?P<property>[pP])(?P<letter>[A-Z])(?!\{)|\\(?P<escape>.)"
    r"|(?P<posix>\[:\^?\w+:\])|(?P<named>\(\?P<)|(?P<group>\(\?)(?P<kind>.)|(?P<other>.)",
    re.DOTALL,
)
_SYNTAX = set("^$\\.*+?()[]{}|/")
_KEPT = set("bBdDfnrtvwWxpPk")


def ecma(pattern: str) -> str:
    """The pattern that matches the same texts. ValueError for what ECMA-262 cannot say, and for what nobody uses."""
    out, inside = [], False
    for token in _TOKEN.finditer(pattern):
        out.append(_translated(token, pattern, inside=inside))
        if token["other"] == "[" and not inside:
            inside = True
        elif token["other"] == "]":
            inside = False
    return "".join(out)


def literal(text: str) -> str:
    """A pattern for the text itself."""
    return "".join(f"\\{character}" if character in _SYNTAX else character for character in text)


def _translated(token: re.Match[str], pattern: str, *, inside: bool) -> str:
    if token["code"]:
        return rf"\u{{{token['code']}}}"
    if token["letter"]:
        return rf"\{token['property']}{{{token['letter']}}}"
    if token["escape"]:
        return _escaped(token["escape"], pattern, inside=inside)
    if token["named"]:
        return "(?<"
    if token["posix"] and inside:
        raise ValueError(f"a class by name has no counterpart in ECMA-262: {pattern}")
    if token["group"] and not inside:
        if token["kind"] != ":":
            raise ValueError(f"flags have no counterpart in ECMA-262: {pattern}")
        return "(?:"
    if token["other"] == "." and not inside:
        return r"[^\n]"
    if token["other"] == "[" and inside:
        return r"\["
    return token[0]


def _escaped(character: str, pattern: str, *, inside: bool) -> str:
    if character == "s":
        return _BLANKS if inside else f"[{_BLANKS}]"
    if character == "S":
        if inside:
            raise ValueError(f"\\S within a class has no counterpart in ECMA-262: {pattern}")
        return f"[^{_BLANKS}]"
    if character == "A" and not inside:
        return "^"
    if character == "z" and not inside:
        return "$"
    if character == "a":
        return r"\x07"
    if character in _SYNTAX or (character == "-" and inside) or (character in _KEPT):
        return f"\\{character}"
    if character.isalnum():
        raise ValueError(f"\\{character} has no counterpart in ECMA-262: {pattern}")
    return character
