"""The pretend device: a tensor subclass that holds a real CPU tensor.

To torch's C++ it is a tensor of the CPU, so that autograd and the optimisers run as they are; to Python its ``device`` is the
pretended one. What a real device would refuse is refused where Python calls an operator (``__torch_dispatch__``); where a
device is *named*, a mode of torch functions (:class:`Pretence`) makes or moves the tensor.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing

__all__ = ["Pretence", "PretendTensor", "WaitedError", "no_waiting", "pretend"]

CPU = torch.device("cpu")
PRETENDED = ("cuda", "mps")

ACROSS = {"aten::copy_", "aten::_to_copy"}
"""Operators whose tensors may be on two devices."""
INDEXING = {"aten::index.Tensor", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_", "aten::_unsafe_index.Tensor"}
"""They take their indices from the CPU too."""
WAITING = {
    "aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero", "aten::bincount",
    "aten::_unique2", "aten::unique_dim", "aten::unique_consecutive", "aten::repeat_interleave.Tensor",
}  # fmt: skip
"""Operators after which the CPU knows a number, or a shape, that the device has computed."""
FACTORIES = {
    torch.arange, torch.empty, torch.empty_strided, torch.eye, torch.full, torch.linspace, torch.logspace, torch.ones,
    torch.rand, torch.randint, torch.randn, torch.randperm, torch.tensor, torch.as_tensor, torch.zeros, torch.zeros_like,
    torch.ones_like, torch.empty_like, torch.full_like, torch.rand_like, torch.randn_like, torch.scalar_tensor,
}  # fmt: skip
NEW = {"new_zeros", "new_ones", "new_empty", "new_full", "new_tensor", "new_empty_strided"}

_state = threading.local()


class WaitedError(AssertionError):
    """The CPU waited for the device where it must not."""


@contextlib.contextmanager
def no_waiting() -> Iterator[None]:
    """What makes the CPU wait for the device raises in here."""
    before, _state.hurried = getattr(_state, "hurried", False), True
    try:
        yield
    finally:
        _state.hurried = before


def _waits(what: str) -> None:
    if getattr(_state, "hurried", False):
        raise WaitedError(f"{what} waits for the device.")


class PretendTensor(torch.Tensor):
    """Holds ``held``, on the CPU, and says that it is on ``device``."""

    held: torch.Tensor
    where: torch.device

    @staticmethod
    def __new__(cls, held: torch.Tensor, where: torch.device) -> PretendTensor:
        assert type(held) is torch.Tensor, type(held)
        if where.type == "mps" and held.dtype in (torch.float64, torch.complex128):
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. "
                "Please use float32 instead."
            )
        made = torch.Tensor._make_wrapper_subclass(  # pyright: ignore[reportAttributeAccessIssue]
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            layout=held.layout, device=CPU, requires_grad=held.requires_grad,
        )  # fmt: skip
        made.held, made.where = held.detach() if held.requires_grad else held, where
        return made

    @property
    def device(self) -> torch.device:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.where

    @property
    def is_cuda(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.where.type == "cuda"

    @property
    def is_cpu(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return False

    @property
    def is_mps(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.where.type == "mps"

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def get_device(self) -> int:
        return self.where.index

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError(
            f"can't convert {self.where} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    def tolist(self) -> Any:
        _waits("tolist()")
        return self.held.tolist()

    # Torch reads a number of what it takes for a CPU's tensor at its address, where there is nothing.

    def item(self) -> Any:
        _waits("item()")
        return self.held.item()

    def __bool__(self) -> bool:
        _waits("bool()")
        return bool(self.held)

    def __float__(self) -> float:
        _waits("float()")
        return float(self.held)

    def __int__(self) -> int:
        _waits("int()")
        return int(self.held)

    def __index__(self) -> int:
        _waits("int()")
        return self.held.__index__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = PretendTensor(self.held.clone(), self.where).requires_grad_(self.requires_grad)
        if isinstance(self, torch.nn.Parameter):
            made = torch.nn.Parameter(made, requires_grad=self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self, *_: Any, **__: Any) -> str:
        return f"PretendTensor({self.held!r}, device={str(self.where)!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        where = _common_device(func, args, kwargs)
        if func.name() in WAITING:
            _waits(func.name())
        seen = getattr(_state, "seen", None)
        if seen is not None:
            seen.setdefault(where.type, set()).add(func.name().removeprefix("aten::"))
        kwargs = {key: value for key, value in kwargs.items() if key != "device"}
        result = func(*_each(_bare, args), **{key: _each(_bare, value) for key, value in kwargs.items()})
        wrapped = _each(lambda t: t if isinstance(t, PretendTensor) else PretendTensor(t, where), result)
        return return_and_correct_aliasing(func, args, kwargs, wrapped)


def _each(change: Any, value: Any) -> Any:
    """A value with ``change`` done to each tensor in its tuples and lists. (torch's trees take five times as long.)"""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)([_each(change, part) for part in value])
    return value


def _bare(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.held if isinstance(tensor, PretendTensor) else tensor


def _common_device(func: Any, args: Any, kwargs: Any) -> torch.device:
    """The one device of an operator's tensors. Raises RuntimeError where there are two."""
    name = func.name()
    tensors: list[torch.Tensor] = []
    _each(tensors.append, (args, tuple(kwargs.values())))
    where = next(t.where for t in tensors if isinstance(t, PretendTensor))
    if name in INDEXING:
        indices = [t for t in args[1] if t is not None]
        tensors = [t for t in tensors if isinstance(t, PretendTensor) or all(t is not index for index in indices)]
    if name in ACROSS:
        first = tensors[0]
        return first.where if isinstance(first, PretendTensor) else where
    for tensor in tensors:
        if isinstance(tensor, PretendTensor) and tensor.where == where:
            continue
        if not isinstance(tensor, PretendTensor) and tensor.dim() == 0:
            continue  # a number, which goes along with the call
        here = tensor.where if isinstance(tensor, PretendTensor) else CPU
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {where} and {here}! ({name})"
        )
    return where


def _resolved(device: Any) -> torch.device:
    """With an index, as torch has it of a tensor that is there."""
    device = torch.device(device)
    return torch.device(device.type, 0) if device.type in PRETENDED and device.index is None else device


class _Arrive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, held: torch.Tensor, where: torch.device) -> torch.Tensor:
        return PretendTensor(held.detach().clone(memory_format=torch.preserve_format), where)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0].held, None


