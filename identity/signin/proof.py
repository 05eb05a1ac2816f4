"""Whether the address has to be confirmed first: asked of the person's own row, which is at hand."""

from allauth.account.stages import EmailVerificationStage
from django.http import HttpResponse


class EmailProofStage(EmailVerificationStage):  # type: ignore[misc]
    """allauth's stage, for people who have an address that isn't proven; without its query for all others."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """The page that says so, or on to the next stage."""
        user = self.login.user
        if user is not None and (user.email_verified or not user.email):
            return None, True
        response: tuple[HttpResponse | None, bool] = super().handle()
        return response
