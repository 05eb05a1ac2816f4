"""allauth's forms, bent to realms."""

from allauth.account.forms import AddEmailForm, LoginForm, SignupForm, UserTokenForm
from allauth.account.forms import ResetPasswordForm as UpstreamResetPasswordForm


class SignInForm(LoginForm):
    """Name and password."""


class SignUpForm(SignupForm):
    """A new account."""


class ResetPasswordForm(UpstreamResetPasswordForm):
    """Asks for a link."""


class ChangeEmailForm(AddEmailForm):
    """Another address."""


class RealmUserTokenForm(UserTokenForm):
    """The link's user and token."""
