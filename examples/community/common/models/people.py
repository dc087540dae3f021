"""Users, staff, teams and tasks."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from common.fields import BytewiseCharField, TagsField
from common.models.base import TimeStamped
from common.models.places import Municipality


class User(AbstractUser):
    """A person who logs in."""

    class Kind(models.TextChoices):
        """What a person is to the office."""

        ADMIN = "admin", "administrator"
        STAFF = "staff", "staff"
        LEADER = "leader", "community leader"
        PARTNER = "partner", "partner organization"

    kind = models.CharField(max_length=20, choices=Kind, default=Kind.LEADER)
    position = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=20, null=True, blank=True)
    home_municipality = models.ForeignKey(Municipality, models.SET_NULL, null=True, blank=True)
    is_approved = models.BooleanField(default=False)
    approved_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="approvals")
    approved_at = models.DateTimeField(null=True, blank=True)
    photo = models.FileField(upload_to="photos/%Y/", blank=True)

    class Meta(AbstractUser.Meta):
        ordering = ["username"]
        permissions = [("approve_user", "Can approve the accounts of others")]

    def __str__(self):
        return self.get_full_name() or self.username


class StaffUserManager(UserManager):
    """Only staff."""

    def get_queryset(self):
        """Hide everybody else."""
        return super().get_queryset().filter(is_staff=True)


class StaffUser(User):
    """A user who is staff: a proxy with permissions of its own."""

    objects = StaffUserManager()

    class Meta:
        proxy = True
        verbose_name = "staff user"
        permissions = [("assign_staffuser", "Can assign staff to teams")]


class StaffProfile(TimeStamped):
    """What the office knows of a member of staff."""

    class Employment(models.TextChoices):
        """The kind of contract."""

        PERMANENT = "permanent", "permanent"
        CONTRACT = "contract", "by contract"
        VOLUNTEER = "volunteer", "volunteer"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_profile")
    employment = models.CharField(max_length=20, choices=Employment, default=Employment.PERMANENT)
    employee_number = models.CharField(max_length=20, unique=True, null=True, blank=True)
    hired_on = models.DateField(null=True, blank=True)
    born_on = models.DateField(null=True, blank=True)
    daily_hours = models.DurationField(null=True, blank=True)
    salary_grade = models.PositiveSmallIntegerField(default=1)
    competencies = models.JSONField(default=dict, blank=True)
    emergency_contact = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["user"]

    def __str__(self):
        return str(self.user)


class StaffTeam(TimeStamped):
    """People who work together."""

    name = BytewiseCharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    mission = models.TextField(blank=True)
    skills = TagsField(default=list, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="StaffTeamMembership", related_name="teams")

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(Lower("name"), name="staff_team_unique_name")]

    def __str__(self):
        return self.name


class StaffTeamMembership(models.Model):
    """Who belongs to which team, as what, since when."""

    class Role(models.TextChoices):
        """What a member does."""

        LEAD = "lead", "lead"
        MEMBER = "member", "member"

    team = models.ForeignKey(StaffTeam, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"], condition=Q(left_on__isnull=True), name="membership_once_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(role="lead", left_on=None), name="membership_one_lead"
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("joined_on")), name="membership_dates_in_order"
            ),
        ]

    def __str__(self):
        return f"{self.user} in {self.team}"


class StaffTask(TimeStamped):
    """Something to be done by members of a team."""

    class Status(models.TextChoices):
        """How far it is."""

        OPEN = "open", "open"
        DOING = "doing", "being done"
        DONE = "done", "done"

    team = models.ForeignKey(StaffTeam, models.SET_NULL, null=True, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="subtasks")
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    priority = models.SmallIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True)
    estimated = models.DurationField(null=True, blank=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    assignees = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="tasks")

    class Meta:
        ordering = ["-priority", "due_on", "id"]
        indexes = [models.Index(F("due_on").desc(), "status", name="task_due")]
        constraints = [models.CheckConstraint(condition=Q(progress_percent__lte=100), name="task_progress_percent")]

    def __str__(self):
        return self.title


class NotificationPreference(models.Model):
    """When and how a user wants to hear from us; the user is the key."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="notification_preference"
    )
    by_email = models.BooleanField(default=True)
    by_sms = models.BooleanField(null=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Preferences of {self.user}"
