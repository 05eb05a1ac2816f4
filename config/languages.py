"""Which languages pages speak: English, in which they are written, and each that has a catalog in locale/."""

from pathlib import Path

from django.conf.locale import LANG_INFO

ENGLISH = ("en", "English")


def spoken_languages(folder: Path) -> list[tuple[str, str]]:
    """(code, the language's name in itself) of English and each catalog: half a page in a language helps nobody.

    A language without a catalog of ours would show the libraries' words translated and ours not.
    """
    names = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/django.mo"))
    codes = [name.lower().replace("_", "-") for name in names]
    return [ENGLISH, *((code, str(LANG_INFO[code]["name_local"]).capitalize()) for code in codes)]
