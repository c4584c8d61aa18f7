"""A list of modules that says of what kind they are: to torch an ``nn.ModuleList``, to a type checker a sequence of the kind."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from torch import Tensor, nn

__all__ = ["Modules", "bias_of"]

if TYPE_CHECKING:
    M = TypeVar("M", bound=nn.Module)

    class Modules(nn.ModuleList, Sequence[M]):
        """torch's own list says of each of its members no more than that it is a module."""

        def __init__(self, modules: Iterable[M] = ()) -> None: ...

        def __iter__(self) -> Iterator[M]: ...

        def __reversed__(self) -> Iterator[M]: ...

        @overload
        def __getitem__(self, idx: int) -> M: ...

        @overload
        def __getitem__(self, idx: slice) -> Modules[M]: ...

        def __getitem__(self, idx: int | slice) -> M | Modules[M]: ...

else:
    Modules = nn.ModuleList


def bias_of(layer: nn.Linear | nn.Conv2d) -> Tensor:
    """The bias of a layer that was made with one, which torch gives as one that may be missing."""
    bias = layer.bias
    assert bias is not None
    return bias
