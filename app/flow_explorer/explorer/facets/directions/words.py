"""How a direction is said: its quality in one short line, its tooltip, its levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow_explorer.i18n import tr

__all__ = ["amount_text", "level_names", "made_words", "quality_tip", "quality_words"]


def quality_words(facts: Mapping[str, Any]) -> str:
    """What a direction is known to do, as a line under its name."""
    quality = facts.get("quality")
    if not isinstance(quality, Mapping):
        return tr("Too few pictures to measure it on")
    share = 100 * float(quality["score"])
    if quality["how"] == "variance":
        return tr("{share} % of the variation of held-out pictures", share=f"{share:.1f}")
    if quality["how"] == "own variance":
        return tr("{share} % of the variation of its own {count} pictures", share=f"{share:.0f}", count=quality["more"])
    if quality["low"] <= 0.5:
        return tr("Not shown to be better than chance ({share} % of pairs)", share=f"{share:.0f}")
    return tr("Tells {share} % of held-out pairs apart", share=f"{share:.0f}")


def quality_tip(facts: Mapping[str, Any]) -> str:
    """The same with all its figures, and the formula."""
    quality = facts.get("quality")
    if not isinstance(quality, Mapping):
        return tr("With fewer than three pictures on a side none can be held out, so nothing can be said of how good it is.")
    if "variance" in quality["how"]:
        return tr("How much of the variation of pictures lies along this axis.\n"
                  "Its share of the variance: Σ (v·(z − m))² / Σ |z − m|²")
    pictures = tr("{more} with and {less} without", more=f"{quality['more']:,}", less=f"{quality['less']:,}")
    return tr("Of one picture with it and one without, how often the projection puts them in order: {score} %, "
              "95 % interval {low} to {high} %, on {pictures} that it was not made from; 50 % is chance.\n"
              "The area under the ROC curve of v·z", score=f"{100 * quality['score']:.1f}", low=f"{100 * quality['low']:.1f}",
              high=f"{100 * quality['high']:.1f}", pictures=pictures)  # fmt: skip


def made_words(facts: Mapping[str, Any]) -> str:
    """How it was made, in one line."""
    made = facts.get("made")
    made = made if isinstance(made, Mapping) else {}
    more, less = (f"{n:,}" if isinstance(n := made.get(side), int) else "?" for side in ("more", "less"))
    data = str(made.get("data") or tr("unknown pictures"))
    if made.get("by") == "axis":
        return tr("A principal axis of {count} pictures ({data})", count=more, data=data)
    return tr("From {more} pictures with and {less} without ({data})", more=more, less=less, data=data)


def level_names(count: int) -> list[str]:
    """Names of a model's levels by number, the finest first."""
    names = [str(count - number) for number in range(count)]
    names[0] = tr("Fine")
    if count > 1:
        names[-1] = tr("Coarse")
    if count == 3:
        names[1] = tr("Middle")
    return names


def amount_text(amount: float) -> str:
    """An amount with its sign, a true minus."""
    return f"{amount:+.1f}".replace("-", "−") if round(amount, 1) else "0"