class _Leave(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: PretendTensor) -> torch.Tensor:
        ctx.where = tensor.where
        return tensor.held.detach().clone(memory_format=torch.preserve_format)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return PretendTensor(gradients[0], ctx.where)


class Pretence(TorchFunctionMode):
    """While it is entered, tensors can be made on ``cuda:0``, ``cuda:1`` and ``mps:0``, and moved there and back.

    ``operators`` are those that ran on each kind of device.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operators: dict[str, set[str]] = {}
        self._pinned: set[int] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func in (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda):
            return self._to(func, args, kwargs)
        if func is torch.Tensor.pin_memory:
            copy = args[0].clone()
            self._pinned.add(copy.data_ptr())
            return copy
        if (func in FACTORIES or name in NEW) and kwargs.get("device") is not None:
            device = _resolved(kwargs.pop("device"))
            if device.type in PRETENDED:
                generator = kwargs.get("generator")
                if generator is not None and generator.device.type != device.type:
                    raise RuntimeError(f"Expected a '{device.type}' generator, but found one of '{generator.device.type}'")
                # What is like another tensor takes its shape alone.
                args = _each(_bare, args)
                wants = kwargs.pop("requires_grad", False)
                made = func(*args, **kwargs)
                return PretendTensor(made.detach() if made.requires_grad else made, device).requires_grad_(wants)
            return func(*args, **kwargs, device=device)
        return func(*args, **kwargs)

    def _to(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        tensor, *rest = args
        device = kwargs.pop("device", None)
        if func is torch.Tensor.cpu:
            device, rest = CPU, []
        elif func is torch.Tensor.cuda:
            device, rest = torch.device("cuda", rest[0] if rest and rest[0] is not None else 0), []
        elif rest and isinstance(rest[0], torch.Tensor):
            device, rest = rest[0].device, [rest[0].dtype, *rest[1:]]
        elif rest and isinstance(rest[0], (str, torch.device)):
            device, *rest = rest
        elif rest and rest[0] is None:  # .to(None, dtype)
            rest = rest[1:]
        non_blocking = kwargs.pop("non_blocking", False)
        dtypes = [value for value in rest if isinstance(value, torch.dtype)]
        # As nn.Module.to has it: (device, dtype, non_blocking).
        flags = [value for value in rest if isinstance(value, bool)]
        non_blocking = non_blocking or bool(flags and flags[0])
        dtype = kwargs.pop("dtype", None) or (dtypes[0] if dtypes else None)
        here = tensor.device
        goal = here if device is None else _resolved(device)
        if goal.type not in (*PRETENDED, "cpu"):
            return func(tensor, goal, dtype, **kwargs)
        if here.type in PRETENDED and goal != here:
            _waits(f"A copy to {goal}")
            if non_blocking:
                raise AssertionError(f"A copy from {here} that is not waited for may be read before it is there.")
        if here == CPU and goal.type == "mps" and non_blocking and tensor.data_ptr() not in self._pinned:
            raise AssertionError("A copy to MPS from memory that is not pinned must be waited for: it comes out wrong.")
        if here == CPU and goal.type == "cuda" and not non_blocking and tensor.dim() > 0:
            _waits(f"A copy from pageable memory to {goal}")
        if goal == here:
            return tensor if dtype is None and not kwargs else torch.Tensor.to(tensor, dtype or tensor.dtype, **kwargs)
        if here == CPU:
            # Torch converts on the device that it comes from where the types differ, and then copies.
            tensor = tensor if dtype is None else torch.Tensor.to(tensor, dtype, **kwargs)
            return _Arrive.apply(tensor, goal) if torch.is_grad_enabled() and tensor.requires_grad else PretendTensor(
                tensor.detach().clone(memory_format=torch.preserve_format), goal
            )
        if dtype is not None:
            tensor = torch.Tensor.to(tensor, dtype)  # which a device without that type refuses
        assert isinstance(tensor, PretendTensor)
        left = _Leave.apply(tensor) if torch.is_grad_enabled() and tensor.requires_grad else tensor.held.clone()
        return left if goal == CPU else PretendTensor(left.detach(), goal)


def _grouped(lists: Any, with_indices: bool = False) -> Any:
    """`torch._C._group_tensors_by_device_and_dtype` by the devices that Python sees."""
    groups: dict[Any, Any] = {}
    for number, first in enumerate(lists[0]):
        columns, numbers = groups.setdefault((first.device, first.dtype), ([[] for _ in lists], []))
        for column, values in zip(columns, lists, strict=True):
            column += values[number : number + 1]  # a list may be empty
        numbers.append(number)
    return groups


@contextlib.contextmanager
def pretend(monkeypatch: Any, cuda: int = 2, mps: bool = True) -> Iterator[Pretence]:
    """So many CUDA cards of compute capability 7.5 and, with ``mps``, Apple's graphics, for as long as it lasts."""
    from torch.utils import _foreach_utils

    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        patch.setattr(torch.cuda, "device_count", lambda: cuda)
        patch.setattr(torch.cuda, "get_device_name", lambda index=0: f"Pretence {torch.device('cuda', index or 0)}")
        patch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))
        patch.setattr(torch.cuda, "synchronize", lambda device=None: _waits("synchronize()"))
        patch.setattr(torch.cuda, "empty_cache", lambda: None)
        patch.setattr(torch.backends.mps, "is_available", lambda: mps)
        patch.setattr(torch.mps, "empty_cache", lambda: None)
        patch.setattr(torch._C, "_group_tensors_by_device_and_dtype", _grouped)
        # A parameter of the CPU cannot be made one of the other kind in its place.
        patch.setattr(torch.__future__, "get_overwrite_module_params_on_conversion", lambda: True)
        patch.setattr(_foreach_utils, "_foreach_supported_types", [torch.Tensor, torch.nn.Parameter, PretendTensor])
        mode = Pretence()
        back, run = torch.autograd.function.BackwardCFunction.apply, threading.Thread.run

        # A mode is off on the way back, where what is written out by hand moves tensors, and in another thread.
        def apply(node: Any, *gradients: Any) -> Any:
            with mode:
                return back(node, *gradients)

        def run_pretending(thread: threading.Thread) -> None:
            _state.seen = mode.operators
            with mode:
                run(thread)

        patch.setattr(torch.autograd.function.BackwardCFunction, "apply", apply)
        patch.setattr(threading.Thread, "run", run_pretending)
        before, _state.seen = getattr(_state, "seen", None), mode.operators
        try:
            with mode:
                yield mode
        finally:
            _state.seen = before
