"""No module imports itself by way of others, neither when it is loaded nor later, inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def modules() -> dict[str, Path]:
    """Every module of the product, by its name."""
    found = {}
    for package in (ROOT / "flowcore", ROOT / "app" / "flow_explorer"):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def statements(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run, some of them later: those for type checkers alone do not."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from statements(node.orelse)
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def imports(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """Which of the known modules one imports; with a module comes its package, unless that is one's own."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    named: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
            continue
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        named |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names}
    parents = {module.rsplit(".", cut)[0] for module in named for cut in range(module.count(".") + 1)}
    return {found for found in named | parents if found in known and not f"{name}.".startswith(f"{found}.")}


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle, its first module named again at the end; empty where there is none."""
    done: set[str] = set()

    def follow(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for other in sorted(graph[module]):
            if found := follow(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := follow(module, []))), [])


def test_imports_run_in_no_circle():
    known = modules()
    graph = {name: imports(name, path, known) for name, path in known.items()}
    assert "flowcore.model.flow" in graph["flowcore.plane.continuous"]
    assert "flow_explorer.startup" in graph["flow_explorer.cli.window"], "what a function imports counts"
    assert not circle(graph)


def test_a_circle_is_found(tmp_path):
    texts = {
        "flowcore.a": "from . import b",
        "flowcore.b": "def f():\n    try:\n        import flowcore.c\n    finally:\n        pass",
        "flowcore.c": "if TYPE_CHECKING:\n    from .b import f\nelse:\n    from .a import b",
    }
    known = {name: tmp_path / f"{name.rpartition('.')[2]}.py" for name in texts}
    for name, path in known.items():
        path.write_text(texts[name])
    assert circle({name: imports(name, path, known) for name, path in known.items()}) == [
        "flowcore.a", "flowcore.b", "flowcore.c", "flowcore.a",
    ]  # fmt: skip
    (tmp_path / "c.py").write_text("if TYPE_CHECKING:\n    from .a import b")
    assert circle({name: imports(name, path, known) for name, path in known.items()}) == []
