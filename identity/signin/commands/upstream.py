"""Coming in through an identity provider: accounts that it may make, links by subject alone, and their end."""

from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.commands import sign_up_federated_user
from identity.accounts.commands.fetching import realm_of, user_for_or_self
from identity.accounts.mails import mail_account_exists, mail_confirm_link, mail_to, way_back
from identity.accounts.models import User
from identity.accounts.queries import find_user_by_identifier
from identity.audit.record import record
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.commands import delete_provider, disable_provider
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.signin import events, limits
from identity.signin.commands.joining import OWN_NAMES
from identity.signin.commands.policies import NOBODY_LEFT
from identity.signin.queries import owners_with_a_way_in, policy_of, way_in
from identity.signin.social_claims import Upstream, vouched_address
from identity.signin.wishes import SignUpWish

MOST_LINKS = 20


def _enabled(provider_id: UUID) -> IdentityProvider:
    provider = IdentityProvider.objects.select_related("realm").filter(pk=provider_id, enabled=True).first()
    if provider is None:
        raise NotFound
    return provider


def _insert_link(user: User, provider: IdentityProvider, upstream: Upstream) -> SocialAccount:
    """The link itself. Raises Conflict when the subject, or another one of this provider, is linked already."""
    key = provider_key(provider)
    others = SocialAccount.objects.filter(user=user)
    if others.filter(provider=key).exists():
        raise Conflict(
            _("Your account is linked with another account there. Unlink that one first."), code="provider_linked"
        )
    if others.count() >= MOST_LINKS:
        raise Conflict(code="too_many")
    link = SocialAccount(user=user, provider=key, uid=upstream.subject, extra_data={"label": upstream.label[:254]})
    try:
        with transaction.atomic():
            link.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("That account is linked with somebody else’s account here."), code="linked_elsewhere")
    return link


def sign_up_upstream(
    actor: Actor,
    *,
    provider_id: UUID,
    upstream: Upstream,
    wish: SignUpWish,
    application_id: UUID | None = None,
) -> User | None:
    """Make an account for somebody whom nobody here is linked with, where the provider's policy lets it.

    An address that somebody here has makes no account and links none, whatever the provider says of it (OA-28). Where
    nobody proved it, the answer is None, its owner is told, and whoever asks sees what he would see of a free one
    (LG-23). Raises NotFound, Conflict (the policy, linked meanwhile), Invalid (what is missing or refused; a proven
    address that is taken). Says user.created, identity.linked, signup.completed.
    """
    vouched = bool(wish.email) and wish.email == vouched_address(upstream)
    proven = vouched or (wish.proven and not wish.by_phone)
    if wish.proves and not wish.proven:
        raise Conflict
    # Counted for a free address and a taken one.
    mailable = bool(wish.email) and not proven and limits.may_mail(wish.email, actor.origin.ip)
    try:
        return _made(
            actor, provider_id, upstream, wish, proven=proven, mailable=mailable, application_id=application_id
        )
    except Invalid as error:
        if error.reason not in OWN_NAMES or proven:
            raise
    owner = find_user_by_identifier(wish.email) if wish.email else None
    if owner is not None and mailable:
        with transaction.atomic():
            mail_account_exists(_enabled(provider_id).realm, owner, provider=_enabled(provider_id).name)
    return None


@transaction.atomic
def _made(
    actor: Actor,
    provider_id: UUID,
    upstream: Upstream,
    wish: SignUpWish,
    *,
    proven: bool,
    mailable: bool,
    application_id: UUID | None,
) -> User:
    provider = _enabled(provider_id)
    realm: Realm = provider.realm
    if provider.sign_up not in ("create", "approve") or not realm.is_active:
        raise Conflict(_("Accounts are by invitation here."), code="sign_up_closed")
    user = sign_up_federated_user(
        actor,
        email=wish.email,
        phone=wish.phone,
        username=wish.username,
        email_verified=proven,
        phone_verified=wish.proven and wish.by_phone,
        profile=upstream.profile,
        attributes=upstream.attributes,
        typed=wish.attributes,
        terms_version=wish.terms_version,
        pending=provider.sign_up == "approve",
    )
    _insert_link(user, provider, upstream)
    _say_linked(actor, user, provider, upstream)
    if mailable:
        mail_confirm_link(realm, user, user.email or "", signing_up=True)
    record(
        actor,
        events.SignUpCompleted(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=user.email or "",
            application_id=application_id,
        ),
    )
    return user


