"""Names of languages as players show them, by ISO 639 code."""

from __future__ import annotations

import re

_UNDEFINED = frozenset({"und", "mis", "mul", "zxx"})
_WELL_FORMED = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

_NAMES = {
    "ara ar": "العربية",
    "ces cze cs": "Čeština",
    "dan da": "Dansk",
    "deu ger de": "Deutsch",
    "ell gre el": "Ελληνικά",
    "eng en": "English",
    "fin fi": "Suomi",
    "fra fre fr": "Français",
    "heb he": "עברית",
    "hin hi": "हिन्दी",
    "hun hu": "Magyar",
    "ind id": "Bahasa Indonesia",
    "ita it": "Italiano",
    "jpn ja": "日本語",
    "kor ko": "한국어",
    "nld dut nl": "Nederlands",
    "nor no": "Norsk",
    "nob nb": "Norsk bokmål",
    "pol pl": "Polski",
    "por pt": "Português",
    "ron rum ro": "Română",
    "rus ru": "Русский",
    "spa es": "Español",
    "swe sv": "Svenska",
    "tha th": "ไทย",
    "tur tr": "Türkçe",
    "ukr uk": "Українська",
    "vie vi": "Tiếng Việt",
    "zho chi zh": "中文",
}


def language_tag(code: str) -> str:
    """The code where it is well formed and names a language; else empty: Shaka Packager refuses the rest."""
    known = _WELL_FORMED.fullmatch(code) and code.lower().partition("-")[0] not in _UNDEFINED
    return code if known else ""


def shortest_tag(code: str) -> str:
    """The tag as manifests name it: two letters where the language has such a code (BCP 47 section 2.2.1)."""
    tag = language_tag(code)
    main, dash, rest = tag.partition("-")
    entry = next((codes.split() for codes in _NAMES if main.lower() in codes.split()), [])
    short = next((other for other in entry if len(other) == 2), main)
    return f"{short}{dash}{rest}" if tag else ""


def language_name(code: str) -> str:
    """The language's own name; the code itself where we have none, empty where it names no language."""
    tag = language_tag(code)
    main = tag.lower().partition("-")[0]
    return next((name for codes, name in _NAMES.items() if main and main in codes.split()), tag)
