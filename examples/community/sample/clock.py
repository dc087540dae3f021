"""Times that depend on the row's number, never on the day of the run."""

import datetime as dt

START = dt.datetime(2021, 3, 1, 8, 0, 0, 123456, tzinfo=dt.UTC)
STEP = dt.timedelta(hours=5, minutes=7, seconds=3, microseconds=1001)


class Clock:
    """Gives the same times in every run."""

    def at(self, number):
        """A time; a larger number is later."""
        return START + STEP * (number % 8000)

    def day(self, number):
        """A date; a larger number is later."""
        return self.at(number).date()

    def time(self, number):
        """A time of day."""
        return self.at(number).time()
