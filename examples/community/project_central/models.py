"""The office's own projects, what they cost, and what they warn of."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.fields import MoneyField
from common.models import SoftDeleted, StaffTeam, TimeStamped
from monitoring.models import MonitoringEntry


class Project(SoftDeleted, TimeStamped):
    """A project, perhaps a part of another one."""

    class Phase(models.TextChoices):
        """How far it is."""

        IDEA = "idea", "idea"
        DOING = "doing", "being done"
        CLOSED = "closed", "closed"

    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="parts")
    title = models.CharField(max_length=200, db_column="name")
    slug = models.SlugField(max_length=80, unique=True)
    phase = models.CharField(max_length=6, choices=Phase, default=Phase.IDEA)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="projects")
    team = models.ForeignKey(StaffTeam, models.SET_NULL, null=True, blank=True)
    entries = models.ManyToManyField(MonitoringEntry, blank=True, related_name="projects")
    starts_on = models.DateField()
    labour_cost = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    material_cost = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    total_cost = models.GeneratedField(
        expression=F("labour_cost") + F("material_cost"),
        output_field=models.DecimalField(max_digits=13, decimal_places=2),
        db_persist=True,
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self):
        return self.title


class Milestone(models.Model):
    """A date to reach."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=200)
    due_on = models.DateField()
    reached_at = models.DateTimeField(null=True, blank=True)
    depends_on = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="needed_by")

    class Meta:
        ordering = ["due_on", "id"]

    def __str__(self):
        return self.title


class Risk(models.Model):
    """What may go wrong."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="risks")
    text = models.TextField()
    probability = models.FloatField()
    cost = MoneyField(null=True, blank=True)
    checklist = models.JSONField(default=list, blank=True)

    def __str__(self):
        return self.text[:60]


class TimeEntry(models.Model):
    """Time that somebody spent."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="time_entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    day = models.DateField()
    spent = models.DurationField()
    started_at = models.TimeField(null=True, blank=True)

    class Meta:
        ordering = ["day", "id"]
        verbose_name_plural = "time entries"

    def __str__(self):
        return f"{self.spent} by {self.user}"


class Budget(models.Model):
    """A year's money for one project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="budgets")
    year = models.PositiveSmallIntegerField()
    ceiling = models.DecimalField(max_digits=14, decimal_places=2)
    is_final = models.BooleanField(db_default=False)
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-year"]
        constraints = [models.UniqueConstraint(fields=["project", "year"], name="budget_once_a_year")]

    def __str__(self):
        return f"{self.project}, {self.year}"


class BudgetLine(models.Model):
    """A line of a budget; what is spent is added in the database, by F() expressions."""

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="lines")
    code = models.CharField(max_length=20)
    allotted = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    spent = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    rate = models.DecimalField(max_digits=10, decimal_places=6, default=1)
    cents_left = MoneyField(default=0)

    class Meta:
        ordering = ["code"]
        unique_together = [("budget", "code")]

    def __str__(self):
        return self.code


class Alert(models.Model):
    """Something that somebody should look at."""

    class Level(models.IntegerChoices):
        """How loud; kept as a number."""

        NOTE = 10, "note"
        WARNING = 20, "warning"
        ALARM = 30, "alarm"

    project = models.ForeignKey(Project, models.CASCADE, null=True, blank=True, related_name="alerts")
    entry = models.ForeignKey(MonitoringEntry, models.CASCADE, null=True, blank=True, related_name="alerts")
    level = models.SmallIntegerField(choices=Level, db_default=10)
    text = models.CharField(max_length=300)
    details = models.JSONField(db_default={})
    raised_at = models.DateTimeField(db_default=Now())
    seen_by = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="seen_alerts")

    class Meta:
        ordering = ["-level", "-raised_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(project__isnull=False) | Q(entry__isnull=False), name="alert_is_about_something"
            )
        ]

    def __str__(self):
        return self.text


class ReportSchedule(models.Model):
    """When a report is sent to whom."""

    name = models.CharField(max_length=80, unique=True)
    at = models.TimeField()
    every = models.DurationField()
    last_sent_at = models.DateTimeField(null=True, blank=True)
    recipients = models.JSONField(default=list, blank=True)
    is_enabled = models.BooleanField(db_default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name
