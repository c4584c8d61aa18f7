"""What is written about the tree is true of it: links lead somewhere, and paths that are named exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flowcore

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(path):
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link.partition("#")[0]).exists()]
    assert missing == []


def test_paths_that_contributors_are_sent_to_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:app|flowcore|tests|docs)/[\w./-]*)`", text))
    assert len(paths) > 40 and [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_page_of_the_guide_is_in_its_table_of_contents():
    listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/**/*.md"))


def test_the_reference_names_modules_that_are_there():
    for page in ROOT.glob("docs/api/*.md"):
        modules = re.findall(r"^::: ([\w.]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        places = [ROOT.joinpath(*module.split(".")) for module in modules]
        assert places and all(place.with_suffix(".py").is_file() or (place / "__init__.py").is_file() for place in places), page


def test_the_citation_is_of_this_version():
    assert f"\nversion: {flowcore.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {flowcore.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
