"""What the evidence of models means for a run."""

from __future__ import annotations

import pytest

from liteferry.django_rules.evidence import judge_evidence
from liteferry.project import EvidenceStatus, ModelEvidence


def make_evidence(status: EvidenceStatus) -> ModelEvidence:
    return ModelEvidence(model="app.Model", table="app_model", rows_source=1, rows_target=1, status=status)


@pytest.mark.parametrize(
    ("statuses", "holds"),
    [
        ((), True),
        (("equal",), True),
        (("equal", "skipped"), True),
        (("equal", "different"), False),
        (("failed", "equal"), False),
        (("skipped", "failed", "different"), False),
    ],
)
def test_different_and_failed_models_break_it(statuses: tuple[EvidenceStatus, ...], *, holds: bool) -> None:
    assert judge_evidence(map(make_evidence, statuses)) is holds
