"""The browser of the account pages' tests, for the sign-in area."""

from console.account.tests.conftest import browser_type_launch_args, mount, sign_in

__all__ = ["browser_type_launch_args", "mount", "sign_in"]
