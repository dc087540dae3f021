"""Communities, their history, their facilities and the people who matter in them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast

from common.fields import TagsField
from common.models import Barangay, HistoryRow, Language, Municipality, SoftDeleted, TimeStamped


class EthnicGroup(models.Model):
    """A people. The rows come from a migration."""

    name = models.CharField(max_length=80, unique=True)
    languages = models.ManyToManyField(Language, blank=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Livelihood(models.Model):
    """A way to earn a living. The rows come from a migration."""

    class Sector(models.TextChoices):
        """The part of the economy."""

        FARMING = "farming", "farming"
        FISHING = "fishing", "fishing"
        TRADE = "trade", "trade"
        CRAFT = "craft", "craft"
        SERVICES = "services", "services"

    name = models.CharField(max_length=80)
    sector = models.CharField(max_length=10, choices=Sector)

    class Meta:
        ordering = ["sector", "name"]
        unique_together = [("sector", "name")]

    def __str__(self):
        return self.name


class CommunityFacts(models.Model):
    """The facts of a community: in the community itself, and in each row of its history."""

    class Proximity(models.TextChoices):
        """How far from the town's centre."""

        TOWN = "town", "in town"
        NEAR = "near", "near a town"
        REMOTE = "remote", "remote"

    name = models.CharField(max_length=150, blank=True)
    code = models.CharField(max_length=20, null=True, blank=True)
    settled_in = models.PositiveSmallIntegerField(null=True, blank=True)
    estimated_population = models.PositiveIntegerField(default=0)
    households = models.PositiveIntegerField(null=True, blank=True)
    proximity = models.CharField(max_length=10, choices=Proximity, default=Proximity.NEAR)
    poverty_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    has_mosque = models.BooleanField(default=False)
    has_madrasah = models.BooleanField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    notes = models.TextField(blank=True)

    class Meta:
        abstract = True


