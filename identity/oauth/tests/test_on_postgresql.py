"""The same tests again on PostgreSQL, where each stateful step is another statement than on SQLite (DECISIONS 23)."""

import pytest

from identity.consent.tests.test_commands import *  # noqa: F403
from identity.oauth.tests.test_disabled_principals import *  # noqa: F403
from identity.oauth.tests.test_revocation import *  # noqa: F403
from identity.oauth.tests.test_token_code import *  # noqa: F403
from identity.oauth.tests.test_token_refresh_rotation import *  # noqa: F403

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("on_postgresql")]
