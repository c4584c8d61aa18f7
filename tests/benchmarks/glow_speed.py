"""Glow on 3×32×32 pictures: a training step, sampling, encoding."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from . import peers
from .checks import SMALL_GLOW, check, same_function
from .measure import Figure, best_of, interleave, ratio
from .peers import GlowSize, Model
from .peers.flowcore_flows import fast_at_hand, faster, flow_of
from .report import Claim, Section, Table, number

__all__ = ["CLIP_NORM", "OURS", "checked_peers", "gradient_error", "measure", "ours", "pictures", "training_step"]

BATCH = 16
CLIP_NORM = 100.0
OURS = {
    "ours, plain fp32": None,
    "ours, fast fp32": ("store", False),
    "ours, fast bf16": ("store", True),
    "ours, invertible fp32": ("invert", False),
    "ours, invertible bf16": ("invert", True),
}
"""Name in the tables -> (memory, reduced precision) of the fast path, None for the plain one."""


def pictures(count: int, shape: tuple[int, int, int] = (3, 32, 32), seed: int = 0) -> Tensor:
    """Random pixels in [0, 256): what is computed does not depend on what is in them."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed)) * 256


def made(library: str, size: GlowSize, disturbed: float = 0.01) -> Model:
    """A Glow whose ActNorms have seen a batch and whose networks are not zero; the same one at each call."""
    torch.manual_seed(0)
    model = peers.glow(library, size)
    model.prepare(pictures(16, size.shape))
    model.disturb(scale=disturbed)
    return model


def ours(name: str, size: GlowSize = GlowSize()) -> Model:  # noqa: B008
    """One of :data:`OURS`, with weights of its own, equal in all."""
    model = made("flowcore", size)
    return model if OURS[name] is None else faster(model, *OURS[name])


def training_step(model: Model, x: Tensor, autocast: bool = False, learning_rate: float = 1e-5) -> Callable[[], object]:
    """zero_grad, log-likelihood, backward, one clip of the gradient, fused Adam."""
    optimiser = torch.optim.Adam(model.parameters, lr=learning_rate, fused=True)
    dims = x[0].numel() * math.log(2)
    device = x.device.type

    def step() -> None:
        model.module.train()
        optimiser.zero_grad(set_to_none=True)
        with model.around():
            with torch.autocast(device, torch.bfloat16, enabled=autocast):
                loss = -model.log_prob(x).mean() / dims
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters, CLIP_NORM)
        optimiser.step()

    return step


def evaluation(model: Model, act: Callable[[], object]) -> Callable[[], object]:
    """``act`` without gradients."""

    def run() -> None:
        model.module.eval()
        with torch.inference_mode():
            act()

    return run


def gradient_error(model: Model, plain: Model, x: Tensor) -> float:
    """‖g − g_plain‖ / ‖g_plain‖ over all parameters, of the mean log-likelihood."""
    found = []
    for each in (model, plain):
        each.module.train()
        each.module.zero_grad(set_to_none=True)
        each.log_prob(x).mean().backward()
        found.append(torch.cat([p.grad.flatten().double() for p in each.parameters if p.grad is not None]))
        each.module.zero_grad(set_to_none=True)
    return float((found[0] - found[1]).norm() / found[1].norm())


def checked_peers(section: Section) -> dict[str, Model]:
    """The libraries' Glows that pass every check; what fails is told in the section."""
    reference = made("flowcore", GlowSize())
    x, small_x = pictures(4), pictures(2, SMALL_GLOW.shape)
    table = Table("Parameters", ["in the couplings' networks", "in all", "differs from ours in"])
    passed: dict[str, Model] = {}
    for library in ("flowcore", *peers.GLOW_PEERS):
        try:
            model, small = made(library, GlowSize()), made(library, SMALL_GLOW, 0.05)
            wrong = check(model, small, x, small_x, reference.network_parameter_count)
        except ImportError as error:
            section.failures.append(f"{library}: not installed ({error}); `pip install -e .[bench]`")
            continue
        name = "ours" if library == "flowcore" else library
        section.failures += [f"{name}: {words}" for words in wrong]
        if not wrong:
            passed[library] = model
            table.put(name, table.works[0], f"{model.network_parameter_count:,}")
            table.put(name, table.works[1], f"{model.parameter_count:,}")
            table.put(name, table.works[2], model.note or "–")
    section.tables.append(table)
    passed.pop("flowcore", None)
    return passed


