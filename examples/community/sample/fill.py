"""Fill an empty, migrated database."""

import random

from django.db import transaction

from sample.clock import Clock
from sample.communities import fill_communities, fill_facts, fill_municipalities
from sample.counts import scale_counts
from sample.fieldwork import fill_assessments, fill_entries
from sample.people import fill_calendar, fill_logs, fill_users
from sample.places import fill_places
from sample.work import fill_organizations, fill_policies, fill_projects


def fill_database(scale=1.0, seed=1):
    """Write the sample in one transaction. The same scale and seed give the same rows, keys included."""
    rng = random.Random(seed)  # noqa: S311 - the same rows every time are the point
    counts, clock = scale_counts(scale), Clock()
    with transaction.atomic():
        municipalities, barangays = fill_places(rng, counts, clock)
        users = fill_users(rng, counts, clock, municipalities)
        fill_municipalities(rng, counts, clock, users, municipalities)
        communities = fill_communities(rng, counts, clock, users, barangays)
        facilities = fill_facts(rng, counts, clock, users, communities)
        organizations = fill_organizations(rng, counts, clock, users, municipalities)
        assessments, needs, activities = fill_assessments(rng, counts, clock, users, communities)
        recommendations = fill_policies(rng, counts, clock, users, assessments, needs, communities, organizations)
        entries = fill_entries(
            rng, counts, clock, users, organizations, communities, municipalities, needs, recommendations
        )
        projects = fill_projects(rng, counts, clock, users, entries)
        fill_calendar(rng, counts, clock, users, [*assessments, *activities, *projects])
        targets = [*communities[:500], *facilities, *organizations, *assessments, *recommendations, *entries, *projects]
        fill_logs(rng, counts, clock, users, targets)
