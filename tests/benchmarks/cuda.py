"""The rows that need a CUDA device; without one, a sentence says so."""

from __future__ import annotations

from collections.abc import Callable

import torch

from . import peers
from .glow_speed import checked_peers, made, ours, pictures, training_step
from .measure import Figure, interleave
from .peers import GlowSize
from .peers.flowcore_flows import fast_at_hand, faster, flow_of
from .report import Claim, Section, Table, number

__all__ = ["measure"]

BATCH = 128
SIZE_64 = GlowSize((3, 64, 64), levels=4)
TARGETS = (
    ("CUDA: Glow training throughput against normflows", 5.0, False, "×"),
    ("CUDA: Glow training throughput against our eager fp32", 4.0, False, "×"),
    ("CUDA: share of a step that the bf16 convolutions alone take", 60.0, False, "%"),
    ("CUDA: one 64×64 decode", 5.0, True, "ms"),
    ("CUDA: toy steps a second", 3000.0, False, "steps/s"),
)


def measure(run) -> Section:
    """Group "cuda"."""
    section = Section("cuda", "On a CUDA device")
    if not torch.cuda.is_available():
        section.text.append("Not measured: no CUDA device was at hand.")
        section.claims += [Claim(name, None, target, at_most, unit=unit) for name, target, at_most, unit in TARGETS]
        return section
    section.text.append(
        f"{torch.cuda.get_device_name()}. Glow 3×32×32, L = 3, K = 8, 256 channels, batch {BATCH}; every act ends with a"
        " synchronisation. Peers as torch's defaults run them."
    )
    table = Table("Milliseconds", ["training step"])
    steps = _steps(section, run)
    for name, figure in steps.items():
        table.put(name, "training step", figure)
    section.tables.append(table)
    fast, convolutions = steps.get("ours, fast bf16"), steps.get("the convolutions alone, bf16")
    values = [
        (steps["normflows"].median / fast.median) if fast and "normflows" in steps else None,
        (steps["ours, plain fp32"].median / fast.median) if fast else None,
        (100 * convolutions.median / fast.median) if fast and convolutions else None,
        _decode(run).median,
        _toy(run),
    ]
    for (name, target, at_most, unit), value in zip(TARGETS, values, strict=True):
        told = "" if value is None else f"{number(value)} {unit}"
        section.claims.append(Claim(name, value, target, at_most, unit=unit, ours=told))
    return section


def _synchronised(act: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        act()
        torch.cuda.synchronize()

    return run


def _steps(section: Section, run) -> dict[str, Figure]:
    x = pictures(BATCH).cuda().contiguous(memory_format=torch.channels_last)
    acts = {}
    for library in checked_peers(section):
        model = made(library, GlowSize())
        peers.base.to_channels_last(model.module, device="cuda")
        acts[library] = _synchronised(training_step(model, x))
    for name, kind in {"ours, plain fp32": None, "ours, fast fp32": False, "ours, fast bf16": True}.items():
        if kind is not None and not fast_at_hand():
            continue
        model = made("flowcore", GlowSize())
        model.module.cuda()
        model = model if kind is None else faster(model, "store", kind)
        acts[name] = _synchronised(training_step(model, x))
    networks = []
    for channels, side in ((12, 16), (24, 8), (48, 4)):
        network = peers.base.conv_network(channels // 2, channels, 256)
        peers.base.to_channels_last(network, torch.bfloat16, "cuda")
        inputs = torch.randn(BATCH, channels // 2, side, side, device="cuda", dtype=torch.bfloat16)
        networks += [(network, inputs.to(memory_format=torch.channels_last).requires_grad_())] * 8

    def convolutions() -> None:
        for network, inputs in networks:
            network(inputs).sum().backward()

    acts["the convolutions alone, bf16"] = _synchronised(convolutions)
    return interleave(acts, 5 if run.quick else 21, 60.0, warm_up=5)


def _decode(run) -> Figure:
    model = ours("ours, fast fp32" if fast_at_hand() else "ours, plain fp32", SIZE_64)
    model.module.cuda().eval()
    z = flow_of(model).sample(1)

    def decode() -> None:
        with torch.no_grad():
            model.decode(z)

    return interleave({"decode": _synchronised(decode)}, 11 if run.quick else 51, 20.0, warm_up=5)["decode"]


def _toy(run) -> float:
    from flowcore.plane.trainer import ToyConfig, ToyTrainer

    trainer = ToyTrainer(ToyConfig(), "cuda")
    figure = interleave({"steps": _synchronised(lambda: trainer.step(100))}, 3 if run.quick else 11, 20.0, warm_up=1)["steps"]
    return figure.per_second(100).median
