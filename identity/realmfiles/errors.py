"""What can be wrong with a realm file."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid


class RealmFileInvalid(Invalid):
    """The file does not fit; `problems` are (path in the file, sentence)."""

    code = "realm_file_invalid"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = list(problems)
        super().__init__(_("The realm file does not fit."), field=self.problems[0][0] if self.problems else None)

    def __str__(self) -> str:
        return "\n".join(f"{path}: {sentence}" for path, sentence in self.problems)
