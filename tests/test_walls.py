"""The three walls of the house: flowcore without Qt, the window without torch, nothing from outside unpickled or evaluated."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
QT = {"PySide6", "PySide2", "PyQt5", "PyQt6", "qtpy", "superqt", "pyqtgraph", "shiboken6"}

# What the window's process may use of flowcore; all of it works without torch.
TORCH_FREE_PACKAGES = ("flowcore.pictures", "flowcore.data", "flowcore.theory")
TORCH_FREE = {
    "flowcore", "flowcore.atomic", "flowcore.errors", "flowcore.fields", "flowcore.latents", "flowcore.latents.latent",
    "flowcore.latents.map", "flowcore.latents.map.points", "flowcore.latents.resample", "flowcore.latents.timeline",
    "flowcore.latents.as_json", "flowcore.latents.entropic", "flowcore.latents.transport", "flowcore.latents.translation_methods",
    "flowcore.memory", "flowcore.plain_json", "flowcore.model", "flowcore.model.card", "flowcore.model.labels", "flowcore.plane",
    "flowcore.plane.config", "flowcore.plane.convergence", "flowcore.plane.schedule", "flowcore.plane.densities",
    "flowcore.plane.drawing", "flowcore.plane.layers", "flowcore.plane.prior_shapes", "flowcore.plane.film_frames",
    "flowcore.plane.targets",
    "flowcore.plane.targets.entropy", "flowcore.plane.targets.estimate", "flowcore.plane.targets.formula",
    "flowcore.plane.targets.grid", "flowcore.plane.targets.ink", "flowcore.plane.targets.outliers",
    "flowcore.plane.targets.points", "flowcore.plane.targets.shapes", "flowcore.plane.targets.tables",
    "flowcore.plane.targets.targets", "flowcore.model.weights",
    "flowcore.texts",
    "flowcore.model.temperature", "flowcore.model.precision", "flowcore.one_line", "flowcore.regular", "flowcore.folder_lock",
    "flowcore.work",
}  # fmt: skip

# The engine's side of the pipe, which runs in its own process.
ENGINE_SIDE = (
    "flow_explorer.engine.loop", "flow_explorer.engine.jobs", "flow_explorer.engine.context", "flow_explorer.engine.devices",
    "flow_explorer.engine.models", "flow_explorer.engine.interactive",
)  # fmt: skip


def sources(*packages: str) -> list[Path]:
    found = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    assert found
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "app" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def run_python(code: str, *arguments: str, timeout: float = 120) -> str:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BLOCK = """
import sys
class Wall:
    def __init__(self, names): self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is behind the wall", name=name)
