"""Which devices are quicker in bfloat16, what a run is therefore trained in, and that it goes on in the same."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest
import torch

from flow_explorer.engine.devices import fast_bfloat16
from flowcore.errors import ConfigError
from flowcore.model.networks import CouplingNetwork
from flowcore.model.precision import PRECISIONS, has_bfloat16, resolve
from flowcore.training import RunFolder, TrainConfig, train
from flowcore.training.trainer import Trainer
from tests.flowcore.training.test_training import ROOT, config, pictures, weights

CPU, CARD, APPLE = torch.device("cpu"), torch.device("cuda:1"), torch.device("mps")


@pytest.fixture
def processor(monkeypatch):
    """Pretends to be a processor: ``processor(amx=True, limit="AVX2")``; without oneDNN, with AVX512-BF16 alone."""

    def pretend(amx: bool, limit: str = "", name: str = "ONEDNN_MAX_CPU_ISA", onednn: bool = True) -> None:
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: onednn)
        for known in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
            monkeypatch.delenv(known, raising=False)
        if limit:
            monkeypatch.setenv(name, limit)

    return pretend


@pytest.mark.parametrize(
    ("amx", "limit", "wanted"),
    [(True, "", True), (False, "", False), (True, "AVX2", False), (True, "avx2_vnni_2", False), (True, "AVX512_CORE", False),
     (True, "AVX512_CORE_BF16", False), (True, "AVX512_CORE_AMX", True), (True, "avx10_1_512_amx", True), (True, "ALL", True),
     (True, "DEFAULT", True), (False, "AVX512_CORE_AMX", False), (True, "SSE41", False)],
)  # fmt: skip
def test_a_processor_is_quicker_with_amx_that_onednn_may_use(processor, amx, limit, wanted):
    processor(amx, limit)
    assert has_bfloat16(CPU) is fast_bfloat16(CPU) is wanted
    assert resolve("auto", CPU) == ("bfloat16" if wanted else "float32")
    assert [resolve(precision, CPU) for precision in PRECISIONS[1:]] == ["bfloat16", "float32"]


def test_the_older_name_of_the_limit_and_a_torch_without_onednn_are_heard(processor, monkeypatch):
    processor(True, "AVX2", "DNNL_MAX_CPU_ISA")
    assert not has_bfloat16(CPU)
    processor(True, onednn=False)
    assert not has_bfloat16(CPU)
    processor(True)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not has_bfloat16(CPU)


@pytest.mark.parametrize(("capability", "wanted"), [((7, 5), False), ((6, 1), False), ((8, 0), True), ((12, 0), True)])
def test_a_card_from_capability_8_on(processor, monkeypatch, capability, wanted):
    processor(False)
    asked = []
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: asked.append(device) or capability)
    monkeypatch.setattr(torch.version, "hip", None)
    assert has_bfloat16(CARD) is wanted and asked == [CARD]
    assert resolve("auto", CARD) == ("bfloat16" if wanted else "float32")
    assert not fast_bfloat16(CARD)
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert has_bfloat16(CARD)


def test_elsewhere_training_is_in_float32(processor):
    processor(True)
    assert not has_bfloat16(APPLE) and [resolve(precision, APPLE) for precision in PRECISIONS] == ["float32"] * 3


def test_a_real_process_held_to_avx2_says_no():
    code = "import torch; from flowcore.model.precision import has_bfloat16; print(has_bfloat16(torch.device('cpu')))"
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("asked", "amx", "wanted"),
    [("auto", True, "bfloat16"), ("auto", False, "float32"), ("float32", True, "float32"), ("bfloat16", False, "bfloat16")],
)
def test_the_trainer_resolves_it_and_the_networks_follow(processor, asked, amx, wanted):
    processor(amx)
    trainer = Trainer(config(precision=asked))
    assert trainer.config.precision == wanted
    networks = [module for module in trainer.flow.modules() if isinstance(module, CouplingNetwork)]
    assert networks and {network.reduced for network in networks} == {wanted == "bfloat16"}


def test_several_processes_train_in_bfloat16_only_where_all_are_quicker_in_it(processor):
    from flowcore.training import Processes

    class Two(Processes):
        """Of which the other one has no AMX."""

        def __init__(self):
            super().__init__()
            self.count = 2

        def agree(self, value):
            return max(value, 1)

    processor(True)
    assert Trainer(config(), processes=Processes()).config.precision == "bfloat16"
    assert Trainer(config(), processes=Two()).config.precision == "float32"


def test_a_run_goes_on_in_what_it_began_with_on_another_processor(processor, tmp_path):
    data, told = pictures(50), []
    processor(True)
    train(config(), data, tmp_path / "whole")
    steps = iter(range(100))
    train(config(), data, tmp_path / "parts", should_stop=lambda: next(steps) == 12)
    assert RunFolder(tmp_path / "parts").config().precision == "bfloat16"
    processor(False)
    train(config(), data, tmp_path / "parts", resume=True, on_notice=told.append)
    assert RunFolder(tmp_path / "parts").config().precision == "bfloat16"
    assert told == ["This device (cpu) has to imitate bfloat16, so float32 would be quicker."]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_a_folder_left_to_the_device_is_resolved_when_it_is_resumed(processor, tmp_path):
    processor(False)
    train(config(steps=4), pictures(20), tmp_path, should_stop=lambda: 1)
    folder = RunFolder(tmp_path)
    assert folder.config().precision == "float32"
    processor(True)
    folder.write_config(dataclasses.replace(folder.config(), precision="auto"))
    trainer = train(config(), pictures(20), tmp_path, resume=True)
    assert trainer.config.precision == folder.config().precision == "bfloat16"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_configuration_comes_back(precision):
    held = config(precision=precision)
    assert TrainConfig.from_dict(json.loads(json.dumps(held.to_dict()))) == held


@pytest.mark.parametrize(("before", "now"), [(True, "bfloat16"), (False, "float32")])
def test_a_configuration_from_before_the_choice_still_loads(before, now):
    values = config().to_dict()
    del values["precision"]
    assert TrainConfig.from_dict({**values, "reduced_precision": before}) == config(precision=now)
    assert "reduced_precision" not in TrainConfig.from_dict({**values, "reduced_precision": before}).to_dict()


@pytest.mark.parametrize(
    "values",
    [{"precision": "float16"}, {"precision": None}, {"precision": True}, {"precision": ["auto"]}, {"reduced_precision": True},
     {"precision": "auto", "reduced_precision": True}],
)  # fmt: skip
def test_what_is_no_precision_is_a_sentence(values):
    with pytest.raises(ConfigError, match="precision"):
        TrainConfig.from_dict({**config().to_dict(), **values})