def _checked_ours(section: Section) -> dict[str, Model]:
    """Ours, each fast path held against the plain one: encode, decode and gradients."""
    plain = ours("ours, plain fp32")
    found = {"ours, plain fp32": plain}
    if not fast_at_hand():
        section.failures.append("ours, fast: this flowcore has no fast path")
        return found
    table = Table("Fast paths against the plain path, largest relative difference", ["z", "decoded x", "gradient"])
    x = pictures(BATCH)
    z = flow_of(plain).sample(BATCH, 0.7)
    for name, kind in OURS.items():
        if kind is None:
            continue
        model = ours(name)
        for each in (model, plain):
            each.module.eval()
        there = same_function(lambda m=model: m.encode(x)[0], lambda: plain.encode(x)[0])
        back = same_function(lambda m=model: m.decode(z), lambda: plain.decode(z))
        gradient = gradient_error(model, plain, x)
        for work, error in zip(table.works, (there, back, gradient), strict=True):
            table.put(name, work, f"{error:.1e}")
        wrong = there > 1e-4 or back > 1e-4 or gradient > (0.05 if kind[1] else 1e-3)
        if wrong:
            section.failures.append(
                f"{name}: off from the plain path by {there:.1e} (z), {back:.1e} (x), {gradient:.1e} (gradient)"
            )
        else:
            found[name] = model
        if name == "ours, fast fp32":
            section.claims.append(
                Claim("Glow: fast sampling and encoding against the plain path", max(there, back), 1e-5, True, unit="relative")
            )
    section.tables.append(table)
    return found


