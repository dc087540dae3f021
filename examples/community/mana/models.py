"""Mapping and needs assessment: what communities need, and how we found out."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.fields import MoneyField, TagsField
from common.models import Municipality, Province, TimeStamped
from communities.models import Community


class AssessmentCategory(models.Model):
    """A kind of assessment. The rows come from a migration."""

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    icon = models.CharField(max_length=40, null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "assessment categories"

    def __str__(self):
        return self.name


class Assessment(TimeStamped):
    """A planned look at some communities."""

    class Status(models.TextChoices):
        """How far it is."""

        PLANNED = "planned", "planned"
        RUNNING = "running", "running"
        DONE = "done", "done"
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    category = models.ForeignKey(AssessmentCategory, models.PROTECT, related_name="assessments")
    province = models.ForeignKey(Province, models.SET_NULL, null=True, blank=True)
    communities = models.ManyToManyField(Community, blank=True, related_name="assessments")
    lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="led_assessments")
    team = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="AssessmentMember", related_name="assessments", blank=True
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    budget = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    spent = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    field_time = models.DurationField(null=True, blank=True)
    is_test = models.BooleanField(default=False, help_text="Made while trying things out; may be pruned")

    class Meta:
        ordering = ["-starts_on", "title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="assessment_dates_in_order"
            )
        ]

    def __str__(self):
        return self.title


class AssessmentMember(models.Model):
    """Somebody's part in an assessment."""

    assessment = models.ForeignKey(Assessment, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    role = models.CharField(max_length=60, blank=True)
    days = models.DecimalField(max_digits=4, decimal_places=1, default=1)

    class Meta:
        unique_together = [("assessment", "user", "role")]

    def __str__(self):
        return f"{self.user} in {self.assessment}"


class NeedCategory(models.Model):
    """What a need is about."""

    name = models.CharField(max_length=80, unique=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    colour = models.CharField(max_length=7, db_default="#888888")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "need categories"

    def __str__(self):
        return self.name


class Need(TimeStamped):
    """Something that a community lacks."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, null=True, blank=True, related_name="needs")
    community = models.ForeignKey(Community, models.CASCADE, related_name="needs")
    category = models.ForeignKey(NeedCategory, models.PROTECT)
    title = models.CharField(max_length=200)
    priority_score = models.FloatField(null=True, blank=True)
    people_affected = models.PositiveIntegerField(default=0)
    estimated_cost = MoneyField(null=True, blank=True)
    related = models.ManyToManyField("self", blank=True, symmetrical=False, related_name="related_from")
    evidence = models.JSONField(null=True, blank=True)
    tags = TagsField(default=list, blank=True)

    class Meta:
        ordering = ["-people_affected", "id"]

    def __str__(self):
        return self.title


class NeedVote(models.Model):
    """A vote for a need."""

    need = models.ForeignKey(Need, models.CASCADE, related_name="votes")
    voter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    weight = models.SmallIntegerField(default=1)
    cast_at = models.DateTimeField()
    ip_address = models.GenericIPAddressField(null=True, blank=True, unpack_ipv4=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["need", "voter"], name="need_one_vote")]

    def __str__(self):
        return f"{self.voter} for {self.need}"


class WorkshopActivity(TimeStamped):
    """One activity of an assessment's workshop."""

    class Method(models.TextChoices):
        """How it is done."""

        DISCUSSION = "discussion", "discussion"
        MAPPING = "mapping", "mapping"
        INTERVIEW = "interview", "interview"

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="workshop_activities")
    title = models.CharField(max_length=200)
    method = models.CharField(max_length=12, choices=Method)
    day = models.PositiveSmallIntegerField(default=1)
    on = models.DateField()
    starts = models.TimeField()
    duration = models.DurationField()
    facilitators = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="facilitated")
    is_test = models.BooleanField(default=False)

    class Meta:
        ordering = ["on", "starts", "id"]
        verbose_name_plural = "workshop activities"

    def __str__(self):
        return self.title


class WorkshopParticipant(models.Model):
    """Somebody who took part, with or without an account."""

    activity = models.ForeignKey(WorkshopActivity, models.CASCADE, related_name="participants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=150)
    age = models.PositiveSmallIntegerField(null=True, blank=True)
    consent = models.BooleanField(null=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self):
        return self.name


class WorkshopOutput(models.Model):
    """What an activity produced: text, a drawing, a recording."""

    activity = models.ForeignKey(WorkshopActivity, models.CASCADE, related_name="outputs")
    kind = models.CharField(max_length=20)
    text = models.TextField(blank=True)
    drawing = models.BinaryField(null=True, blank=True)
    recording = models.FileField(upload_to="workshops/", blank=True)

    def __str__(self):
        return f"{self.kind} of {self.activity}"


class Survey(TimeStamped):
    """A list of questions."""

    assessment = models.ForeignKey(Assessment, models.SET_NULL, null=True, blank=True, related_name="surveys")
    title = models.CharField(max_length=200)
    is_anonymous = models.BooleanField(default=True)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title


class SurveyQuestion(models.Model):
    """A question of a survey, in its order."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="questions")
    text = models.TextField()
    choices = models.JSONField(null=True, blank=True)
    is_required = models.BooleanField(default=False)

    class Meta:
        order_with_respect_to = "survey"

    def __str__(self):
        return self.text[:60]


class SurveyResponse(models.Model):
    """One person's answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="responses")
    respondent = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    municipality = models.ForeignKey(Municipality, models.DO_NOTHING, null=True, blank=True)
    submitted_at = models.DateTimeField()
    score = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)

    class Meta:
        ordering = ["-submitted_at", "id"]

    def __str__(self):
        return str(self.id)


class SurveyAnswer(models.Model):
    """One answer, of whatever type."""

    response = models.ForeignKey(SurveyResponse, models.CASCADE, related_name="answers")
    question = models.ForeignKey(SurveyQuestion, models.CASCADE)
    value = models.JSONField(null=True)

    class Meta:
        unique_together = [("response", "question")]

    def __str__(self):
        return str(self.value)


class MappingLayer(TimeStamped):
    """A drawing on the map."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, null=True, blank=True, related_name="layers")
    name = models.CharField(max_length=120)
    features = models.JSONField(help_text="A GeoJSON FeatureCollection")
    style = models.JSONField(default=dict, blank=True)
    opacity = models.FloatField(default=0.5)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name
