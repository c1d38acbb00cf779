"""Names of languages as players show them, by ISO 639 code."""

from __future__ import annotations

UNDEFINED = frozenset({"", "und", "mis", "mul", "zxx"})
"""Codes that name no language; Shaka Packager refuses them."""

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
    "nor no nob nb": "Norsk",
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


def language_name(code: str) -> str:
    """The language's own name; the code itself where we have none, empty where it names no language."""
    main = code.lower().partition("-")[0]
    if main in UNDEFINED:
        return ""
    return next((name for codes, name in _NAMES.items() if main in codes.split()), code)
