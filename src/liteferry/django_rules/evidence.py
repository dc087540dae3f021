"""What the evidence of a project's models means for a run.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liteferry.project import ModelEvidence


def judge_evidence(evidence: Iterable[ModelEvidence]) -> bool:
    """Whether no model is different in PostgreSQL, and none failed there. Pure.

    A model that was skipped decides nothing: its evidence says why, and the proof compared its table.
    """
    return all(found.status in ("equal", "skipped") for found in evidence)
