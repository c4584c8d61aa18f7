"""docs/translation.md, from what `make translation` measured."""

from __future__ import annotations

__all__ = ["CHANGES", "FLOORS", "GOAL_KEPT", "GOAL_TAKEN", "NEAREST", "NO_CHANGE", "PIXELS", "to_markdown"]

GOAL_TAKEN, GOAL_KEPT = 0.85, 0.70
CHANGES = {"smile": "sad, angry or agape → smile", "beard": "no beard → beard", "skin": "light → dark skin"}
"""Of avatars, as ``toon_heads.CHANGES`` calls them, and in words."""
NO_CHANGE, NEAREST, PIXELS = FLOORS = "no change", "the nearest of B", "mean shift of pixels"
"""What knows no flow, and a flow should beat."""


def to_markdown(found: dict) -> str:
    """docs/translation.md."""
    lines = [
        "# From pile A to pile B", "",
        "Written by `make translation`: do not edit. *Taken for B*: the share of translated test pictures that a classifier,",
        "trained on other pictures than the method saw, takes for pile B. *Kept*: mean structural similarity to the original.",
        f"Both with 95 % intervals (bootstrap over the pictures). Goals for faces: {GOAL_TAKEN:.0%} and {GOAL_KEPT:.2f}. Every",
        "method has one strength for all tasks of a model, chosen on validation pictures; so was the unpaired method in bold.",
        "*Cycle*: the largest difference after A → B → A, as a share of the range.", "",
    ]  # fmt: skip
    for name, group in found["groups"].items():
        lines += _avatar_lines(group) if name == "avatars" else _group_lines(name, group)
    return "\n".join(lines)


def _group_lines(name: str, group: dict) -> list[str]:
    lines = [f"## {name.capitalize()}", ""]
    for judge in group["classifiers"]:
        low, high = judge["interval"]
        ends = "; ".join(f"{task}: {end['real_b_taken']:.0%} and {end['untouched_a_taken']:.0%}"
                         for task, end in judge["tasks"].items())  # fmt: skip
        lines += [f"A classifier is right on {judge['accuracy']:.1%} ({low:.1%} to {high:.1%}) of {judge['count']:,} held-out",
                  f"pictures. It takes for B of real B pictures, and of A's left as they are: {ends}.", ""]  # fmt: skip
    lines += ["| | method | strength | taken for B | kept | cycle | |", "|---|---|---|---|---|---|---|"]
    for row in group["rows"]:
        # A boot keeps little of a sneaker: the goals are those of faces.
        missed = [word for word, bad in (("taken", row["taken"] < GOAL_TAKEN), ("kept", row["kept"] < GOAL_KEPT)) if bad]
        verdict = "" if name != "faces" else f"**missed**: {' and '.join(missed)}" if missed else "reached"
        method = f"**{row['method']}**" if row["method"] == group["best"] else row["method"]
        taken, kept = row["taken_interval"], row["kept_interval"]
        lines.append(
            f"| {row['task']} | {method} | {row['strength']:g} | {row['taken']:.1%} ({taken[0]:.0%} to {taken[1]:.0%}) |"
            f" {row['kept']:.3f} ({kept[0]:.3f} to {kept[1]:.3f}) | {row['cycle_error']:.0e} | {verdict} |"
        )
    return [*lines, ""]


def _avatar_lines(group: dict) -> list[str]:
    rows = group["rows"]
    lines = [
        "## Avatars", "",
        "Drawn heads, of which the true counterpart is known: the same drawing with a smile, a full beard or a darker skin, and",
        "everything else as it was. Distance to it: mean absolute difference of all pixels, in grey levels of 255, over",
        f"{rows[0]['count']} test avatars a change. The first three methods know no flow; the nearest of B is so in pixels. Each",
        f"learned from two piles of {group['pile']:,} other avatars at most, and was not told what they differ in. A method has",
        "one strength for all three, at which on validation it comes nearest to the counterparts, as a share of no change.", "",
        "| | method | strength | distance to the true counterpart |", "|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        strength = "–" if row["strength"] is None else f"{row['strength']:g}"
        method = f"**{row['method']}**" if row["method"] == group["best"] else row["method"]
        low, high = row["interval"]
        lines.append(f"| {CHANGES[row['task']]} | {method} | {strength} | {row['distance']:.3f} ({low:.3f} to {high:.3f}) |")
    verdicts = []
    for task, words in CHANGES.items():
        found = {row["method"]: row["distance"] for row in rows if row["task"] == task}
        missed = [floor for floor in FLOORS if found[group["best"]] >= found[floor]]
        short = f"**missed**: not better than {' and '.join(missed)}"
        verdicts.append(f"{words}: {short if missed else 'beats all three'}")
    return [*lines, "", "The unpaired fit that was best on validation. " + ". ".join(verdicts) + ".", ""]
