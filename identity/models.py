"""A loader: Django looks for models here; they live in the rooms."""

from identity.access.models import *  # noqa: F403
from identity.accounts.models import *  # noqa: F403
from identity.applications.models import *  # noqa: F403
from identity.audit.models import *  # noqa: F403
from identity.consent.models import *  # noqa: F403
from identity.courier.models import *  # noqa: F403
from identity.kernel.models import *  # noqa: F403
from identity.metrics.models import *  # noqa: F403
from identity.mfa.models import *  # noqa: F403
from identity.oauth.models import *  # noqa: F403
from identity.realms.models import *  # noqa: F403
from identity.security.models import *  # noqa: F403
from identity.sessions.models import *  # noqa: F403
