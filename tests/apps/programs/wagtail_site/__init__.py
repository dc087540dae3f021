"""An application of a site of Wagtail's users, copied into what `wagtail start` makes."""
