"""The question "was this you?", as a mail's link or the account opens it. Only its buttons act: no mail scanner can."""

from typing import Any
from uuid import UUID

from django.contrib.auth import logout as django_logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from identity.kernel.errors import Conflict, NotFound
from identity.kernel.places import place_of
from identity.security.models import HELD, SignInReview
from identity.security.queries import review_to_answer
from identity.signin.commands import confirm_review, deny_review
from identity.signin.requests import actor_as, actor_of, realm_of
from identity.signin.views.entrance import Entrance, login_url, secret_fields


def facts_of(review: SignInReview) -> dict[str, Any]:
    """What the person is told of the sign-in."""
    session, device = review.session, review.device
    held = review.outcome.get(HELD, {})
    ip = (session.ip if session is not None else device.ip if device is not None else held.get("ip")) or ""
    agent = session.user_agent if session is not None else device.label if device is not None else None
    agent = agent or held.get("user_agent") or ""
    return {
        "review": review,
        "email": review.user.email or review.user.get_username(),
        "user_agent": agent,
        "ip": ip,
        "city": place_of(ip).city,
        "is_new_device": "new_device" in review.reasons,
        "is_impossible": "impossible_travel" in review.reasons,
        "is_held": session is None and bool(held),
    }


@secret_fields
class ReviewView(Entrance, View):
    """By the link of the mail: works signed out, for one answer."""

    http_method_names = ["get", "post"]

    def find(self) -> SignInReview:
        """The sign-in that is asked about. Raises NotFound."""
        secret = str(self.kwargs["token"])
        return review_to_answer(actor_of(self.request), realm_id=realm_of(self.request).pk, secret=secret)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The question. Asking changes nothing."""
        try:
            review = self.find()
        except NotFound:
            return self.page("gone", status=404)
        if review.is_over:
            return self.page("over", review=review)
        return self.page("ask", review=review)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The answer."""
        answer = request.POST.get("me", "")
        try:
            review = self.find()
            acting = actor_as(request, review.user, None)
            if answer == "yes":
                confirm_review(acting, review=review)
                return self.confirmed(review)
            if answer == "no":
                outcome = deny_review(acting, realm=realm_of(request), review=review)
                return self.denied(review, outcome)
        except NotFound:
            return self.page("gone", status=404)
        except Conflict:
            return self.page("over", review=self.find(), status=409)
        return self.page("ask", review=review, status=422)

    def confirmed(self, review: SignInReview) -> HttpResponse:
        """It was the person."""
        return self.page("yes", review=review)

    def denied(self, review: SignInReview, outcome: dict[str, Any]) -> HttpResponse:
        """What was done about it. This browser's session is over, too, if it was one of the person's."""
        if self.request.user.pk == review.user_id:
            django_logout(self.request)
        return self.page("no", review=review, outcome=outcome)

    def page(
        self, state: str, *, review: SignInReview | None = None, status: int = 200, **context: Any
    ) -> HttpResponse:
        """The page in one of its states: ask, yes, no, over, gone."""
        facts = facts_of(review) if review is not None else {}
        values = self.get_context_data(state=state, **facts, **context)
        return render(self.request, "account/sign_in_review.html", values, status=status)


class OwnReviewView(ReviewView):
    """In the account: for the signed-in person, on another device than the one that is asked about."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever isn't signed in signs in first."""
        if not request.user.is_authenticated:
            return redirect(login_url(request.path))
        return super().dispatch(request, *args, **kwargs)

    def find(self) -> SignInReview:
        """One of the person's own that he may answer here. Raises NotFound."""
        review_id: UUID = self.kwargs["review_id"]
        return review_to_answer(actor_of(self.request), realm_id=realm_of(self.request).pk, review_id=review_id)
