"""No addresses; but what is behind them has a model."""

from signs import views

urlpatterns = []
