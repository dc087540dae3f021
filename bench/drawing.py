"""The figures as Markdown tables and as a drawn chart. Pure: from the results' JSON to text, and nothing else."""

from __future__ import annotations

from html import escape
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from figures import judge_targets
from losses import COUNTED
from peers import ADBC, DUCKDB, FLOOR_ONE, FLOOR_TWO, LITEFERRY, PGLOADER, PSYCOPG, UNPROVEN
from workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Results = dict[str, Any]
SHORT: Final = {
    LITEFERRY: "liteferry, every value proven",
    UNPROVEN: "liteferry --no-verify",
    PGLOADER: "pgloader",
    DUCKDB: "DuckDB (rows alone)",
    ADBC: "ADBC (rows alone)",
    PSYCOPG: "sqlite3 and psycopg (schema given)",
    FLOOR_ONE: "floor: the server alone, one connection",
    FLOOR_TWO: "floor: the server alone, two connections",
}
PHASES: Final = {"load": "load and index", "constraints": "foreign keys"}
MARK: Final = "<!-- {}bench:{} -->"
_ROW: Final = 21
_LEFT: Final = 270
_WIDTH: Final = 800
_SORTS: Final = {LITEFERRY: "own", UNPROVEN: "light", FLOOR_ONE: "floor", FLOOR_TWO: "floor"}
_BARS: Final = 430  # the longest bar; its label is to the right of it


def say_seconds(value: float) -> str:
    """Seconds with three digits, or two decimals. Pure."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def say_spread(found: dict[str, float] | None, say: Callable[[float], str] = say_seconds) -> str:
    """A median with least and most, "" where there is none. Pure."""
    if found is None:
        return ""
    least, middling, most = (say(found[name]) for name in ("least", "median", "most"))
    return middling if least == most else f"{middling} ({least} to {most})"


def say_ratio(value: float) -> str:
    """A ratio. Pure."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write_table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table, its first columns to the left and the others to the right. Pure."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * left + "---:|" * (len(heads) - left)]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)])


def list_measured(results: Results) -> list[tuple[str, Any]]:
    """The workloads whose times count, in the order of the definitions. Pure."""
    return [(n, results["workloads"][n]) for n, w in WORKLOADS.items() if w.measured and n in results["workloads"]]


def write_machine(results: Results) -> str:
    """The machine, the versions and the settings. Pure."""
    machine, versions = results["machine"], results["versions"]
    peers = ", ".join(f"{name} {version}" for name, version in versions["peers"].items())
    settings = ", ".join(f"`{name} = {value}`" for name, value in results["server_settings"].items())
    days = sorted({figures["measured_at"][:10] for figures in results["workloads"].values()})
    commits = sorted({figures["commit"] for figures in results["workloads"].values()})
    loads = [
        turn["load_average"] for f in results["workloads"].values() for w in f["ways"].values() for turn in w["turns"]
    ]
    own = [f["ways"][LITEFERRY]["turns"][-1] for f in results["workloads"].values() if LITEFERRY in f["ways"]]
    parts = sorted({turn["compiled"] for turn in own if turn.get("compiled") is not None})
    built = [f"{' or '.join(str(count) for count in parts)} of 4 parts compiled"] if parts else []
    loaded = f"load average when a run began: {min(loads):.1f} to {max(loads):.1f}"
    used = f"PostgreSQL {versions['postgresql']}, SQLite {versions['sqlite']}, Python {versions['python']}"
    lines = [
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB of memory",
        f"- system: {machine['system']}; {loaded}",
        f"- measured: {', '.join(days)}, liteferry {versions['liteferry']} ({', '.join([*commits, *built])})",
        f"- versions: {used}; {peers}",
        f"- server: the embedded one, as it is by default: {settings}",
    ]
    options = results["options"]
    lines.append(f"- rounds: {options['rounds']}; a way was stopped after {options['timeout_s']:.0f} s")
    if options["scale"] != 1:
        lines.append(f"- **a quick run**: the workloads at {options['scale']:g} of their size")
    lines += [f"- {said}" for said in results["left_out"].values()]
    return "\n".join(lines)


def write_times(results: Results) -> str:
    """A table a workload: what each way took, beside liteferry. Pure."""
    parts = []
    for name, figures in list_measured(results):
        size = figures["size"]
        noun = "table" if size["tables"] == 1 else "tables"
        told = f"{size['rows']:,} rows in {size['tables']:,} {noun}, {size['bytes'] / 1e6:,.0f} MB"
        rows = []
        for way, found in figures["ways"].items():
            if found["elapsed_s"] is None:
                rows.append([SHORT[way], say_failure(found), "", "", "", "", ""])
                continue
            rows.append(
                [
                    SHORT[way],
                    say_spread(found["elapsed_s"]),
                    say_spread(found["rows_s"]),
                    say_spread(found["ratio_to_unproven"], say_ratio),
                    say_spread(found["ratio_to_proven"], say_ratio),
                    f"{found['cpu_s']['median']:.1f}" if found["peak_mb"] else "",
                    f"{found['peak_mb']:,.0f}" if found["peak_mb"] else "",
                ]
            )
        heads = ["way", "whole run, s", "rows, s", "to liteferry, unproven", "to liteferry, proven"]
        table = write_table([*heads, "its processor, s", "its memory, MB"], rows)
        parts.append(f"### {WORKLOADS[name].title}\n\n{told}.\n\n{table}")
    return "\n\n".join(parts)


def say_failure(found: dict[str, Any]) -> str:
    """The last words of a way that failed, in one line, without names of passing files. Pure."""
    said = " ".join(found["turns"][-1]["said"].split())
    said = said if found["outcome"] == "stopped" else f"failed: {said}"
    return said if len(said) <= 120 else f"{said[:119]}…"


def write_phases(results: Results) -> str:
    """What liteferry's time went into, and what the server alone needs. Pure."""
    measured = list_measured(results)
    rows, names = [], list[str]()
    for _, figures in measured:
        names += [phase for phase in figures["ways"].get(LITEFERRY, {}).get("phases", ()) if phase not in names]
    for name, figures in measured:
        found = figures["ways"].get(LITEFERRY)
        if found and found["elapsed_s"]:
            cells = [say_seconds(found["phases"][phase]) if phase in found["phases"] else "" for phase in names]
            floor = find_floor(figures["ways"])
            cells += [say_seconds(found["elapsed_s"]["median"]), say_seconds(floor) if floor else ""]
            rows.append([name, *cells])
    return write_table(["workload", *(PHASES.get(phase, phase) for phase in names), "whole run", "floor"], rows)


def find_floor(ways: dict[str, Any]) -> float | None:
    """The floor's seconds, with as many connections as are faster; None where it was not measured. Pure."""
    floors = [ways[way]["elapsed_s"]["median"] for way in (FLOOR_ONE, FLOOR_TWO) if ways.get(way, {}).get("elapsed_s")]
    return min(floors, default=None)


def write_targets(results: Results) -> str:
    """What was aimed at, what was measured, and where the time went where that was missed. Pure."""
    rows, reasons = [], []
    for target in judge_targets(results["workloads"]):
        aim = f"at most {-target['aim']:g}" if target["aim"] < 0 else f"at least {target['aim']:g}"
        said = {True: "yes", False: "**no**", None: "not measured"}[target["reached"]]
        rows.append([target["workload"], target["what"], aim, say_spread(target["measured"], say_ratio), said])
        if target["reached"] is False:
            reasons.append(f"- {target['workload']}, {target['what']}: {explain_miss(target, results)}")
    table = write_table(["workload", "ratio", "aimed at", "measured", "reached"], rows, left=2)
    return (
        "\n".join([table, "", "What stands in the way, where it was not reached:", "", *reasons]) if reasons else table
    )


