"""What was measured, as Markdown for people and JSON for the next run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .measure import Figure

__all__ = ["Claim", "Section", "Table", "figure_text", "number", "to_json", "to_markdown", "verdict"]


@dataclass(frozen=True)
class Claim:
    """One line of the summary: what the target asks for, and what was found.

    ``value`` is a ratio to the best peer (or another figure, in ``unit``), to be at least ``target``, or at most where
    ``at_most``. Without a target it is only told; without a value it was not measured, and ``note`` says why.
    """

    work: str
    value: float | None
    target: float | None = None
    at_most: bool = False
    peer: str = ""
    ours: str = ""
    unit: str = "×"
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is nothing to hold against each other."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


@dataclass
class Table:
    """Implementations down, works across; a cell is a figure or a few words."""

    title: str
    works: list[str]
    rows: dict[str, dict[str, Figure | str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, row: str, work: str, cell: Figure | str) -> None:
        self.rows.setdefault(row, {})[work] = cell


@dataclass
class Section:
    """One group of rows. ``failures`` are checks that did not hold: their rows were not measured."""

    key: str
    title: str
    text: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    data: dict = field(default_factory=dict)
    seconds: float = 0.0


def number(value: float) -> str:
    """Three significant digits, with no exponent from 0.001 up."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -3:
        return f"{value:.1e}"
    return f"{value:,.{max(0, 2 - size)}f}"


def figure_text(cell: Figure | str | None) -> str:
    """``median [lowest–highest]``, or the words."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if cell.count == 1:
        return number(cell.median)
    return f"{number(cell.median)} [{number(cell.low)}–{number(cell.high)}]"


def verdict(claim: Claim) -> str:
    """Reached, or missed by how many percent of the target."""
    if claim.value is None:
        return claim.note or "not measured"
    if claim.target is None or claim.reached is None:
        return "told for information"
    if claim.reached:
        return "reached"
    if claim.target == 0:
        return f"**missed** by {number(abs(claim.value))} {claim.unit}"
    times = claim.value / claim.target
    return f"**missed** by {100 * abs(times - 1):.0f} %" if times < 10 else f"**missed**: {number(times)} times the target"


def _claim_row(claim: Claim) -> str:
    value = "–" if claim.value is None else number(claim.value) + ("" if claim.unit == "×" else " ") + claim.unit
    target = "–"
    if claim.target is not None:
        bound = "≤ " if claim.at_most else "≥ "
        target = bound + number(claim.target) + ("" if claim.unit == "×" else " ") + claim.unit
    told = verdict(claim)
    if claim.value is not None and claim.note:
        told += f" ({claim.note})"
    return f"| {claim.work} | {claim.peer or '–'} | {claim.ours or '–'} | {value} | {target} | {told} |"


def _table_lines(table: Table) -> list[str]:
    lines = [f"**{table.title}**", "", "| | " + " | ".join(table.works) + " |", "|---|" + "---|" * len(table.works)]
    for name, cells in table.rows.items():
        lines.append(f"| {name} | " + " | ".join(figure_text(cells.get(work)) for work in table.works) + " |")
    return [*lines, "", *table.notes, *([""] if table.notes else [])]


def to_markdown(about: dict, sections: list[Section]) -> str:
    """The whole page. ``about`` has ``machine``, ``versions`` (tables of names and words), ``date`` and ``seconds``."""
    lines = [
        "# Benchmarks", "",
        "Written by `make bench`: do not edit. Every figure is a median, with the lowest and the highest in brackets, over",
        "rounds in which all implementations take turns in one run, on the same work with the same number of threads. A ratio",
        "says how many times better ours is than the best of the peers. Before a row is measured, each implementation is",
        "checked: the parameters of its networks, shapes, the round trip, its log-det against autograd's Jacobian, and for fast",
        "paths of ours that they give what the plain path gives. The same as JSON: [benchmarks.json](benchmarks.json).", "",
        *[f"- {name}: {words}" for name, words in {**about["machine"], **about["versions"]}.items()],
        f"- date: {about['date']}; the whole run took {about['seconds'] / 60:.0f} minutes", "",
        "## Targets", "",
        "| work | best peer | ours | ratio or figure | target | |", "|---|---|---|---|---|---|",
        *[_claim_row(claim) for section in sections for claim in section.claims], "",
    ]  # fmt: skip
    for section in sections:
        lines += [f"## {section.title}", ""]
        for paragraph in section.text:
            lines += [paragraph, ""]
        if section.failures:
            lines += ["Not measured, because a check failed:", "", *[f"- {failure}" for failure in section.failures], ""]
        for table in section.tables:
            lines += _table_lines(table)
        for paragraph in section.after:
            lines += [paragraph, ""]
    return "\n".join(lines).rstrip() + "\n"


def _plain(value):
    if isinstance(value, Figure):
        return value.to_dict()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def to_json(about: dict, sections: list[Section]) -> str:
    """Everything that the page is made from."""
    groups = {}
    for section in sections:
        groups[section.key] = {
            "title": section.title, "seconds": round(section.seconds, 1), "failures": section.failures,
            "claims": [{**asdict(claim), "reached": claim.reached} for claim in section.claims],
            "tables": [{"title": table.title, "rows": table.rows} for table in section.tables], "data": section.data,
        }  # fmt: skip
    return json.dumps(_plain({"format": 1, **about, "groups": groups}), indent=1, ensure_ascii=False) + "\n"


def write(folder: Path, about: dict, sections: list[Section]) -> None:
    """docs/benchmarks.md and docs/benchmarks.json."""
    (folder / "benchmarks.md").write_text(to_markdown(about, sections), encoding="utf-8")
    (folder / "benchmarks.json").write_text(to_json(about, sections), encoding="utf-8")
