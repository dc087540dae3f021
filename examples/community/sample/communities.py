"""Communities with their history, facilities, leaders, counts and hazards; the profiles of municipalities."""

import datetime as dt
import json
import zlib
from decimal import Decimal

from common.models import Language
from communities.models import (
    Community,
    CommunityHistory,
    CommunityLivelihood,
    EthnicGroup,
    Facility,
    Hazard,
    HealthCentre,
    Leader,
    LeaderEngagement,
    Livelihood,
    MunicipalityCoverage,
    PopulationCount,
    School,
    WaterSystem,
)
from municipal_profiles.models import (
    MunicipalityProfile,
    MunicipalityProfileHistory,
    ProfileSnapshot,
    ProfileSource,
)
from sample.names import make_person, make_place_name, make_sentence

BATCH = 500


def fill_communities(rng, counts, clock, users, barangays):
    """Write a community for every barangay, and their history: the communities."""
    languages = list(Language.objects.order_by("code"))
    communities = []
    for number, barangay in enumerate(barangays):
        west, south, *_ = barangay.bounding_box
        communities.append(
            Community(
                barangay=barangay,
                name=make_place_name(rng) if number % 4 else "",
                code=f"C-{number:05d}" if number % 10 else None,
                settled_in=rng.choice([None, rng.randint(1500, 2020)]),
                estimated_population=rng.randint(0, 8000),
                households=rng.choice([None, rng.randint(1, 900)]),
                proximity=rng.choice(Community.Proximity.values),
                poverty_percent=rng.choice([None, Decimal(rng.randint(0, 10000)).scaleb(-2)]),
                has_mosque=rng.random() < 0.6,
                has_madrasah=rng.choice([True, False, None]),
                latitude=south + rng.random() / 100,
                longitude=west + rng.random() / 100,
                notes=make_sentence(rng) if number % 3 == 0 else "",
                main_language=rng.choice([None, *languages]),
                is_deleted=number % 97 == 96,
                deleted_at=clock.at(number) if number % 97 == 96 else None,
                created_at=clock.at(number),
                updated_at=clock.at(number + 9),
            )
        )
    Community.objects.bulk_create(communities, batch_size=BATCH)
    _link_communities(rng, communities)
    _fill_history(rng, counts, clock, users, communities)
    return communities


def _link_communities(rng, communities):
    """Write the many-to-many rows of communities."""
    groups = list(EthnicGroup.objects.order_by("pk"))
    livelihoods = list(Livelihood.objects.order_by("pk"))
    language_link = EthnicGroup.languages.through
    language_link.objects.bulk_create(
        language_link(ethnicgroup=group, language=language)
        for group in groups
        for language in rng.sample(list(Language.objects.order_by("code")), 2)
    )
    group_link, neighbour_link = Community.ethnic_groups.through, Community.neighbours.through
    group_link.objects.bulk_create(
        group_link(community=community, ethnicgroup=rng.choice(groups)) for community in communities[::9]
    )
    pairs = list(zip(communities[::11], communities[1::11], strict=False))
    neighbour_link.objects.bulk_create(
        neighbour_link(from_community=one, to_community=other)
        for pair in pairs
        for one, other in (pair, pair[::-1])  # symmetrical: Django keeps both directions
    )
    CommunityLivelihood.objects.bulk_create(
        CommunityLivelihood(
            community=community,
            livelihood=livelihood,
            households=rng.choice([None, rng.randint(0, 300)]),
            monthly_income=Decimal(rng.randint(0, 10**7)).scaleb(-2),
            is_main=position == 0,
        )
        for community in communities[::7]
        for position, livelihood in enumerate(rng.sample(livelihoods, 2))
    )


def _fill_history(rng, counts, clock, users, communities):
    """Write how communities looked: each as it was made, some again."""
    rows = []
    for number in range(counts.community_histories):
        community = communities[number % len(communities)]
        rows.append(
            CommunityHistory(
                history_date=clock.at(number),
                history_type="+" if number < len(communities) else "~",
                history_user=rng.choice([None, *users]),
                history_change_reason=rng.choice([None, "census", ""]),
                id=community.pk,
                barangay_id=community.barangay_id,
                name=community.name,
                code=community.code,
                settled_in=community.settled_in,
                estimated_population=community.estimated_population // 2,
                households=community.households,
                proximity=community.proximity,
                poverty_percent=community.poverty_percent,
                has_mosque=community.has_mosque,
                latitude=community.latitude,
                longitude=community.longitude,
                created_at=community.created_at,
                updated_at=community.updated_at,
            )
        )
    CommunityHistory.objects.bulk_create(rows, batch_size=BATCH)


