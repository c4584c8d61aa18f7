"""“Copy as Python”: a script on `flowcore` alone that trains the same run to the same step, with the same numbers."""

from __future__ import annotations

import pprint

from flow_explorer.i18n import tr
from flowcore.errors import ConfigError
from flowcore.plane.schedule import live, snapshot_config, snapshot_schedule, snapshot_step

__all__ = ["training_script"]

_SCRIPT = '''\
"""{title}

Run it where flowcore can be imported: `python this_file.py [model.safetensors]` (the model is written there, if named).
"""
import sys

import torch

from flowcore.model import checkpoint
from flowcore.plane.trainer import ToyConfig, ToyTrainer

CONFIG = {config}
COURSE = [  # (from which step on, with which settings)
{schedule}
]
STEPS = {steps}

torch.set_num_threads(1)  # as the toy lab does for small networks: another number may round differently
trainer = ToyTrainer(ToyConfig.from_dict(CONFIG))
for (start, live), (stop, *_) in zip(COURSE, [*COURSE[1:], (STEPS,)], strict=True):
    trainer.adjust(**live)
    trainer.step(stop - start)
loss = trainer.held_out({count})
print(f"step {{trainer.step_count:,}}: held-out loss {{loss.nll!r}} ± {{loss.standard_error!r}} nat")
{shown}
if len(sys.argv) > 1:
    checkpoint.save(sys.argv[1], trainer.average, trainer.card())
'''


def training_script(title: str, snapshot: bytes, held_out: int, shown: float | None = None) -> str:
    """The script of the run in a snapshot. ``shown`` is the loss on ``held_out`` points that the window shows, where it does.

    Raises:
        FlowError: if the bytes are no snapshot, or of a run that began with another's weights.
    """
    config, schedule, steps = snapshot_config(snapshot), snapshot_schedule(snapshot), snapshot_step(snapshot)
    if schedule.inherited:
        raise ConfigError(tr("This training began with another one's weights, so a script cannot make it from its seed; save the "
                             "training as a file instead."))  # fmt: skip
    changes = [change for change in schedule.changes if change[0] < steps] or [schedule.changes[0]]
    return _SCRIPT.format(
        title=" ".join(title.split()).replace("\\", "/").replace('"', "'"),
        config=pprint.pformat({**config, **schedule.at(0)}, width=100, sort_dicts=False),
        schedule="\n".join(f"    {(change[0], live(change))!r}," for change in changes), steps=steps, count=held_out,
        shown="# The toy lab has no loss of this very step." if shown is None else f"# The toy lab shows {shown!r}.",
    )  # fmt: skip
