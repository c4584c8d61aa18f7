"""Where the time of a training step goes, and how much of what the processor can do it gets."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from .glow_speed import BATCH, ours, pictures, training_step
from .measure import interleave
from .peers import GlowSize
from .report import Claim, Section, Table, number

__all__ = ["measure", "network_operations"]

KINDS = {
    "convolutions, forward": ("mkldnn_convolution", "_slow_conv2d_forward"),
    "convolutions, backward": ("convolution_backward",),
    "products of matrices": ("mm", "addmm", "bmm", "baddbmm"),
    "ReLU and its backward": ("clamp_min_", "relu_", "threshold_backward"),
    "copies and changes of precision": ("copy_", "clone", "cat", "stack"),
    "scale and shift": (
        "tanh", "tanh_", "exp", "exp_", "addcmul", "addcmul_", "mul", "mul_", "add_", "add", "sum", "sub_", "div_"
    ),
    "optimiser and clip": ("_fused_adam_", "_foreach_norm", "_foreach_mul_", "linalg_vector_norm"),
}


def network_operations(size: GlowSize, batch: int) -> float:
    """Multiplications and additions of one training step's networks: forward, and twice that backward."""
    channels, side = size.shape[0], size.shape[1]
    total = 0.0
    for level in range(size.levels):
        channels, side = 4 * channels, side // 2
        kept, changed, width = channels // 2, channels - channels // 2, size.width
        weights = 9 * kept * width + width * width + 9 * width * 2 * changed
        total += size.steps * 2.0 * weights * side * side
        if level < size.levels - 1:
            channels //= 2
    return 3.0 * total * batch


def measure(run) -> Section:
    """Group "profile"."""
    section = Section(
        "profile", "Where a training step's time goes",
        text=[
            "One thread and half of the batch, which is what each of two threads does in a step. The products of matrices are"
            " the networks' middle convolutions and the mixing of channels. The rest of the table's 100 % is Python, autograd and"
            " small kernels; the profiler itself adds to it."
        ],
    )  # fmt: skip
    torch.set_num_threads(1)
    table = Table("Share of a step, %", [])
    for name in ("ours, fast fp32", "ours, fast bf16"):
        model = ours(name)
        x = pictures(BATCH // 2).contiguous(memory_format=torch.channels_last)
        step = training_step(model, x)
        for _ in range(3):
            step()
        with profile(activities=[ProfilerActivity.CPU]) as record:
            for _ in range(2 if run.quick else 5):
                step()
        spent = {event.key.removeprefix("aten::"): event.self_cpu_time_total for event in record.key_averages()}
        whole = sum(spent.values())
        table.works.append(name)
        rest = 1.0
        for kind, names in KINDS.items():
            share = sum(spent.get(each, 0.0) for each in names) / whole
            rest -= share
            table.put(kind, name, f"{100 * share:.1f}")
        table.put("everything else", name, f"{100 * rest:.1f}")
    section.tables.append(table)

    torch.set_num_threads(run.threads)
    x = pictures(BATCH).contiguous(memory_format=torch.channels_last)
    operations = network_operations(GlowSize(), BATCH)
    roof = Table(
        "Against the rate of one large product of matrices, billions of operations a second", ["a product", "the step", "share"]
    )
    for name, dtype in (("ours, fast fp32", torch.float32), ("ours, fast bf16", torch.bfloat16)):
        a, b = torch.randn(2048, 2048).to(dtype), torch.randn(2048, 2048).to(dtype)
        acts = {"product": lambda a=a, b=b: a @ b, "step": training_step(ours(name), x)}
        found = interleave(acts, 3 if run.quick else 7, 15.0)
        peak = 2.0 * 2048**3 / found["product"].median / 1e6
        rate = operations / found["step"].median / 1e6
        roof.put(name, "a product", number(peak))
        roof.put(name, "the step", number(rate))
        roof.put(name, "share", f"{100 * rate / peak:.0f} %")
        precision = name.removeprefix("ours, fast ")
        section.claims.append(
            Claim(f"Glow: training step's share of the processor's rate in products, {precision}", 100 * rate / peak, unit="%",
                  ours=f"{number(found['step'].median)} ms", note="")
        )  # fmt: skip
    section.tables.append(roof)
    return section
