"""Places, people, the calendar and the logs that every other app uses."""
