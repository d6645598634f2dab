"""The worst values of a field, by name: texts of a length, and JSON of a length."""

import json

MARKS = {
    "letters": "a",
    "combining marks": "\u0301\u0327",  # which NFKC sorts, one by one
    "letters that grow in NFKC": "\ufdfa",
    "letters that grow in lower case": "\u0130",
    "spaces": " ",
    "line ends": "\n",
    "null characters": "\x00",
    "line separators": "\u2028",
    "digits": "9",
    "quotes": '"',
    "backslashes": "\\",
    "tags": "<a ",
    "entities": "&amp;",
    "placeholders": "{a}",
    "columns": "a,",
    "pairs": "a=1; ",
    "qualities": "a;q=0.1,",
    "ranges": "0-0,",
    "addresses": "1.1.1.1, ",
    "at signs": "a@",
    "slashes": "/..",
    "dots": ".",
    "minus signs": "-",
    "percent signs": "%",
    "emoji": "\U0001f600",
}
FEW = ("combining marks", "pairs")


def texts(size: int, *, few: bool = False) -> dict[str, bytes]:
    """Return texts of about so many bytes in UTF-8, and some that are not UTF-8."""
    found = {name: _long(part, size) for name, part in MARKS.items() if not few or name in FEW}
    if few:
        return found
    return found | {
        "no UTF-8": b"\xff" * size,
        "half surrogates": b"\xed\xa0\x80" * (size // 3),
        "1e400": b"1e400",
        "an impossible date": b"Mon, 01 Jan 2020 00:00:00 +99999999999999",
        "a letter and combining marks": b"a" + _long("\u0301", size - 1),
        "an address and combining marks": b"a@b" + _long("\u0327\u0301", size - 3),
    }


def json_texts(size: int, *, few: bool = False) -> dict[str, bytes]:
    """Return JSON values of about so many bytes, as they are written."""
    found = {
        f"a text of {name}": json.dumps(text.decode()).encode()
        for name, text in texts(size // 6, few=few).items()
        if _utf8(text)
    }
    found |= {
        "lists": b"[" + b"[]," * (size // 3) + b"1]",
        "many names": b"{" + b",".join(b'"%x":1' % number for number in range(size // 9)) + b"}",
        "half surrogates": b'"' + b"\\ud800" * (size // 6) + b'"',
    }
    if few:
        return found
    return found | {
        "objects": b"[" + b"{}," * (size // 3) + b"1]",
        "digits": b"9" * size,
        "deep lists": b"[" * (size // 2) + b"]" * (size // 2),
        "one name again and again": b"{" + b'"a":1,' * (size // 6) + b'"a":1}',
        "floats": b"[" + b"1e9," * (size // 4) + b"1]",
        "texts": b"[" + b'"ab",' * (size // 5) + b"1]",
        "numbers": b"[" + b"0," * (size // 2) + b"1]",
        "4,300 digits each": b"[" + (b"9" * 4_300 + b",") * (size // 4_301) + b"1]",
        "deep objects": b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6),
        "not closed": b"[" * size,
        "1e400": b"1e400",
        "escapes": b'"' + b"\\u0301" * (size // 6) + b'"',
        "a hundred deep": b"[" + (b"[" * 100 + b"]" * 100 + b",") * (size // 201) + b"1]",
    }


def _long(part: str, size: int) -> bytes:
    return (part * max(size // len(part.encode()), 1)).encode()


def _utf8(text: bytes) -> bool:
    return text.decode(errors="replace").encode() == text
