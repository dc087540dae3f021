"""Organizations, meetings and partnerships."""
