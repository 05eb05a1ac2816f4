"""Inviting people and creating accounts."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shell.forms import ConsoleForm
from console.shell.fragments import redirect_after, render_page
from console.shell.freshness import ask_again_here, is_fresh_here
from console.shell.http import ConsoleRequest
from console.shell.ids import ids_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.forms import CreateForm, InviteForm
from console.users.people import user_url
from identity.access.queries import assignable_roles
from identity.accounts.commands import create_user, invite_user
from identity.kernel.errors import Invalid
from identity.kernel.permissions import Permission


class Invite(ConsoleView):
    """A mail with a link to choose a first password, and roles from the start."""

    permission = Permission.USERS_INVITE

    def _page(self, request: ConsoleRequest, form: ConsoleForm, status: int = 200) -> HttpResponse:
        return render_page(
            request,
            "console/form.html",
            {
                "title": _("Invite a person"),
                "crumb": _("Invite"),
                "lead": _("The link in the mail works once, for 7 days."),
                "form": form,
                "action": reverse("console:user_invite"),
                "cancel_url": reverse("console:users"),
                "submit": _("Send invitation"),
            },
            status=status,
        )

    def _form(self, request: ConsoleRequest, data: Any = None) -> InviteForm:
        return InviteForm(data, roles=assignable_roles(request.actor))

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The empty form. The help desk of one organization has nowhere to put a new person."""
        request.actor.require(self.permission)
        return self._page(request, self._form(request))

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Invites."""
        form = self._form(request, request.POST)
        # Roles are given here as they are on a person's page, which asks once more (AC-14).
        if request.POST.getlist("roles") and not is_fresh_here(request):
            return ask_again_here(request)
        if form.is_valid():
            data = form.cleaned_data
            try:
                invitation = invite_user(
                    request.actor,
                    email=data["email"],
                    name=data["name"],
                    role_ids=ids_from("role", data.get("roles", [])),
                )
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("An invitation is on its way to %(email)s.") % {"email": invitation.email}
                url = user_url(invitation.user_id)
                return redirect_after(request, url, with_trail(request, text, invitation.user_id))
        return self._page(request, form, 422)


class Create(ConsoleView):
    """An account that an admin sets up."""

    permission = Permission.USERS_WRITE

    def _page(self, request: ConsoleRequest, form: ConsoleForm, status: int = 200) -> HttpResponse:
        return render_page(
            request,
            "console/form.html",
            {
                "title": _("Create an account"),
                "crumb": _("New account"),
                "lead": _("Give an email address, a phone number or a username."),
                "form": form,
                "action": reverse("console:user_create"),
                "cancel_url": reverse("console:users"),
                "submit": _("Create account"),
            },
            status=status,
        )

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The empty form."""
        request.actor.require(self.permission)
        return self._page(request, CreateForm())

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Creates."""
        form = CreateForm(request.POST)
        if form.is_valid():
            data = {name: value or None for name, value in form.cleaned_data.items()}
            data |= {name: data[name] or "" for name in ("name", "given_name", "family_name")}
            data["email_verified"] = bool(data["email_verified"])
            try:
                user = create_user(request.actor, **data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("The account of %(person)s is created.") % {"person": user.display_name}
                return redirect_after(
                    request, user_url(user.pk), with_trail(request, text, user.pk, name=user.display_name)
                )
        return self._page(request, form, 422)
