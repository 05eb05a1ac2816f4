"""The realm's colors for sign-in, consent and account pages, as a stylesheet (a strict CSP refuses inline styles)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from console.shell.colors import DARK_ON_ACCENT, WHITE, accent_of, contrast
from console.shell.theme import accent_of_request

NEAR_BLACK = "#14120f"


def account_stylesheet(brand: str | None) -> str:
    """The accent family of both themes. Neutrals and the colors of meaning are never a realm's to change."""
    accent = accent_of(brand)
    scale = accent.scale
    on_mark = WHITE if contrast(WHITE, accent.brand) >= contrast(NEAR_BLACK, accent.brand) else NEAR_BLACK
    return (
        f":root{{--realm-accent:{accent.brand};--realm-on-accent:{on_mark};"
        f"--rk-accent:{accent.light};--rk-accent-hover:{scale[700]};--rk-accent-ink:{scale[700]};"
        f"--rk-accent-soft:{scale[50]};--rk-accent-line:{scale[200]};--rk-on-accent:{WHITE}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{"
        f"--rk-accent:{accent.dark};--rk-accent-hover:{scale[300]};--rk-accent-ink:{scale[300]};"
        f"--rk-accent-soft:{accent.dark_soft};--rk-accent-line:{accent.dark_line};--rk-on-accent:{DARK_ON_ACCENT}}}}}\n"
    )


@require_safe
@condition(etag_func=lambda request: f'"a{accent_of_request(request).strip("#")}"')
def stylesheet(request: HttpRequest) -> HttpResponse:
    """/theme.css of the realm. Public: it says nothing that the sign-in page doesn't show."""
    css = account_stylesheet(accent_of_request(request))
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response
