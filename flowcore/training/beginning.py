"""Which weights of one flow another begins with."""
from __future__ import annotations

from ..bijections import VariationalDequantisation
from ..errors import ConfigError
from ..model.flow import Flow

__all__ = ["carried_over"]


def carried_over(before: Flow, after: Flow) -> dict[str, str]:
    """For each name in ``before``'s state dict the name that ``after`` has for it; both may be without memory.

    ``after`` may have a variational dequantisation in front that ``before`` lacks: it starts as uniform noise, so the two are the
    same density until the first step. Noise costs no search while a model learns what is coarse, and is learned in the end.

    Raises:
        ConfigError: if the weights do not fit.
    """
    learned = [bool(flow.layers) and isinstance(flow.layers[0], VariationalDequantisation) for flow in (before, after)]
    offset = 1 if learned == [False, True] else 0
    old, new = before.state_dict(), after.state_dict()
    names = {name: _moved(name, offset) for name in old}
    added = set(new) - set(names.values())
    fits = before.architecture["system"] == after.architecture["system"] and not set(names.values()) - set(new)
    if not fits or any(old[name].shape != new[own].shape for name, own in names.items()):
        raise ConfigError("weights of other sizes")
    if any(not name.startswith("layers.0.") for name in added) or (added and not offset):
        raise ConfigError("weights that are not there")
    return names


def _moved(name: str, offset: int) -> str:
    head, _, rest = name.partition(".")
    number, _, rest = rest.partition(".")
    return f"layers.{int(number) + offset}.{rest}" if head == "layers" else name
