"""Reads the forms of a page as a browser would fill them, for programs that play a person by plain HTTP."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: where it goes, what it would send, and the buttons that it can be sent by."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def names(self, *types: str) -> list[str]:
        """Return the names of the fields of these input types."""
        return [name for name, kind in self.types.items() if kind in types]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and values.get("name") and "disabled" not in values:
            self._read_control(self._open, tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _read_control(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name, kind = values["name"], values.get("type", "submit" if tag == "button" else "text").lower()
        if tag == "button" or (tag == "input" and kind == "submit"):
            form.buttons.append((name, values.get("value", "")))
        elif tag == "input":
            form.types[name] = kind
            if kind in ("checkbox", "radio"):
                if "checked" in values:
                    form.fields[name] = values.get("value", "on")
            else:
                form.fields[name] = values.get("value", "")


def read_forms(page: str) -> list[Form]:
    """Return the forms of an HTML page, in order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms
