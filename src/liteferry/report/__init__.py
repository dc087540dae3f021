"""The evidence of a run, written for people and for programs: text, JSON, Markdown, HTML.

Layer 1, pure. `summary` is for the terminal, `pages` makes Markdown and HTML, `listings` shows what is known before a
run (findings, plan), `pruning` the rows that do not travel, `inspection` what a source holds; `grouping` puts findings
together, `verdict` says what a run means, `advice` what to do next, `window` how long the application stands still;
`wording` says how figures are written, `charts` draws.

What is named here is imported when it is asked for: a run needs the wording at once, and the rest in the end.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from liteferry.report.inspection import render_inspect_text
    from liteferry.report.listings import render_findings_text, render_plan_text
    from liteferry.report.pages import render_html, render_markdown
    from liteferry.report.pruning import render_pruned_text
    from liteferry.report.summary import render_json, render_text

__all__ = [
    "render_findings_text",
    "render_html",
    "render_inspect_text",
    "render_json",
    "render_markdown",
    "render_plan_text",
    "render_pruned_text",
    "render_text",
]

_HOMES: Final = {
    "render_findings_text": "listings",
    "render_html": "pages",
    "render_inspect_text": "inspection",
    "render_json": "summary",
    "render_markdown": "pages",
    "render_plan_text": "listings",
    "render_pruned_text": "pruning",
    "render_text": "summary",
}


def __getattr__(name: str) -> Any:  # whatever is asked for
    """Import what `__all__` names from where it is."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"liteferry.report.{_HOMES[name]}"), name)
