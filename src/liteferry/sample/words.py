"""The words that the sample's texts are made of. Nothing but data; invented, no person or office is meant."""

from __future__ import annotations

from typing import Final

_FIRST_NAMES: Final = (
    "Amina Basilio Carmela Dario Elena Farida Gregorio Hasna Ismael Jocelyn Kadil Liza Manuel Norhaya Omar Pilar "
    "Quirino Rahma Samuel Teresita Usman Vilma Wahida Yusof Zenaida Niño Abdul Corazon Diosdado Ester"
)
_LAST_NAMES: Final = (
    "Abubalan Banzuela Cadawan Dimalanta Enrilayo Guialal Hadjiman Ibrahon Jumawid Kasilag Lumabao Macadat Nuñezal "
    "Opinaldo Pangandal Quiboloyan Rasulman Sangkid Talipasan Usopay Villarama Wagasan Yapao Zamboran"
)
_SUBJECTS: Final = (
    "water supply|farm-to-market road|learning centre|health station|livelihood training|fisheries support|"
    "birth registration|land titling|solar lighting|flood control|school feeding|youth leadership|women's cooperative|"
    "disaster preparedness|cultural heritage|market stalls|seed distribution|skills certification|peace dialogue|"
    "halal enterprise"
)
_ACTIONS: Final = "Assessment of|Support for|Consultation on|Monitoring of|Planning of|Training in|Review of|Rollout of"

FIRST_NAMES: Final = tuple(_FIRST_NAMES.split())
LAST_NAMES: Final = tuple(_LAST_NAMES.split())
SUBJECTS: Final = tuple(_SUBJECTS.split("|"))
ACTIONS: Final = tuple(_ACTIONS.split("|"))
SENTENCES: Final = (
    "The community asked for a follow-up visit before the rainy season.",
    "Coordination with the municipal office is under way.",
    "Figures were validated with the barangay officials.",
    "Access is by boat only from November to February.",
    'Residents call the site "Old Market"; the map shows another name.',
    "Requested: materials, 2 volunteers, transport (approx. ₱12,500).",
    "No further action needed.",
    "See the minutes of the last meeting.\nAttachments: 2",
    "Path on the shared drive: M:\\reports\\field\tvisit",
    "El Niño affected 40 % of the harvest.",
)
QUESTIONS: Final = (
    "How many communities are there in {name}?",
    "Show me the coastal barangays of {name}",
    "Which projects in {name} are delayed?",
    "Salamat po 🙏 — what about {name}?",
    "List the organizations that work in {name}.",
)
LIVELIHOODS: Final = ("farming", "fishing", "trading", "weaving", "transport", "services", "livestock", "mixed")
GROUP_NAMES: Final = (
    "Administrators",
    "Regional coordinators",
    "Provincial coordinators",
    "Encoders",
    "Monitoring officers",
    "Planning officers",
    "Viewers",
)
BROWSERS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/128.0 Mobile",
)
TASKS: Final = (
    "common.tasks.send_reminders",
    "common.tasks.clear_sessions",
    "communities.tasks.refresh_coverage",
    "monitoring.tasks.flag_overdue",
    "mana.tasks.advance_workshops",
    "coordination.tasks.renewal_notices",
    "project_central.tasks.raise_alerts",
    "municipal_profiles.tasks.aggregate",
    "policy_tracking.tasks.digest",
)
SETTINGS: Final = (
    "site.name",
    "site.language",
    "map.tiles",
    "map.default_zoom",
    "mail.sender",
    "uploads.limit_mb",
    "reports.footer",
    "features.assistant",
)
OFFICES: Final = ("Fisheries Office", "Foundation", "Planning Office", "State College", "Cooperative", "Health Office")
CHOICES: Final = {
    "priority": ("low", "medium", "high", "critical"),
    "status": ("draft", "active", "completed"),
    "sector": ("economic", "social", "infrastructure", "environment", "governance"),
    "funding_source": ("general", "local", "donor"),
    "appropriation_class": ("ps", "mooe", "co"),
    "request_status": ("submitted", "under_review", "approved"),
    "budget_currency": ("PHP",),
    "unit": ("persons", "households", "percent", "hectares"),
    "timezone": ("Asia/Manila",),
    "fiscal_year": ("2024", "2025", "2026"),
    "goal_type": ("sectoral", "regional"),
    "framework": ("national", "regional"),
    "category": ("planning", "field", "finance"),
    "category_type": ("needs", "baseline"),
    "position": ("Officer", "Coordinator", "Encoder", "Analyst"),
    "position_classification": ("Officer I", "Officer II", "Analyst I"),
    "primary_location": ("Head office", "Field office"),
    "partnership_level": ("strategic", "operational"),
    "venue": ("Municipal hall", "Covered court", "Head office"),
    "location": ("Head office", "Field office"),
    "icon": ("map", "users", "book"),
    "color": ("#1f77b4", "#2ca02c", "#d62728"),
    "department": ("Planning", "Field operations"),
}