sys.meta_path.insert(0, Wall(%r))
"""


# -- wall 1: flowcore imports no Qt ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources("flowcore"), ids=module_name)
def test_no_flowcore_module_names_qt_or_the_app(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [(line, name) for line, name in imported(tree) if name.split(".")[0] in QT | {"flow_explorer"}]
    assert not wrong


def test_every_flowcore_module_imports_where_qt_is_not_installed():
    names = [module_name(path) for path in sources("flowcore")]
    code = BLOCK % sorted(QT) + "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint('done')"
    assert run_python(code, *names).strip() == "done"


def test_training_sampling_and_evaluating_work_where_qt_is_not_installed(tmp_path):
    rng = np.random.default_rng(0)
    data, run, sheet = tmp_path / "data.npz", tmp_path / "run", tmp_path / "sheet.png"
    np.savez(data, images=rng.integers(0, 256, (80, 8, 8, 3), dtype=np.uint8))
    commands = [
        ["train", "--data", data, "--preset", "tiny", "--steps", "3", "--batch", "8", "--out", run],
        ["sample", "--model", run, "--count", "4", "--out", sheet],
        ["evaluate", "--model", run, "--data", data, "--split", "train", "--json"],
    ]
    code = BLOCK % sorted(QT) + (
        "import json\nfrom flow_explorer.cli import main\n"
        "codes = [main(command) for command in json.loads(sys.argv[1])]\nassert codes == [0, 0, 0], codes\n"
        "print(main(['--screenshot', sys.argv[2]]))"
    )
    out = run_python(code, json.dumps([[str(part) for part in command] for command in commands]), str(tmp_path / "w.png"))
    figures = json.loads(out[: out.rindex("}") + 1])
    assert figures["count"] > 0 and np.isfinite(figures["bpd"])
    assert sheet.is_file()
    # And the window says that it cannot open, instead of falling over.
    assert out.rstrip().endswith("2")


# -- wall 2: the window's process never imports torch -----------------------------------------------------------------


def window_modules() -> list[str]:
    names = [module_name(path) for path in sources("app/flow_explorer")]
    return [name for name in names if not name.startswith(ENGINE_SIDE) and not name.endswith("__main__")]


def test_nothing_that_the_window_imports_loads_torch():
    names = window_modules()
    assert "flow_explorer.main_window" in names and "flow_explorer.explorer.workspace" in names
    code = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
        "print(json.dumps([name for name in sys.modules if name.split('.')[0] in ('flowcore', 'torch', 'safetensors')]))"
    )
    loaded = set(json.loads(run_python(code, *names)))
    assert "torch" not in loaded
    whole = tuple(f"{package}." for package in TORCH_FREE_PACKAGES)
    stray = {name for name in loaded - TORCH_FREE if not f"{name}.".startswith(whole)}
    assert not stray, sorted(stray)


def test_the_list_of_what_the_window_may_use_is_itself_torch_free():
    names = sorted(name for name in TORCH_FREE if (ROOT / (name.replace(".", "/") + ".py")).exists())
    names += [module_name(path) for whole in TORCH_FREE_PACKAGES for path in sources(whole.replace(".", "/"))]
    assert "flowcore.pictures.crop" in names
    code = BLOCK % ["torch"] + "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint('done')"
    assert run_python(code, *names).strip() == "done"


@pytest.mark.parametrize("arguments", [["--help"], ["models"], ["models", "--json"], ["sample", "--help"]])
def test_what_should_answer_at_once_imports_neither_torch_nor_qt(arguments):
    code = (
        "import json, sys\nfrom flow_explorer.cli import main\nassert main(json.loads(sys.argv[1])) == 0\n"
        "print('loaded:', [name for name in ('torch', 'PySide6', 'numpy', 'rich') if name in sys.modules])"
    )
    assert run_python(code, json.dumps(arguments)).rstrip().endswith("loaded: []")


# -- wall 3: nothing from outside is unpickled or evaluated -----------------------------------------------------------

FORBIDDEN_MODULES = {
    "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "multiprocessing",
}  # fmt: skip
FORBIDDEN_BUILTINS = {"eval", "exec", "__import__"}
FORBIDDEN_CALLS = ("torch.load", "torch.save", "torch.jit.load", "serialization.load", "os.system", "os.popen")


def unsafe(tree: ast.AST) -> list[tuple[int, str]]:
    wrong = [(line, name) for line, name in imported(tree) if name.split(".")[0] in FORBIDDEN_MODULES]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in FORBIDDEN_BUILTINS:
            wrong.append((node.lineno, function.id))
        if isinstance(function, ast.Attribute):
            name = ast.unparse(function)
            if name.removeprefix("safetensors.") == name and name.endswith(FORBIDDEN_CALLS):
                wrong.append((node.lineno, name))
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else "computed"
            if (keyword.arg, value) in {("allow_pickle", True), ("allow_pickle", "computed"), ("weights_only", False),
                                        ("shell", True)}:  # fmt: skip
                wrong.append((node.lineno, f"{keyword.arg}={value}"))
    return wrong


@pytest.mark.parametrize("path", sources("flowcore", "app/flow_explorer"), ids=module_name)
def test_nothing_is_unpickled_or_evaluated(path):
    assert not unsafe(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "def f():\n    import dill", "eval('1')", "torch.load(p)",
        "np.load(p, allow_pickle=True)", "exec(code)", "import torch.multiprocessing\nimport multiprocessing",
        "torch.jit.load(p)", "subprocess.run(c, shell=True)",
    ],
)  # fmt: skip
def test_the_third_wall_has_no_holes(code):
    assert unsafe(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    ["flow.eval()", "app.exec()", "np.load(p, allow_pickle=False)", "json.load(f)", "safetensors.torch.load(b)"],
)
def test_the_third_wall_lets_pass_what_is_safe(code):
    assert not unsafe(ast.parse(code))
