"""Optuna, used through its own interface. Run by the Python of Optuna's own virtual environment.

optuna_app.py fill URL      studies and trials of every kind
optuna_app.py dump URL      everything that Optuna reads, as JSON
optuna_app.py use URL       go on working, and read that back
"""

from __future__ import annotations

import math
import sys
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from printing import as_json, write_json

CHOICES = (None, True, False, 3, -2.5, "Ünïcödé 漢字 🦀", "", 'it\'s "quoted"\\n\nsecond line\ttab')
DOUBLES = (0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1e22, 123456789.123, 2.0**53 + 2, -1e-300)
LONG = "Zürich, 北京, naïve 🚀; " * 1000


def open_storage(url: str) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(url, heartbeat_interval=3600)  # records a heartbeat for every trial


def objective(trial: optuna.Trial) -> float:
    """Ends in each of the ways that a trial can end, by its number."""
    x: float = trial.suggest_float("x", -10, 10)
    trial.suggest_float("learning rate", 1e-300, 1e-3, log=True)
    trial.suggest_float("stepped", 0, 1, step=0.125)
    trial.suggest_int("layers", -(2**31), 2**31)
    trial.suggest_int("units", 1, 4096, log=True)
    trial.suggest_categorical("choice", CHOICES)
    for step, value in enumerate((x, math.nan, math.inf, -math.inf, *DOUBLES)):
        trial.report(value, step * 1000)
    trial.set_user_attr("notes", {"text": LONG, "list": [1, 2.5, None, True], "größe": "µ"})
    kind = trial.number % 6
    if kind == 1:
        raise optuna.TrialPruned
    if kind == 2:
        raise ValueError("this one fails: ünïcödé")
    if kind == 3:
        return math.nan  # Optuna takes it for a failure
    if kind == 4:
        return math.inf
    return x * x


def fill(url: str) -> None:
    storage = open_storage(url)
    sampler = optuna.samplers.RandomSampler(seed=7)
    study = optuna.create_study(storage=storage, study_name="minimise x² - Ünïcödé 漢字", sampler=sampler)
    study.set_user_attr("owner", {"name": "Zoë", "tags": ["a", "b"], "nothing": None})
    study.set_metric_names(["loss"])
    study.optimize(objective, n_trials=24, catch=(ValueError,))

    passing = optuna.create_study(storage=storage, study_name="to be deleted")
    passing.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    optuna.delete_study(study_name="to be deleted", storage=storage)  # leaves gaps in the numbering

    pareto = optuna.create_study(
        storage=storage, study_name="two aims", directions=["minimize", "maximize"], sampler=sampler
    )
    for first in DOUBLES:
        pareto.add_trial(
            create_trial(
                values=[first, -math.inf],
                params={"flag": True, "depth": 3, "rate": 5e-324},
                distributions={
                    "flag": CategoricalDistribution((True, False)),
                    "depth": IntDistribution(0, 9, step=3),
                    "rate": FloatDistribution(0, 1),
                },
                user_attrs={"first": repr(first)},
                system_attrs={"constraints": [0.0, -1.5]},
            )
        )

    waiting = optuna.create_study(storage=storage, study_name="m" * 512, direction="maximize")  # the longest name
    waiting.enqueue_trial({"x": 0.5}, user_attrs={"why": "queued"})
    waiting.ask()  # takes the queued one; it stays running
    waiting.enqueue_trial({"x": 0.75})
    optuna.create_study(storage=storage, study_name="empty")


def describe_trial(trial: Any) -> dict[str, Any]:
    return {
        "id": trial._trial_id,
        "number": trial.number,
        "state": trial.state,
        "values": trial.values,
        "began": trial.datetime_start,
        "ended": trial.datetime_complete,
        "params": trial.params,
        "distributions": {name: repr(each) for name, each in trial.distributions.items()},
        "intermediate": {str(step): value for step, value in trial.intermediate_values.items()},
        "user": trial.user_attrs,
        "system": trial.system_attrs,
    }


def dump(url: str) -> dict[str, Any]:
    storage = open_storage(url)
    studies = []
    for frozen in sorted(storage.get_all_studies(), key=lambda each: each._study_id):
        study = optuna.load_study(study_name=frozen.study_name, storage=storage)
        studies.append(
            {
                "id": frozen._study_id,
                "name": frozen.study_name,
                "directions": frozen.directions,
                "user": frozen.user_attrs,
                "system": frozen.system_attrs,
                "metric names": study.metric_names,
                "trials": [describe_trial(trial) for trial in study.get_trials()],
                "best": [trial.number for trial in study.best_trials] if study.get_trials() else [],
            }
        )
    return {"studies": studies, "version": storage.get_current_version(), "head": storage.get_head_version()}


def use(url: str) -> dict[str, Any]:
    """Write as a user would: each number that the database gives out must be a new one."""
    storage = open_storage(url)
    before = dump(url)
    used = {trial["id"] for study in before["studies"] for trial in study["trials"]}
    study = optuna.load_study(
        study_name="minimise x² - Ünïcödé 漢字", storage=storage, sampler=optuna.samplers.RandomSampler(seed=8)
    )
    study.optimize(objective, n_trials=6, catch=(ValueError,))
    new = study.get_trials()[24:]
    assert [trial.number for trial in new] == list(range(24, 30))
    assert not used & {trial._trial_id for trial in new}
    assert [trial.state for trial in new] == [
        TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE,
        TrialState.COMPLETE,
    ]  # fmt: skip
    values = list(new[0].intermediate_values.values())
    assert repr(values[1:]) == repr([math.nan, math.inf, -math.inf, *DOUBLES])

    waiting = optuna.load_study(study_name="m" * 512, storage=storage)
    queued = waiting.ask()
    assert queued.suggest_float("x", 0, 1) == 0.75
    waiting.tell(queued, 12.5)
    assert waiting.best_value == 12.5

    added = optuna.create_study(storage=storage, study_name="made after the move")
    assert added._study_id not in {each["id"] for each in before["studies"]}
    added.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    study.set_user_attr("owner", "someone else")
    optuna.delete_study(study_name="two aims", storage=storage)
    after = dump(url)
    assert [each["name"] for each in after["studies"]] == [
        *(each["name"] for each in before["studies"] if each["name"] != "two aims"),
        "made after the move",
    ]
    assert as_json(after["studies"][0]["trials"][:24]) == as_json(before["studies"][0]["trials"])
    return after


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    command, url = sys.argv[1:]
    if command == "fill":
        fill(url)
    else:
        write_json({"dump": dump, "use": use}[command](url))
