"""allauth's social accounts over a realm's own providers; nobody is ever found by an address (OA-28)."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import Provider, ProviderAccount
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from identity.accounts.models import User, UserStatus
from identity.accounts.queries import find_user_by_identifier
from identity.accounts.sign_up_rules import policy_of
from identity.kernel.errors import NotFound
from identity.kernel.outbound import OutboundSession
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import enabled_providers, provider_key
from identity.realms.rules import ascii_domain
from identity.signin import commands, limits
from identity.signin.requests import actor_of, asking_id, realm_of
from identity.signin.signing_up import ProviderSignUpForm
from identity.signin.social_claims import Upstream, vouched_address
from identity.signin.social_state import Waiting, keep_waiting, nobody_waits
from identity.signin.wishes import SignUpWish

REASONS = {UserStatus.LOCKED: "locked", UserStatus.PENDING: "pending"}
"""Why somebody who isn't active is refused, for the trail alone: the page is the same for all (LG-23)."""


class RealmProviderAccount(ProviderAccount):
    """How a linked account is called: what the person recognizes it by."""

    def to_str(self) -> str:
        """The other account's address or name, as it was when the person came last."""
        return str(self.account.extra_data.get("label", ""))


class RealmProvider(Provider):
    """Any of a realm's providers. What was asked and answered is checked before it comes here, as an `Upstream`."""

    id = "realm"
    name = "Realm provider"
    account_class = RealmProviderAccount
    supports_redirect = True

    def __init__(self, request: HttpRequest, app: SocialApp | None = None) -> None:
        super().__init__(request, app=app)
        self.name = app.name if app else self.name

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        """Where its button leads: signing in, or for who is signed in linking."""
        name = "provider_link_start" if kwargs.get("process") == "connect" else "provider_start"
        url = reverse(name, args=[self.app.settings["alias"]])
        query = {key: kwargs[key] for key in (REDIRECT_FIELD_NAME, "hint") if kwargs.get(key)}
        return f"{url}?{urlencode(query)}" if query else url

    def extract_uid(self, data: Upstream) -> str:
        """The subject: the only thing that anybody is recognized by."""
        return data.subject

    def extract_extra_data(self, data: Upstream) -> dict[str, Any]:
        """What the linked account is called. Nothing else of another's claims is kept."""
        return {"label": data.label[:254]}


def app_of(provider: IdentityProvider) -> SocialApp:
    """The provider as allauth knows it, never saved. It carries no secret: asking is our own code's."""
    return SocialApp(
        provider=RealmProvider.id,
        provider_id=provider_key(provider),
        name=provider.name[:40],
        client_id=provider.client_id[:191],
        settings={"alias": provider.alias, "kind": provider.kind, "position": provider.position},
    )


class RealmSocialAdapter(DefaultSocialAccountAdapter):
    """allauth's questions about providers, answered from the realm's table."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """The enabled ones, in their order. Settings and allauth's own table hold none."""
        apps = [app_of(each) for each in enabled_providers()]
        return [
            app
            for app in apps
            if provider in (None, app.provider, app.provider_id) and client_id in (None, app.client_id)
        ]

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """404 for one that isn't there: allauth would answer 500."""
        found = [app for app in self.list_apps(request, provider, client_id) if app.provider_id == provider]
        if len(found) != 1:
            raise Http404
        return found[0]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """By the key with the realm in it."""
        return RealmProvider(request, app=self.get_app(request, provider, client_id))

    def list_providers(self, request: HttpRequest) -> list[Provider]:
        """In the order of their buttons."""
        return [RealmProvider(request, app=app) for app in self.list_apps(request)]

    def get_requests_session(self) -> OutboundSession:
        """Should anything of allauth ever ask somebody: by our one way out (IN-01)."""
        return OutboundSession()

    def authenticate_by_email(self, login: SocialLogin) -> None:
        """Never, whatever `email_verified` says: an address proves no account (OA-28)."""

    def is_email_verified(self, provider: Provider, email: str) -> bool:
        """See authenticate_by_email."""
        return False

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> User:
        """Nothing: commands make accounts."""
        user: User = sociallogin.user
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Unused: commands make accounts. Fails closed."""
        raise NotImplementedError

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Commands queue these notices themselves."""


def provider_for(request: HttpRequest, provider: IdentityProvider) -> RealmProvider:
    """allauth's view of one provider."""
    return RealmProvider(request, app=app_of(provider))


def provider_for_identifier(realm: Realm, identifier: str) -> IdentityProvider | None:
    """Where the people of this address's domain sign in (home-realm discovery); None for everybody else.

    Decided by the domain alone, so the answer says nothing about whether there is such a person (LG-23).
    """
    _local, at, typed = identifier.rpartition("@")
    domain = ascii_domain(typed)
    if not at or not domain or realm.pk is None:
        return None
    return next((each for each in enabled_providers() if domain in each.domains), None)


