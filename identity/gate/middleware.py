"""Puts the actor on each request inside a realm, and refuses people whose access was taken away."""

from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from identity.accounts.models import User
from identity.gate.actors import actor_for_user, console_principal
from identity.gate.language import language_for
from identity.gate.usable import is_usable
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_request
from identity.realms.models import Realm

GetResponse = Callable[[HttpRequest], HttpResponse]


def _realm(request: HttpRequest) -> Realm | None:
    return request.realm  # type: ignore[attr-defined, no-any-return]


class ConsoleActorMiddleware:
    """Before CSRF: in a console, who acts decides which CSRF cookie counts (DECISIONS 20).

    Also gives each request its id, and closes a realm that is not active to everybody but visiting operators.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Sets request.request_id, request.visit and, in a console, request.actor."""
        request.request_id = uuid4().hex[:16]  # type: ignore[attr-defined]
        request.visit = None  # type: ignore[attr-defined]
        realm = _realm(request)
        if realm is None:
            return self._answer(request)
        if request.path_info.startswith("/console/"):
            principal = console_principal(
                realm,
                request.COOKIES,
                origin=origin_of_request(request),
                request_id=request.request_id,  # type: ignore[attr-defined]
            )
            request.principal = principal  # type: ignore[attr-defined]
            request.actor = principal.actor  # type: ignore[attr-defined]
            request.visit = principal.visit  # type: ignore[attr-defined]
        if not realm.is_active and request.visit is None:  # type: ignore[attr-defined]
            request.actor = anonymous_actor(realm.pk)  # type: ignore[attr-defined]
            if not request.path_info.startswith(("/theme.css", "/static/")):
                return render(request, "errors/realm_suspended.html", status=403)
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("X-Request-ID", request.request_id)  # type: ignore[attr-defined]
        return response


class PrincipalMiddleware:
    """After authentication: request.user is the console's principal there, a usable person everywhere else.

    A disabled or locked person, or one whose session was ended, is nobody from the next request on (SE-05).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Sets request.user and request.actor."""
        realm = _realm(request)
        if realm is None:
            request.user = AnonymousUser()
            return self.get_response(request)
        principal = getattr(request, "principal", None)
        if principal is not None:
            if principal.visit is not None:
                request.user = request._cached_user = principal.user  # type: ignore[attr-defined]
            elif principal.user is None:
                request.user = AnonymousUser()
        else:
            user = request.user
            if user.is_authenticated:
                row = request.session.row  # type: ignore[attr-defined]
                if row is None or not isinstance(user, User) or not is_usable(realm, user=user, session=row):
                    request.user = AnonymousUser()
            request.actor = SimpleLazyObject(lambda: self._actor(request, realm))  # type: ignore[attr-defined]
        return self.get_response(request)

    @staticmethod
    def _actor(request: HttpRequest, realm: Realm) -> Actor:
        origin = origin_of_request(request)
        request_id: str = request.request_id  # type: ignore[attr-defined]
        if isinstance(request.user, User) or (request.user.is_authenticated and request.user.pk):
            user = request.user
            return actor_for_user(
                user,  # type: ignore[arg-type]
                session=request.session.row,  # type: ignore[attr-defined]
                origin=origin,
                request_id=request_id,
            )
        return anonymous_actor(realm.pk, origin=origin, request_id=request_id)


class RealmLocaleMiddleware:
    """Language: the choice made in this browser (cookie), else the browser's own, else the realm's. Zone: the realm's.

    Runs before anybody is known, so that refusals of what follows (CSRF) speak it too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activates language and time zone for this request alone."""
        realm = _realm(request)
        language = language_for(realm, chosen=_chosen(request, realm), accepted=_accepted(request))
        zone = realm.setting("time_zone") if realm else settings.TIME_ZONE
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
            # TemplateResponses render later, still inside this block only when rendered now.
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response.render()
        response.headers.setdefault("Content-Language", language)
        return response


class PersonLocaleMiddleware:
    """Once the person is known: his own language before the browser's, and on his own pages his time zone.

    The console keeps the realm's time zone: admins of one realm talk about the same minute.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activates what the person prefers, for the rest of this request."""
        realm = _realm(request)
        if realm is None:
            return self.get_response(request)
        principal = getattr(request, "principal", None)
        user = principal.user if principal is not None else request.user
        if user is None or not user.is_authenticated:
            return self.get_response(request)
        language = language_for(realm, chosen=_chosen(request, realm), own=user.language, accepted=_accepted(request))
        zone = (user.time_zone if principal is None else None) or realm.setting("time_zone")
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


def _chosen(request: HttpRequest, realm: Realm | None) -> str:
    return request.COOKIES.get(cookie_name("l", realm), "") if realm is not None else ""


def _accepted(request: HttpRequest) -> str:
    return request.META.get("HTTP_ACCEPT_LANGUAGE", "")
