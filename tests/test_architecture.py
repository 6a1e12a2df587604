"""The direction of imports: assets know the library, the library knows nothing of Dagster."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY_FILES = sorted((ROOT / "sms_etl").rglob("*.py"))


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", LIBRARY_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_never_imports_dagster_or_the_assets(path):
    assert not imported_packages(path) & {"dagster", "assets"}


def test_every_module_of_the_library_imports_with_dagster_not_installed():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in LIBRARY_FILES
        if "migrations" not in path.parts
    ]
    program = f"""
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('dagster', 'assets'):
            raise ModuleNotFoundError(f'{{name}} is not installed')
sys.meta_path.insert(0, Absent())
for name in {modules!r}:
    importlib.import_module(name)
assert not any(name.partition('.')[0] == 'dagster' for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