def fill_facts(rng, counts, clock, users, communities):
    """Write facilities, leaders, population counts and hazards: the facilities."""
    facilities = Facility.objects.bulk_create(
        Facility(
            community=rng.choice(communities),
            name=make_place_name(rng),
            condition=rng.choice([None, *Facility.Condition.values]),
            built_on=rng.choice([None, dt.date(1880 + number % 140, 2, 28)]),
            location={"type": "Point", "coordinates": [121 + number / 7, 8.1]} if number % 3 else None,
            photo=f"facilities/{number}.png" if number % 2 else "",
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.medium)
    )
    for number, facility in enumerate(facilities):
        _make_child(rng, clock, number, facility).save_base(raw=True)  # the parent's row is there already
    leaders = Leader.objects.bulk_create(
        Leader(
            community=rng.choice(communities),
            full_name=" ".join(make_person(rng)),
            honorific=rng.choice([None, "", "Datu", "Hadji"]),
            role=rng.choice(["Elder", "Teacher", "Imam", "Head of the fishers"]),
            born_on=rng.choice([None, dt.date(1890 + number % 110, 12, 31)]),
            phone=rng.choice([None, "", "+63 917 555 0100"]),
            influence=rng.choice([None, rng.random(), float("1e308")]),
            is_deleted=number % 20 == 19,
        )
        for number in range(counts.medium)
    )
    languages = list(Language.objects.order_by("code"))
    link = Leader.languages.through
    link.objects.bulk_create(
        link(leader=leader, language=language) for leader in leaders for language in rng.sample(languages, 2)
    )
    LeaderEngagement.objects.bulk_create(
        LeaderEngagement(
            leader=rng.choice(leaders),
            staff=rng.choice(users[: counts.staff]),
            held_on=clock.day(number * 50),
            began_at=rng.choice([None, clock.time(number)]),
            took=rng.choice([None, dt.timedelta(minutes=number, microseconds=3)]),
            summary=make_sentence(rng, 20),
            topics=rng.sample(["land", "water", "peace", "schools"], number % 4),
        )
        for number in range(counts.medium)
    )
    PopulationCount.objects.bulk_create(
        PopulationCount(
            community=communities[number // 3 % len(communities)],
            year=(2010, 2015, 2020)[number % 3],
            women=rng.randint(0, 4000),
            men=rng.randint(0, 4000),
            growth_rate=rng.choice([None, Decimal(rng.randint(-(10**6), 10**6)).scaleb(-6)]),
        )
        for number in range(min(counts.large, 3 * len(communities)))
    )
    Hazard.objects.bulk_create(
        Hazard(
            community=rng.choice(communities),
            kind=rng.choice(Hazard.Kind.values),
            severity=rng.randint(-5, 5),
            struck_at=rng.choice([None, dt.datetime(1887, 5, 3, 4, 5, 6, 7, tzinfo=dt.UTC), clock.at(number)]),
            area_geojson={"type": "Point", "coordinates": [122.5, 7.25]} if number % 2 else None,
            extra=rng.choice([{}, {"dead": None, "houses": 3, "losses": 1.5e6}]),
        )
        for number in range(counts.medium)
    )
    return facilities


def _make_child(rng, clock, number, facility):
    """The part of a school, a health centre or a water system that is theirs alone."""
    match number % 3:
        case 0:
            school = School(level=rng.choice(School.Level.values), classrooms=rng.randint(1, 30))
            school.bell_at = rng.choice([None, dt.time(7, 15)])
            school.facility_ptr = facility
            return school
        case 1:
            centre = HealthCentre(beds=rng.choice([None, 0, 12]), has_midwife=rng.choice([True, False, None]))
            centre.facility_ptr = facility
            return centre
        case _:
            return WaterSystem(
                facility=facility,
                litres_per_hour=Decimal(rng.randint(0, 10**8)).scaleb(-3),
                last_tested_at=rng.choice([None, clock.at(number)]),
                is_potable=rng.choice([True, False, None]),
            )


def fill_municipalities(rng, counts, clock, users, municipalities):
    """Write coverages and profiles, with the history of the profiles."""
    MunicipalityCoverage.objects.bulk_create(
        MunicipalityCoverage(
            municipality=municipality,
            total_communities=rng.randint(1, 60),
            estimated_population=rng.choice([None, rng.randint(0, 10**6)]),
            key_barangays=", ".join(make_place_name(rng) for _ in range(3)),
            auto_sync=number % 3 != 0,
            synced_at=clock.at(number) if number % 3 else None,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number, municipality in enumerate(municipalities)
    )
    profiles = MunicipalityProfile.objects.bulk_create(
        MunicipalityProfile(
            municipality=municipality,
            reported=_make_figures(rng, number),
            aggregated=_make_figures(rng, number + 1),
            is_locked=number % 10 == 0,
            literacy_percent=rng.choice([None, Decimal(rng.randint(0, 100_000)).scaleb(-3)]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number, municipality in enumerate(municipalities)
    )
    MunicipalityProfileHistory.objects.bulk_create(
        (
            MunicipalityProfileHistory(
                profile=profiles[number % len(profiles)],
                history_date=clock.at(number),
                history_type=rng.choice("+~"),
                history_user=rng.choice([None, *users]),
                history_change_reason="Automatic update" if number % 2 else None,
                reported=_make_figures(rng, number),
                aggregated={},
                literacy_percent=rng.choice([None, Decimal(number % 100)]),
            )
            for number in range(counts.profile_histories)
        ),
        batch_size=BATCH,
    )
    sources = ProfileSource.objects.bulk_create(
        ProfileSource(title=f"Statistical yearbook {2015 + number}", published_on=dt.date(2016 + number, 6, 1))
        for number in range(6)
    )
    link = ProfileSource.profiles.through
    link.objects.bulk_create(
        link(profilesource=rng.choice(sources), municipalityprofile=profile) for profile in profiles
    )
    snapshots = []
    for number, profile in enumerate(profiles[::10]):
        packed = zlib.compress(json.dumps(profile.reported).encode())
        sent_by, taken_at = rng.choice(users), clock.at(number)
        snapshots.append(
            ProfileSnapshot(profile=profile, packed=packed, size_bytes=len(packed), sent_by=sent_by, taken_at=taken_at)
        )
    ProfileSnapshot.objects.bulk_create(snapshots)


def _make_figures(rng, number):
    """The JSON of a profile."""
    return {
        "population": {"total": rng.randint(0, 10**6), "women": None, "share": rng.random()},
        "schools": [number % 7, number % 5],
        "note": "niños y niñas" if number % 4 == 0 else "",
        "verified": number % 2 == 0,
    }
