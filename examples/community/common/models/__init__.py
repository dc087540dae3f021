"""Places, people, the calendar and the logs."""

from common.models.base import HistoryRow, LivingManager, SoftDeleted, TimeStamped
from common.models.calendar import CalendarBooking, CalendarResource, Holiday, ResourceKind
from common.models.people import (
    NotificationPreference,
    StaffProfile,
    StaffTask,
    StaffTeam,
    StaffTeamMembership,
    StaffUser,
    User,
)
from common.models.places import Barangay, Municipality, Place, Province, Region
from common.models.records import AccessLog, Attachment, AuditLog, ChatMessage, Language, SiteSetting

__all__ = [
    "AccessLog",
    "Attachment",
    "AuditLog",
    "Barangay",
    "CalendarBooking",
    "CalendarResource",
    "ChatMessage",
    "HistoryRow",
    "Holiday",
    "Language",
    "LivingManager",
    "Municipality",
    "NotificationPreference",
    "Place",
    "Province",
    "Region",
    "ResourceKind",
    "SiteSetting",
    "SoftDeleted",
    "StaffProfile",
    "StaffTask",
    "StaffTeam",
    "StaffTeamMembership",
    "StaffUser",
    "TimeStamped",
    "User",
]
