"""What tokens would say of a person at an application now: made by the code that issues them, and issued to nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from identity.access.models import Role
from identity.access.queries import application_roles_of
from identity.accounts.models import User
from identity.accounts.queries import get_user
from identity.applications.models import Application
from identity.applications.queries import get_application, uris_of
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.ids import uuid7
from identity.oauth import rules
from identity.oauth.claims import Said, claims_said
from identity.oauth.queries.clients import Client, find_issuing_client
from identity.oauth.queries.readiness import standing_answer
from identity.oauth.queries.standing import standing_of
from identity.oauth.tokens import Person, access_claims, id_claims, userinfo_claims
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The claims, and what stands behind them.

    id_token, userinfo: None without the scope openid. sources: claim → the scope, and the attribute, that it comes
    from. roles: those that the person holds here, each with what keeps it from counting. asks: the scopes that the
    person would be asked about first; empty when the answer stands. has_key: whether anything could be signed.
    """

    application: Application
    user: User
    scopes: list[str]
    access_token: dict[str, Any]
    id_token: dict[str, Any] | None
    userinfo: dict[str, Any] | None
    sources: dict[str, Said]
    roles: list[tuple[Role, list[str]]]
    asks: list[str]
    has_key: bool


def preview_tokens(
    actor: Actor,
    *,
    realm: Realm,
    application_id: UUID,
    user_id: UUID,
    scopes: Collection[str],
    amr: Collection[str],
    acr: str,
) -> Preview:
    """For who may see both the application and the person. Nothing is issued, signed, stored or said.

    scopes: of the application's; others are left out, as no request for them would be answered. amr, acr: how the
    person would have signed in. Ids that each token has anew are made up here. Raises NotFound, PermissionDenied.
    """
    application = get_application(actor, application_id=application_id)
    user = get_user(actor, user_id=user_id)
    client = find_issuing_client(realm, client_id=application.client_id)
    standing = standing_of(realm, user_id=user.pk, application_id=application.pk)
    if client is None or standing.user is None:
        raise NotFound
    wanted = [name for name in client.application.scopes if name in set(scopes)]
    now = clock.now()
    person = Person(
        user=standing.user,
        sid=uuid7(),
        auth_time=now,
        amr=list(amr),
        acr=acr,
        roles=standing.roles,
        family_id=uuid7() if client.application.allows_grant_type("refresh_token") else None,
    )
    access = access_claims(realm, client, scopes=wanted, now=now, person=person, jti=uuid7())
    with_openid = rules.OPENID in wanted
    return Preview(
        application=application,
        user=user,
        scopes=wanted,
        access_token=access,
        id_token=id_claims(access, client, person, scopes=wanted) if with_openid else None,
        userinfo=userinfo_claims(standing.user, wanted, client.mapped) if with_openid else None,
        sources=claims_said(standing.user, wanted, client.mapped),
        roles=application_roles_of(user, application.pk),
        asks=_asked_about(standing.consent, client, wanted),
        has_key=client.signer is not None,
    )


def _asked_about(consent: Any, client: Client, wanted: list[str]) -> list[str]:
    """What the consent page would ask, at the first of the redirect URIs."""
    first = next(iter(uris_of(client.application)), "")
    answer = standing_answer(
        client.application,
        consent,
        mapped=client.mapped,
        redirect_uri=first,
        scopes=wanted,
        prompt=rules.Prompt(),
        now=clock.now(),
    )
    if answer is not None:
        return []
    told = set() if consent is None else set(consent.attributes or ())
    grown = {each.scope for each in client.mapped if each.attribute not in told}
    given = set() if consent is None else set(consent.scopes) - grown
    return [name for name in wanted if name not in given] or wanted
