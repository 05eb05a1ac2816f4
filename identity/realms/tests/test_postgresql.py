"""Purges on PostgreSQL: the cases that must hold on both databases, once more."""

import pytest

from identity.realms.tests.test_purging import (  # noqa: F401 - a fixture and cases
    test_a_purge_that_was_interrupted_goes_on_where_it_ended,
    test_a_realm_is_emptied_thirty_days_after_its_deletion_and_nothing_else,
    test_dp_04_nobody_reads_a_person_in_the_trail_of_a_purged_realm,
    test_ds_08_what_has_expired_goes_and_is_told,
    worlds,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
