"""Pages outside the realms: the start page, and what load balancers ask."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from identity.audit import readiness
from identity.kernel.errors import Invalid
from identity.realms.rules import checked_slug


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What this server is, and the way to a realm for those who know its name. Lists nothing."""
    wanted = request.GET.get("realm", "").strip().lower()
    error = ""
    if wanted:
        try:
            return HttpResponseRedirect(f"/realms/{checked_slug(wanted)}/console/")
        except Invalid:
            error = _("A realm’s name has only lower-case letters, digits and hyphens. Look at the link you were sent.")
    return render(request, "host/index.html", {"error": error, "wanted": wanted[:63]}, status=422 if error else 200)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing else, so that a slow database doesn't get it restarted."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Whether this process should get traffic: database, migrations, the audit table's guards, months ahead.

    503 when not. A warning stays 200: it is somebody's to mend, not a reason to be away. Names nothing private.
    """
    checks = readiness.checks()
    worst = max((check.level for check in checks), default=readiness.Level.OK)
    return JsonResponse(
        {"status": worst.name.lower(), "checks": {check.name: check.text for check in checks}},
        status=503 if worst is readiness.Level.FAILED else 200,
    )