def explain_miss(target: dict[str, Any], results: Results) -> str:
    """Where the time of a run went that took longer than was aimed at. Pure."""
    ways = results["workloads"][target["workload"]]["ways"]
    own, other, key = ways[target["own"]], ways[target["other"]], target["time"]
    took, theirs = own[key]["median"], other[key]["median"]
    allowed = theirs * -target["aim"] if target["aim"] < 0 else theirs / target["aim"]
    parts = [f"{say_seconds(took)} s, where {say_seconds(allowed)} s were aimed at"]
    if key == "elapsed_s":
        phases = sorted(own["phases"].items(), key=lambda phase: -phase[1])
        rest = took - sum(own["phases"].values())
        named = [(PHASES.get(name, name), seconds) for name, seconds in phases] + [("start and reports", rest)]
        shown = [f"{name} {say_seconds(seconds)} s" for name, seconds in named if seconds >= took / 20]
        parts.append(", ".join(shown))
        if floor := find_floor(ways):
            parts.append(f"the server alone needs {say_seconds(floor)} s")
    return "; ".join(parts)


def write_losses(results: Results) -> str:
    """What each way lost, over all workloads, and which types it flattened. Pure."""
    found: dict[str, dict[str, list[int]]] = {}
    flattened: dict[str, set[str]] = {}
    unfinished: dict[str, list[str]] = {}
    for name, figures in results["workloads"].items():
        for way, measured in figures["ways"].items():
            if measured.get("lost") is None:
                continue
            if measured["outcome"] != "done":  # what it had not come to yet was not lost on the way
                unfinished.setdefault(way, []).append(f"{name} ({measured['outcome']})")
                continue
            for what in COUNTED:
                pair = found.setdefault(way, {}).setdefault(what, [0, 0])
                for i in (0, 1):
                    pair[i] += measured["lost"][what][i]
            flattened.setdefault(way, set()).update(measured["lost"]["flattened"])
    ways = [way for way in SHORT if way in found]
    rows = []
    for what, said in COUNTED.items():
        cells = []
        for way in ways:
            lost, had = found[way][what]
            cells.append(f"{lost:,} of {had:,}" if lost else "0")
        rows.append([said, *cells])
    rows.append(["not counted", *("; ".join(unfinished.get(way, [])) for way in ways)])
    table = write_table(["lost", *ways], rows)
    lines = [f"- {way}: {', '.join(sorted(flattened[way]))}" for way in ways if flattened[way]]
    return "\n".join([table, "", "Types that were flattened:", "", *(lines or ["- none"])])


def write_prediction(results: Results) -> str:
    """What `check` and `rehearse` said how long the window would be, and how long it was. Pure."""
    rows = []
    for name, figures in list_measured(results):
        turns = figures["ways"].get(LITEFERRY, {}).get("turns", ())
        windows = [turn["window_s"] for turn in turns if turn["status"] == 0 and turn["window_s"] is not None]
        for command, found in (figures.get("prediction") or {}).items():
            if windows:
                measured, likely = median(windows), found["likely_s"]
                within = "yes" if found["low_s"] <= measured <= found["high_s"] else "**no**"
                said = f"{say_seconds(likely)} ({say_seconds(found['low_s'])} to {say_seconds(found['high_s'])})"
                rows.append([name, command, said, say_seconds(measured), f"{measured / likely - 1:+.0%}", within])
    if not rows:
        return "No prediction was made in this run."
    heads = ["workload", "by", "predicted, s (bounds)", "measured, s", "measured to predicted", "within the bounds"]
    return write_table(heads, rows, left=2)


def write_summary(results: Results) -> str:
    """A few rows for the front page. Pure."""
    rows = []
    for name, figures in list_measured(results):
        ways = figures["ways"]
        if name in {"wide", "shape", "existing"} and LITEFERRY in ways:  # those that the targets name
            times = [ways.get(way, {}).get("elapsed_s") for way in (LITEFERRY, UNPROVEN, PGLOADER)]
            ratio = say_spread(ways.get(PGLOADER, {}).get("ratio_to_proven"), say_ratio)
            rows.append(
                [WORKLOADS[name].title, *(f"{say_seconds(time['median'])} s" if time else "" for time in times), ratio]
            )
    machine, versions = results["machine"], results["versions"]
    heads = ["", "liteferry, proven", "`--no-verify`", "pgloader", "pgloader to liteferry, proven"]
    peers = versions["peers"].get("pgloader", "")
    told = (
        f"Measured on {machine['cores']} cores of {machine['cpu']}, PostgreSQL {versions['postgresql']} on the same"
        f" machine, pgloader {peers}; medians, the ratio with its spread."
    )
    if results["options"]["scale"] != 1:
        told += f" A quick run, at {results['options']['scale']:g} of the sizes named."
    return f"{write_table(heads, rows)}\n\n{told}"


