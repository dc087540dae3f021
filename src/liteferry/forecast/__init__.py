"""What the window of a move consists of, and how long it is going to be.

Layer 1, pure. `spans` names the parts of what was measured, and says which of it is the window; `work` counts what a
plan has to do; `rates` holds what things usually take, as data and nowhere else; `predicting` puts them together.
"""

from liteferry.forecast.predicting import Machine, Past, judge_machine, predict_from_past, predict_from_rates
from liteferry.forecast.spans import add_work, measure_window, name_part
from liteferry.forecast.work import weigh_plan

__all__ = [
    "Machine",
    "Past",
    "add_work",
    "judge_machine",
    "measure_window",
    "name_part",
    "predict_from_past",
    "predict_from_rates",
    "weigh_plan",
]
