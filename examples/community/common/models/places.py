"""Regions, provinces, municipalities and barangays, each with its boundary as GeoJSON."""

from django.db import models
from django.db.models import Q

from common.models.base import TimeStamped


class Place(TimeStamped):
    """A place with a code, a name and a boundary."""

    id = models.AutoField(primary_key=True)
    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120, db_index=True)
    population = models.PositiveIntegerField(null=True, blank=True)
    land_area_km2 = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    boundary_geojson = models.JSONField(null=True, blank=True, help_text="A GeoJSON geometry, WGS 84")
    center_coordinates = models.JSONField(null=True, blank=True, help_text="[longitude, latitude]")
    bounding_box = models.JSONField(null=True, blank=True, help_text="[west, south, east, north]")
    is_active = models.BooleanField(default=True)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name


class Region(Place):
    """The largest unit."""

    description = models.TextField(blank=True)

    class Meta:
        ordering = ["code"]


class Province(Place):
    """A part of a region."""

    region = models.ForeignKey(Region, models.PROTECT, related_name="provinces")
    capital = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["region", "name"]
        unique_together = [("region", "name")]


class Municipality(Place):
    """A part of a province: a town or a city."""

    class Kind(models.TextChoices):
        """What the law calls it."""

        MUNICIPALITY = "municipality", "municipality"
        COMPONENT_CITY = "component_city", "component city"
        INDEPENDENT_CITY = "independent_city", "independent city"

    province = models.ForeignKey(Province, models.PROTECT, related_name="municipalities")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.MUNICIPALITY)
    income_class = models.PositiveSmallIntegerField(null=True, blank=True)
    postal_code = models.CharField(max_length=10, blank=True, db_column="zip")

    class Meta:
        ordering = ["province", "name"]
        verbose_name_plural = "municipalities"
        unique_together = [("province", "name")]


class Barangay(Place):
    """The smallest unit: a village, or a quarter of a town."""

    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="barangays")
    is_urban = models.BooleanField(default=False)
    is_coastal = models.BooleanField(null=True, blank=True, help_text="Unknown where nobody has looked")
    elevation_m = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["municipality", "name"]
        indexes = [
            models.Index(fields=["municipality", "-population"], name="barangay_by_population"),
            models.Index(fields=["name"], condition=Q(is_urban=True), name="barangay_urban_name"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "name"], name="barangay_unique_name"),
            models.CheckConstraint(
                condition=Q(elevation_m__isnull=True) | Q(elevation_m__gte=-100), name="barangay_elevation"
            ),
        ]
