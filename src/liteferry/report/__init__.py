"""The evidence of a run, written for people and for programs: text, JSON, Markdown, HTML.

Layer 1, pure. `summary` is for the terminal, `pages` makes Markdown and HTML, `listings` shows what is known before a
run (findings, plan), `pruning` the rows that do not travel, `inspection` what a source holds; `grouping` puts findings
together, `verdict` says what a run means, `advice` what to do next, `window` how long the application stands still;
`wording` says how figures are written, `charts` draws.
"""

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
