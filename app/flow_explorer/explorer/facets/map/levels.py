"""The choices of levels that the map offers, in words."""

from __future__ import annotations

from flow_explorer.i18n import tr

__all__ = ["level_options", "level_words"]


def level_words(levels: tuple[int, ...], count: int) -> str:
    """What a choice of levels is called: 0 is the finest of `count`."""
    if not levels or len(levels) == count:
        return tr("All levels")
    if len(levels) == 1:
        names = {0: tr("Finest level"), count - 1: tr("Coarsest level")}
        return names.get(levels[0], tr("Level {number}", number=levels[0] + 1))
    if levels == tuple(range(1, count)):
        return tr("All but the finest")
    return tr("Levels {numbers}", numbers=", ".join(str(level + 1) for level in levels))


def level_options(count: int, also: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], str]]:
    """(levels, words) of what can be chosen for a model of so many levels, and `also` what a saved state asks for."""
    choices: list[tuple[int, ...]] = [()]
    if count > 1:
        if count > 2:
            choices.append(tuple(range(1, count)))
        choices += [(level,) for level in reversed(range(count))]
    also = tuple(level for level in also if level < count)
    if also and also not in choices and len(also) < count:
        choices.append(also)
    return [(levels, level_words(levels, count)) for levels in choices]
