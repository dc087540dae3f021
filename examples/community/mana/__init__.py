"""Mapping and needs assessment: assessments, needs, workshops, surveys."""
