"""The pages of the site."""

urlpatterns = []
