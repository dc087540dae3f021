"""The application, which listens to what is saved."""

from django.apps import AppConfig


class NotesConfig(AppConfig):
    """Prints, and connects a signal, when it is ready."""

    name = "notes"

    def ready(self) -> None:
        """Listen to every save."""
        from notes import signals

        print("a line that an application prints", signals.__name__)
