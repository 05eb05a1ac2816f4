"""Pure decisions of the gate."""

from identity.kernel.permissions import REALM_PERMISSIONS, Permission


def permissions_of_visit(held: frozenset[Permission]) -> frozenset[Permission]:
    """What an operator holds in a realm that he visits: everything of a realm, if he may visit at all (DECISIONS 20).

    `held` is asked at each request, so an operator who loses the permission loses his open visits with it.
    """
    return REALM_PERMISSIONS if Permission.REALMS_VISIT in held else frozenset()