def linked_accounts(user: User) -> list[dict[str, Any]]:
    """The person's links for pages, in the order of the buttons; those of disabled providers too."""
    providers = {provider_key(each): each for each in IdentityProvider.objects.order_by("position", "pk")}
    rows = {row.provider: row for row in SocialAccount.objects.filter(user=user, provider__in=list(providers))}
    return [
        {"provider": provider, "account": rows[key], "label": rows[key].extra_data.get("label", "")}
        for key, provider in providers.items()
        if key in rows
    ]


def links_of(user: User) -> dict[str, Any]:
    """What the person's page of links shows: those that there are, and the providers that could be linked."""
    linked = linked_accounts(user)
    taken = {each["provider"].pk for each in linked}
    return {"linked": linked, "linkable": [each for each in enabled_providers() if each.pk not in taken]}


def linked_account(user: User, alias: str) -> dict[str, Any]:
    """One of them. Raises NotFound."""
    for linked in linked_accounts(user):
        if linked["provider"].alias == alias:
            return linked
    raise NotFound


# --- coming in --------------------------------------------------------------------------------------------------------


def is_linked(provider: IdentityProvider, upstream: Upstream) -> bool:
    """Whether somebody here is linked with this subject."""
    return SocialAccount.objects.filter(provider=provider_key(provider), uid=upstream.subject).exists()


def come_in(request: HttpRequest, provider: IdentityProvider, upstream: Upstream, next_url: str) -> HttpResponse:
    """Sign in whoever is linked with this subject; anybody else meets the provider's policy for a first sign-in."""
    login = provider_for(request, provider).sociallogin_from_response(request, upstream)
    with transaction.atomic():
        login.lookup()
    if login.is_existing:
        return enter(request, provider, upstream, login.user, next_url)
    # Only of an address that he proved is somebody told that there is an account with it (LG-23).
    address = vouched_address(upstream)
    taken = bool(address) and find_user_by_identifier(address) is not None
    if provider.sign_up == "link" or taken:
        keep_waiting(request, Waiting(provider.alias, upstream, next_url, "taken" if taken else "first"))
        return redirect("provider_link")
    form = ProviderSignUpForm(request=request, upstream=upstream)
    if not form.needs_nothing:
        keep_waiting(request, Waiting(provider.alias, upstream, next_url, "unfinished"))
        return redirect("provider_finish")
    limits.require_sign_up(actor_of(request).origin.ip)
    return sign_up(request, provider, upstream, next_url, wish=form.wish_of(provider))


def sign_up(
    request: HttpRequest, provider: IdentityProvider, upstream: Upstream, next_url: str, *, wish: SignUpWish
) -> HttpResponse:
    """Make the account and go on with it. Raises Invalid, Conflict.

    Where the address is still to be confirmed, the page that says so, whoever has it.
    """
    user = commands.sign_up_upstream(
        actor_of(request),
        provider_id=provider.pk,
        upstream=upstream,
        wish=wish,
        application_id=asking_id(request),
    )
    nobody_waits(request)
    if wish.email and not (user is not None and user.email_verified):
        waits = provider.sign_up == "approve" or policy_of(realm_of(request)).approval
        return redirect(f"{reverse('account_email_verification_sent')}{'?approval=1' if waits else ''}")
    if user is None:
        # Taken between the code and this: as little is said as of any other name.
        return redirect("account_login")
    return enter(request, provider, upstream, user, next_url, signup=True)


def enter(
    request: HttpRequest,
    provider: IdentityProvider,
    upstream: Upstream,
    user: User,
    next_url: str,
    *,
    signup: bool = False,
) -> HttpResponse:
    """The same door as for everybody: guard, stages, factors and event. Only mapped methods count as factors."""
    if not user.is_active:
        commands.refuse_upstream(
            actor_of(request),
            alias=provider.alias,
            reason=REASONS.get(user.status, "disabled"),
            user=user,
            upstream=upstream,
            application_id=asking_id(request),
        )
        if signup and user.status == UserStatus.PENDING:
            # Whoever made the account a moment ago may know what it waits for; afterwards the page is everybody's.
            return redirect("account_signup_waiting")
    # `pre_login` refuses who isn't usable, with the page that everybody gets.
    record_authentication(
        request,
        user,
        method="socialaccount",
        provider=provider.alias,
        uid=upstream.subject,
        amr=list(upstream.amr),
    )
    response: HttpResponse = perform_login(request, user, redirect_url=next_url or None, signup=signup)
    return response


def find_provider(alias: str | None) -> IdentityProvider | None:
    """The provider of this name, whether it lets people in or not."""
    return IdentityProvider.objects.select_related("realm").filter(alias=alias).first() if alias else None


def find_waiting_provider(waiting: Waiting | None) -> IdentityProvider | None:
    """The provider that somebody came from, if it still lets people in."""
    provider = find_provider(waiting.alias if waiting else None)
    return provider if provider is not None and provider.enabled else None