@transaction.atomic
def link_identity(actor: Actor, *, provider_id: UUID, upstream: Upstream) -> SocialAccount:
    """Link the signed-in person's own account with who came from a provider. The edge asked for a fresh sign-in.

    Nobody links for somebody else, and an operator on a visit links nothing. The person is told by mail. Raises
    NotFound, Conflict (linked already, here or elsewhere). Says identity.linked.
    """
    if not actor.is_person or actor.id is None or actor.home_realm_id != actor.realm_id:
        raise NotFound
    provider = _enabled(provider_id)
    user = for_write(User.objects.filter(pk=actor.id)).first()
    if user is None or not user.is_active:
        raise NotFound
    link = _insert_link(user, provider, upstream)
    _say_linked(actor, user, provider, upstream)
    _mail_notice(user, provider, "identity_linked")
    return link


def _say_linked(actor: Actor, user: User, provider: IdentityProvider, upstream: Upstream) -> None:
    record(
        actor,
        events.IdentityLinked(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            provider_id=provider.pk,
            alias=provider.alias,
            label=upstream.label[:254],
        ),
    )


@transaction.atomic
def unlink_identity(actor: Actor, *, user_id: UUID, provider_id: UUID) -> None:
    """End a link: the person's own, or somebody's for an admin. Never the last way in.

    The person is told by mail. Raises NotFound, PermissionDenied, Conflict (last_way_in). Says identity.unlinked.
    """
    user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    provider = IdentityProvider.objects.select_related("realm").filter(pk=provider_id).first()
    if provider is None:
        raise NotFound
    link = SocialAccount.objects.filter(user=user, provider=provider_key(provider)).first()
    if link is None:
        raise NotFound
    said = events.IdentityUnlinked(
        target_id=user.pk,
        subject_id=user.pk,
        target_name=user.display_name,
        provider_id=provider.pk,
        alias=provider.alias,
        label=str(link.extra_data.get("label", "")),
    )
    link.delete()
    if not User.objects.filter(way_in(policy_of(provider.realm)), pk=user.pk).exists():
        # Raised after the deletion: the transaction takes it back, and what was asked is what would have been left.
        raise Conflict(
            _("This is the last way in. Set a password or add a passkey first."),
            code="last_way_in",
        )
    record(actor, said)
    _mail_notice(user, provider, "identity_unlinked")


def _mail_notice(user: User, provider: IdentityProvider, template: str) -> None:
    """Whoever gets this and did nothing has somebody else in the account."""
    realm: Realm = provider.realm
    mail_to(
        realm,
        user,
        template,
        {"provider": provider.name, **way_back(realm)},
    )


def refuse_upstream(
    actor: Actor,
    *,
    alias: str,
    reason: str,
    user: User | None = None,
    upstream: Upstream | None = None,
    application_id: UUID | None = None,
) -> None:
    """Somebody came back from a provider and was not let in. Says signin.failed."""
    with transaction.atomic():
        record(
            actor,
            events.SignInFailed(
                target_id=user.pk if user else None,
                subject_id=user.pk if user else None,
                target_name=user.display_name if user else "",
                identifier=upstream.label[:254] if upstream else "",
                reason=reason,
                method=alias,
                application_id=application_id,
            ),
        )


@transaction.atomic
def close_provider(actor: Actor, *, provider_id: UUID) -> IdentityProvider:
    """Disable a provider, unless no owner could sign in any more. Raises as `disable_provider`, Conflict."""
    had_one = _somebody_left(realm_of(actor))
    provider = disable_provider(actor, provider_id=provider_id)
    _refuse_nobody_left(provider.realm, had_one=had_one)
    return provider


@transaction.atomic
def remove_provider(actor: Actor, *, provider_id: UUID, typed_alias: str) -> int:
    """Delete a provider and its links, unless no owner could sign in any more. Raises as `delete_provider`."""
    provider = IdentityProvider.objects.select_related("realm").filter(pk=provider_id).first()
    if provider is None:
        raise NotFound
    realm: Realm = provider.realm
    had_one = _somebody_left(realm)
    links = delete_provider(actor, provider_id=provider_id, typed_alias=typed_alias)
    _refuse_nobody_left(realm, had_one=had_one)
    return links


def _somebody_left(realm: Realm) -> bool:
    return owners_with_a_way_in(realm.policy()).exists()


def _refuse_nobody_left(realm: Realm, *, had_one: bool) -> None:
    if had_one and not _somebody_left(realm):
        raise Conflict(
            NOBODY_LEFT,
            code="nobody_left",
        )