def write_django(results: Results) -> str:
    """The Django project's tables, as its own measurement wrote them. Pure."""
    django = results.get("django")
    return django["table"].strip() if django else "The Django project was not measured in this run."


BLOCKS: Final[dict[str, Callable[[Results], str]]] = {
    "machine": write_machine,
    "times": write_times,
    "phases": write_phases,
    "targets": write_targets,
    "losses": write_losses,
    "prediction": write_prediction,
    "summary": write_summary,
    "django": write_django,
}


def fill_blocks(page: str, results: Results) -> str:
    """A page with its blocks written anew; what is between the marks is nobody's but the bench's. Pure."""
    for name, write in BLOCKS.items():
        if MARK.format("", name) in page:
            page = fill_block(page, name, write(results))
    return page


def fill_block(page: str, name: str, text: str) -> str:
    """A page with one of its blocks written anew. Pure."""
    begin, end = MARK.format("", name), MARK.format("/", name)
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def draw_chart(results: Results) -> str:
    """The times as bars, a panel a workload, with least and most. Readable on light and dark pages. Pure."""
    body: list[str] = []
    top = 16
    if results["options"]["scale"] != 1:
        said = f"A quick run: the workloads at {results['options']['scale']:g} of their size"
        body.append(f'<text class="faint" x="16" y="{top + 12}">{escape(said)}</text>')
        top += 26
    for name, figures in list_measured(results):
        ways = figures["ways"]
        body.append(f'<text class="title" x="16" y="{top + 14}">{escape(WORKLOADS[name].title)}</text>')
        top += 26
        longest = max((way["elapsed_s"]["most"] for way in ways.values() if way["elapsed_s"]), default=1.0)
        for way, found in ways.items():
            middle = top + _ROW / 2
            body.append(f'<text x="{_LEFT - 8}" y="{middle + 4:g}" text-anchor="end">{escape(SHORT[way])}</text>')
            if found["elapsed_s"] is None:
                said = say_failure(found).split(":")[0]
                body.append(f'<text class="faint" x="{_LEFT}" y="{middle + 4:g}">{escape(said)}</text>')
            else:
                seconds = found["elapsed_s"]
                least, middling, most = (_BARS * seconds[key] / longest for key in ("least", "median", "most"))
                place = f'x="{_LEFT}" y="{top + 3}" width="{max(middling, 1):.1f}" height="15"'
                body.append(f'<rect class="{_SORTS.get(way, "peer")}" {place} rx="2"/>')
                body.append(f'<path class="range" d="M{_LEFT + least:.1f} {middle:g}H{_LEFT + most:.1f}"/>')
                body.append(
                    f'<text x="{_LEFT + most + 8:.1f}" y="{middle + 4:g}">{say_seconds(seconds["median"])} s</text>'
                )
            top += _ROW
        top += 18
    inner = {"inner_width": _WIDTH - 1, "inner_height": top - 1}
    return _CHART.format(width=_WIDTH, height=top, **inner, body="\n".join(body))


_CHART: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-label="How long each way took, by workload">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #24292f; }}
.title {{ font-weight: 600; font-size: 13px; }}
.faint {{ fill: #6e7781; }}
.page {{ fill: #ffffff; stroke: #d0d7de; }}
.own {{ fill: #00796b; }} .light {{ fill: #4db6ac; }} .peer {{ fill: #9aa4ae; }}
.floor {{ fill: #ffffff; stroke: #9aa4ae; stroke-dasharray: 3 2; }}
.range {{ stroke: #24292f; stroke-width: 1.5; fill: none; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }}
.faint {{ fill: #9198a1; }}
.page {{ fill: #161b22; stroke: #3d444d; }}
.own {{ fill: #26a69a; }} .light {{ fill: #80cbc4; }} .peer {{ fill: #6e7681; }}
.floor {{ fill: #161b22; stroke: #8b949e; }}
.range {{ stroke: #e6edf3; }}
}}
</style>
<rect class="page" x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="8"/>
{body}
</svg>
"""