def _convolutions(reduced: bool) -> tuple[Callable[[], object], Callable[[], object]]:
    """The couplings' networks alone, channels last: a step and a pass of what no Glow of this size can do without."""
    dtype = torch.bfloat16 if reduced else torch.float32
    work = []
    for channels, side in ((12, 16), (24, 8), (48, 4)):
        network = peers.base.conv_network(channels // 2, channels, 256)
        peers.base.to_channels_last(network, dtype)
        last = network[-1]
        assert isinstance(last, torch.nn.Conv2d)
        torch.nn.init.normal_(last.weight, std=0.01)
        x = torch.randn(BATCH, channels // 2, side, side, dtype=dtype).to(memory_format=torch.channels_last)
        work += [(network, x.requires_grad_())] * 8

    def step() -> None:
        for network, x in work:
            network.zero_grad(set_to_none=True)
            x.grad = None
            network(x).sum().backward()

    def forward() -> None:
        with torch.inference_mode():
            for network, x in work:
                network(x)

    return step, forward


def measure(run) -> Section:
    """Group "glow"."""
    torch.set_num_threads(run.threads)
    section = Section(
        "glow", "Glow, 3×32×32, L = 3, K = 8, 256 channels",
        text=[
            f"{run.threads} threads. A training step is zero_grad, log-likelihood, backward, one clip of the gradient and fused"
            f" Adam, on {BATCH} pictures. Peers are measured as they come and with channels-last weights; the better of the two"
            " is the bar. Their rows with bf16 autocast are for information: the whole flow then computes in bf16, log-dets and"
            " 1×1 convolutions too."
        ],
    )  # fmt: skip
    libraries = checked_peers(section)
    own = _checked_ours(section)
    x = pictures(BATCH)
    x_last = x.contiguous(memory_format=torch.channels_last)
    training: dict[str, Callable[[], object]] = {}
    works = {"sample 16": {}, "sample 1": {}, "encode 16": {}}

    def add(name: str, model: Model, batch: Tensor) -> None:
        works["sample 16"][name] = evaluation(model, lambda: model.sample(BATCH))
        works["sample 1"][name] = evaluation(model, lambda: model.sample(1))
        works["encode 16"][name] = evaluation(model, lambda: model.encode(batch))

    bars, told = [], []
    for library, model in libraries.items():
        last = made(library, GlowSize())
        peers.base.to_channels_last(last.module)
        auto = made(library, GlowSize())
        peers.base.to_channels_last(auto.module)
        for name, each, batch in ((library, model, x), (f"{library}, channels-last", last, x_last)):
            bars.append(name)
            training[name] = training_step(each, batch)
            add(name, each, batch)
        told.append(f"{library}, channels-last, bf16 autocast")
        training[told[-1]] = training_step(auto, x_last, autocast=True)
    for name, model in own.items():
        training[name] = training_step(model, x_last)
        if "bf16" not in name and "invertible" not in name:
            add(name, model, x_last)
    fast = own.get("ours, fast fp32")
    if fast is not None:
        z16, z1 = flow_of(fast).sample(BATCH), flow_of(fast).sample(1)
        works["sample 16"]["ours, bf16 draft"] = evaluation(fast, lambda: _draft(fast, z16))
        works["sample 1"]["ours, bf16 draft"] = evaluation(fast, lambda: _draft(fast, z1))
    for name, reduced in (("the convolutions alone, fp32", False), ("the convolutions alone, bf16", True)):
        training[name], forward = _convolutions(reduced)
        works["sample 16"][name] = works["encode 16"][name] = forward

    rounds, seconds = (3, 20.0) if run.quick else (9, 75.0)
    run.tell(f"training steps of {len(training)} implementations")
    measured = {"training step": interleave(training, rounds, seconds)}
    for work, acts in works.items():
        run.tell(work)
        measured[work] = interleave(acts, 3 if run.quick else 11, 20.0)
    table = Table("Milliseconds", list(measured))
    for name in [*bars, *told, *own, "ours, bf16 draft", "the convolutions alone, fp32", "the convolutions alone, bf16"]:
        for work, figures in measured.items():
            if name in figures:
                table.put(name, work, figures[name])
    section.tables.append(table)
    _claim(section, measured, bars)
    return section


def _draft(model: Model, z: Tensor) -> Tensor:
    from flowcore.fast import accelerate

    return accelerate(flow_of(model)).decode(z, draft=True)


def _claim(section: Section, measured: dict[str, dict[str, Figure]], bars: list[str]) -> None:
    wanted = [
        ("training step, bf16", "training step", "ours, fast bf16", 2.0),
        ("training step, fp32 (processors without bf16)", "training step", "ours, fast fp32", None),
        ("sample 16, fp32", "sample 16", "ours, fast fp32", 1.3),
        ("sample 1, fp32", "sample 1", "ours, fast fp32", 1.3),
        ("encode 16, fp32", "encode 16", "ours, fast fp32", 1.3),
        ("sample 16, bf16 draft", "sample 16", "ours, bf16 draft", 2.0),
        ("sample 1, bf16 draft", "sample 1", "ours, bf16 draft", 2.0),
    ]
    cases = [(title, work, name, target, bars) for title, work, name, target in wanted]
    as_they_come = [bar for bar in bars if "channels-last" not in bar]
    cases += [
        (f"{title}, against the peers as they come", work, name, target, as_they_come) for title, work, name, target in wanted
    ]
    for title, work, name, target, bars in cases:
        figures = measured[work]
        best = best_of(figures, bars)
        if best is None or name not in figures:
            section.claims.append(Claim(f"Glow: {title}", None, target, note="not measured: see the checks"))
            continue
        section.claims.append(
            Claim(
                f"Glow: {title}", ratio(figures[name], figures[best]), target,
                peer=f"{best}: {number(figures[best].median)} ms", ours=f"{number(figures[name].median)} ms",
            )  # fmt: skip
        )
    steps = measured["training step"]
    for precision in ("fp32", "bf16"):
        kept, inverted = steps.get(f"ours, fast {precision}"), steps.get(f"ours, invertible {precision}")
        if kept and inverted:
            section.claims.append(
                Claim(
                    f"Glow: time of a step with invertible backpropagation against the stored one, {precision}",
                    inverted.median / kept.median, 1.45, True,
                    ours=f"{number(inverted.median)} against {number(kept.median)} ms",
                )  # fmt: skip
            )