class Community(SoftDeleted, CommunityFacts, TimeStamped):
    """A community that lives in a barangay."""

    barangay = models.OneToOneField(Barangay, models.PROTECT, related_name="community")
    ethnic_groups = models.ManyToManyField(EthnicGroup, blank=True, related_name="communities")
    neighbours = models.ManyToManyField("self", blank=True)
    livelihoods = models.ManyToManyField(Livelihood, through="CommunityLivelihood", related_name="communities")
    main_language = models.ForeignKey(Language, models.SET_NULL, null=True, blank=True)
    average_household = models.GeneratedField(
        expression=Cast("estimated_population", models.FloatField()) / Cast("households", models.FloatField()),
        output_field=models.FloatField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "communities"
        indexes = [
            models.Index(fields=["proximity", "-estimated_population"], name="community_by_proximity"),
            models.Index(fields=["code"], condition=Q(is_deleted=False), name="community_living_code"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(is_deleted=False), name="community_unique_code"),
            models.CheckConstraint(
                condition=Q(households__isnull=True) | Q(households__gt=0), name="community_households_positive"
            ),
            models.CheckConstraint(
                condition=Q(poverty_percent__isnull=True) | Q(poverty_percent__range=(0, 100)),
                name="community_poverty_percent",
            ),
        ]

    def __str__(self):
        return self.name or str(self.barangay)


class CommunityLivelihood(models.Model):
    """How many households of a community live on what. It was a plain many-to-many table once."""

    community = models.ForeignKey(Community, models.CASCADE)
    livelihood = models.ForeignKey(Livelihood, models.CASCADE)
    households = models.PositiveIntegerField(null=True, blank=True)
    monthly_income = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    is_main = models.BooleanField(default=False)

    class Meta:
        db_table = "communities_community_livelihoods"
        unique_together = [("community", "livelihood")]
        constraints = [
            models.UniqueConstraint(fields=["community"], condition=Q(is_main=True), name="livelihood_one_main")
        ]

    def __str__(self):
        return f"{self.livelihood} in {self.community}"


class MunicipalityCoverage(TimeStamped):
    """What is known of the communities of one municipality together."""

    municipality = models.OneToOneField(Municipality, models.PROTECT, related_name="coverage")
    total_communities = models.PositiveIntegerField(default=0)
    estimated_population = models.PositiveIntegerField(null=True, blank=True)
    key_barangays = models.TextField(blank=True)
    auto_sync = models.BooleanField(default=True)
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["municipality"]

    def __str__(self):
        return str(self.municipality)


class CommunityHistory(CommunityFacts, HistoryRow):
    """How a community was described over time. It outlives the community: its references are not enforced."""

    id = models.BigIntegerField(db_index=True)
    barangay = models.ForeignKey(Barangay, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "community histories"

    def __str__(self):
        return f"{self.name} on {self.history_date:%Y-%m-%d}"


class Facility(TimeStamped):
    """Something built in a community."""

    class Condition(models.IntegerChoices):
        """How it is; kept as a number."""

        RUIN = 0, "in ruins"
        POOR = 1, "poor"
        FAIR = 2, "fair"
        GOOD = 3, "good"

    community = models.ForeignKey(Community, models.CASCADE, related_name="facilities")
    name = models.CharField(max_length=150)
    condition = models.PositiveSmallIntegerField(choices=Condition, null=True, blank=True)
    built_on = models.DateField(null=True, blank=True)
    location = models.JSONField(null=True, blank=True, help_text="A GeoJSON point")
    photo = models.FileField(upload_to="facilities/", max_length=200, blank=True)

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "facilities"

    def __str__(self):
        return self.name


class School(Facility):
    """A facility where children learn."""

    class Level(models.TextChoices):
        """Who goes there."""

        PRIMARY = "primary", "primary"
        SECONDARY = "secondary", "secondary"
        MADRASAH = "madrasah", "madrasah"

    level = models.CharField(max_length=10, choices=Level)
    classrooms = models.PositiveSmallIntegerField(default=1)
    bell_at = models.TimeField(null=True, blank=True)


class HealthCentre(Facility):
    """A facility where people are treated."""

    beds = models.PositiveIntegerField(null=True, blank=True)
    has_midwife = models.BooleanField(null=True, blank=True)


class WaterSystem(models.Model):
    """A facility's pump or pipe; it names its parent link itself."""

    facility = models.OneToOneField(Facility, models.CASCADE, primary_key=True, db_column="facility_no")
    litres_per_hour = models.DecimalField(max_digits=9, decimal_places=3)
    last_tested_at = models.DateTimeField(null=True, blank=True)
    is_potable = models.BooleanField(null=True)

    def __str__(self):
        return f"Water of {self.facility}"


class Leader(SoftDeleted):
    """Somebody who speaks for a community."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="leaders")
    full_name = models.CharField(max_length=150, db_index=True)
    honorific = models.CharField(max_length=40, null=True, blank=True)
    role = models.CharField(max_length=80)
    born_on = models.DateField(null=True, blank=True)
    phone = models.CharField(max_length=30, null=True, blank=True)
    languages = models.ManyToManyField(Language, blank=True)
    influence = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["full_name"]

    def __str__(self):
        return self.full_name


class LeaderEngagement(models.Model):
    """A talk with a leader."""

    leader = models.ForeignKey(Leader, models.CASCADE, related_name="engagements")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    held_on = models.DateField()
    began_at = models.TimeField(null=True, blank=True)
    took = models.DurationField(null=True, blank=True)
    summary = models.TextField(blank=True)
    topics = TagsField(default=list, blank=True)

    class Meta:
        ordering = ["-held_on", "id"]

    def __str__(self):
        return f"{self.leader} on {self.held_on}"


class PopulationCount(models.Model):
    """How many people a census found."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="population_counts")
    year = models.PositiveSmallIntegerField()
    women = models.PositiveIntegerField()
    men = models.PositiveIntegerField()
    total = models.GeneratedField(
        expression=F("women") + F("men"), output_field=models.PositiveIntegerField(), db_persist=True
    )
    growth_rate = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)

    class Meta:
        ordering = ["community", "year"]
        constraints = [models.UniqueConstraint(fields=["community", "year"], name="population_once_a_year")]

    def __str__(self):
        return f"{self.community}, {self.year}"


class Hazard(models.Model):
    """A danger to a community, and when it struck last."""

    class Kind(models.TextChoices):
        """What it is."""

        FLOOD = "flood", "flood"
        DROUGHT = "drought", "drought"
        LANDSLIDE = "landslide", "landslide"
        CONFLICT = "conflict", "conflict"

    community = models.ForeignKey(Community, models.CASCADE, related_name="hazards")
    kind = models.CharField(max_length=10, choices=Kind)
    severity = models.SmallIntegerField(default=0)
    struck_at = models.DateTimeField(null=True, blank=True)
    area_geojson = models.JSONField(null=True, blank=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-severity", "id"]

    def __str__(self):
        return f"{self.get_kind_display()} in {self.community}"


class MunicipalitySummary(models.Model):
    """Communities and people by municipality: a view, made by a migration."""

    municipality = models.OneToOneField(
        Municipality, models.DO_NOTHING, primary_key=True, related_name="community_summary"
    )
    communities = models.BigIntegerField()
    people = models.BigIntegerField(null=True)
    poorest_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)

    class Meta:
        managed = False
        db_table = "communities_municipality_summary"
        verbose_name_plural = "municipality summaries"

    def __str__(self):
        return str(self.municipality)
