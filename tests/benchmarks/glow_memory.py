"""What a training step of Glow keeps in memory besides weights, gradients and Adam's state. Each case in a fresh process."""

from __future__ import annotations

import json
import sys
import time

from . import peers
from .measure import Figure, in_own_process
from .peers import GlowSize
from .report import Claim, Section, Table, number

__all__ = ["measure", "one"]

MEGABYTE = 1e6
DEPTHS = (8, 32, 128)


def one(name: str, size: GlowSize, batch: int, timed: int = 1) -> dict:
    """Bytes and milliseconds of one implementation's step; to be called in a process of its own.

    A first step makes the gradients and the optimiser's state, and they stay where they are, so that the peak over the baseline
    is what the passes themselves take.
    """
    import torch

    from .glow_speed import OURS, made, ours, pictures
    from .measure import peak_over_baseline, saved_bytes

    model = ours(name, size) if name in OURS else made(name.split(",")[0], size)
    x = pictures(batch, size.shape).contiguous(memory_format=torch.channels_last)
    if "channels-last" in name:
        peers.base.to_channels_last(model.module)
    optimiser = torch.optim.Adam(model.parameters, lr=1e-6, fused=True)

    def passes() -> None:
        with model.around():
            (-model.log_prob(x).mean()).backward()

    model.module.train()
    passes()
    optimiser.step()
    optimiser.zero_grad(set_to_none=False)
    peaks, times = [], []
    for _ in range(timed):
        start = time.perf_counter()
        peaks.append(peak_over_baseline(passes))
        times.append(1000 * (time.perf_counter() - start))
        optimiser.zero_grad(set_to_none=False)
    saved = saved_bytes(lambda: model.log_prob(x), besides=[*model.module.parameters(), *model.module.buffers()])
    return {"peak": peaks, "saved": saved, "milliseconds": times}


def measure(run) -> Section:
    """Group "memory"."""
    section = Section(
        "memory", "Activation memory of a training step",
        text=[
            "The same Glow and batch. Peak resident memory over where it stood before the step, weights, gradients and Adam's"
            " state already there; each case in a fresh process, in which freed blocks go back to the system at once. Beside it,"
            " the bytes that autograd was seen to save for the backward pass (what a node of ours keeps by itself is not seen)."
        ],
    )  # fmt: skip
    from .glow_speed import OURS
    from .peers.flowcore_flows import fast_at_hand

    own = [name for name, kind in OURS.items() if kind is None or fast_at_hand()]
    table = Table("Megabytes, K = 8", ["peak over the baseline", "saved by autograd"])
    peaks: dict[str, Figure] = {}
    bars = [name for library in peers.GLOW_PEERS for name in (library, f"{library}, channels-last")]
    for name in [*bars, *own]:
        run.tell(name)
        found = _run_one(section, name, GlowSize(), run.quick)
        if found is not None:
            peaks[name] = Figure.of([byte / MEGABYTE for byte in found["peak"]])
            table.put(name, table.works[0], peaks[name])
            table.put(name, table.works[1], number(found["saved"] / MEGABYTE))
    section.tables.append(table)
    _claim_peak(section, peaks, bars)
    depth_table = Table("Megabytes against depth", [f"K = {depth}" for depth in DEPTHS])
    depths = DEPTHS[:2] if run.quick else DEPTHS
    for name in ("ours, fast fp32", "ours, invertible fp32", "ours, invertible bf16"):
        if name not in peaks:
            continue
        depth_table.put(name, "K = 8", peaks[name])
        found = {8: peaks[name].median}
        for depth in depths[1:]:
            run.tell(f"{name}, K = {depth}")
            result = _run_one(section, name, GlowSize(steps=depth), True)
            if result is not None:
                found[depth] = result["peak"][0] / MEGABYTE
                depth_table.put(name, f"K = {depth}", number(found[depth]))
        if "invertible" in name and len(found) == len(depths):
            spread = max(found.values()) / min(found.values())
            section.claims.append(
                Claim(
                    f"Glow: activation memory, largest over smallest of K = {', '.join(map(str, depths))}, {name.split()[-1]}",
                    spread, 1.1, True, ours=" / ".join(number(value) for value in found.values()) + " MB",
                )  # fmt: skip
            )
    section.tables.append(depth_table)
    return section


def _run_one(section: Section, name: str, size: GlowSize, short: bool) -> dict | None:
    try:
        return in_own_process(__name__, name, list(size.shape), size.levels, size.steps, size.width, 16, 1 if short else 3)
    except (RuntimeError, OSError) as error:
        section.failures.append(f"{name}, K = {size.steps}: {error}")
        return None


def _claim_peak(section: Section, peaks: dict[str, Figure], bars: list[str]) -> None:
    known = [name for name in bars if name in peaks]
    for name in ("ours, invertible bf16", "ours, invertible fp32", "ours, fast bf16"):
        title = f"Glow: activation memory against the best peer, {name.removeprefix('ours, ')}"
        target = 0.5 if "invertible" in name else None
        if not known or name not in peaks:
            section.claims.append(Claim(title, None, target, True))
            continue
        best = min(known, key=lambda peer: peaks[peer].median)
        section.claims.append(
            Claim(
                title, peaks[name].median / peaks[best].median, target, True,
                peer=f"{best}: {number(peaks[best].median)} MB", ours=f"{number(peaks[name].median)} MB",
            )  # fmt: skip
        )


if __name__ == "__main__":
    name, shape, levels, steps, width, batch, timed = (json.loads(argument) for argument in sys.argv[1:])
    print(json.dumps(one(name, GlowSize(tuple(shape), levels, steps, width), batch, timed)))
