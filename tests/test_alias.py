"""``import torch`` giving rushlight. Each case runs in a process of its own, since it is about what a process has imported."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src"

# modules of the library that exist for the test only, so that it does not depend on what has been built
PROBE = """
import pathlib, sys
import rushlight, rushlight.alias
rushlight.__path__.append(sys.argv[1])
"""


@pytest.fixture
def probe(tmp_path):
    """A folder with the module tree probe/deep/leaf.py; probe also holds a function with the name of its module ``shadow``."""
    (tmp_path / "probe" / "deep").mkdir(parents=True)
    (tmp_path / "probe" / "__init__.py").write_text("from .shadow import shadow\n")
    (tmp_path / "probe" / "shadow.py").write_text("def shadow(): return 'function'\n")
    (tmp_path / "probe" / "deep" / "__init__.py").write_text("")
    (tmp_path / "probe" / "deep" / "leaf.py").write_text("class Thing: pass\n")
    return tmp_path


def run(code, *arguments, path=()):
    """Run code in a fresh process where rushlight can be imported; returns its standard output, which must end well."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(SOURCE)])}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_modules_are_the_same_objects_under_both_names(probe):
    code = (
        PROBE
        + """
rushlight.alias.install()
import torch
import torch.probe.deep.leaf as one
from torch.probe.deep import leaf as two
from torch.probe.deep.leaf import Thing
import rushlight.probe.deep.leaf as three
assert torch is rushlight
assert one is two is three and Thing is three.Thing
assert torch.probe.deep.leaf is three and sys.modules["torch.probe"] is rushlight.probe
assert three.__name__ == three.__spec__.name == "rushlight.probe.deep.leaf"
"""
    )
    run(code, probe)


def test_a_module_imported_under_its_own_name_is_shared_too(probe):
    code = (
        PROBE
        + """
import rushlight.probe.deep
rushlight.alias.install()
import rushlight.probe.deep.leaf
assert sys.modules["torch.probe.deep"] is rushlight.probe.deep
assert sys.modules["torch.probe.deep.leaf"] is rushlight.probe.deep.leaf
"""
    )
    run(code, probe)


def test_a_function_with_the_name_of_its_module_stays_a_function(probe):
    code = (
        PROBE
        + """
rushlight.alias.install()
import torch
import torch.probe
from torch.probe.shadow import shadow
assert torch.probe.shadow is shadow and shadow() == "function"
"""
    )
    run(code, probe)


def test_installing_imports_nothing(probe):
    code = (
        PROBE
        + """
before = set(sys.modules)
rushlight.alias.install()
new = {name for name in set(sys.modules) - before if not name.startswith("torch")}
assert not new, new
assert "torch.probe" not in sys.modules
"""
    )
    run(code, probe)


def test_it_wins_over_an_installed_torch_until_uninstalled(probe):
    (probe / "torch").mkdir()
    (probe / "torch" / "__init__.py").write_text("REAL = True\n")
    (probe / "torch" / "sub.py").write_text("")
    code = (
        PROBE
        + """
rushlight.alias.install()
rushlight.alias.install()
import torch
assert torch is rushlight and rushlight.alias.installed()
try:
    import torch.sub
except ModuleNotFoundError as error:
    assert error.name == "torch.sub"
else:
    raise AssertionError("a module of the other torch came through")
rushlight.alias.uninstall()
rushlight.alias.uninstall()
assert not rushlight.alias.installed()
import torch, torch.sub
assert torch.REAL
try:
    rushlight.alias.install()
except RuntimeError as error:
    assert "imported already" in str(error)
else:
    raise AssertionError("two libraries under one name")
assert not rushlight.alias.installed()
"""
    )
    run(code, probe, path=[probe])


def test_the_installed_packages_have_a_torch_of_the_release_that_is_followed(probe):
    code = (
        PROBE
        + """
import importlib.metadata
rushlight.alias.install()
assert importlib.metadata.version("torch") == rushlight.__version__
assert importlib.metadata.metadata("torch")["Name"] == "torch"
assert "torch" in {each.name for each in importlib.metadata.distributions()}
"""
    )
    run(code, probe)


def test_missing_modules_say_so_and_probing_finds_nothing(probe):
    code = (
        PROBE
        + """
import importlib.util
rushlight.alias.install()
for name in ("torch.nowhere", "torch.probe.nowhere", "torch.tensor", "torch.cli", "torch.array.conv"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        named = "torch.array" if name.startswith("torch.array") else name
        assert str(error) == f"rushlight does not have {named} yet; see docs/coverage.md", error
        assert error.name == named
    else:
        raise AssertionError(name)
assert importlib.util.find_spec("torch.nowhere") is None
assert importlib.util.find_spec("torch.probe.deep") is not None
try:
    from torch.probe import nothing
except ImportError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError("imported a name that is not there")
"""
    )
    run(code, probe)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("first", ["multiprocessing", "alias"])
def test_fresh_child_processes_have_it_too(tmp_path, method, first):
    if method != "spawn" and sys.platform == "win32":
        pytest.skip("there is only spawn on Windows")
    script = tmp_path / "main.py"
    imports = ["import multiprocessing.pool, multiprocessing.spawn", "rushlight.alias.install()"]
    # the guard keeps the installation out of the child: there it must come with the orders
    script.write_text(
        textwrap.dedent(f"""
        if __name__ == "__main__":
            import rushlight.alias
            {"; ".join(imports if first == "multiprocessing" else imports[::-1])}
        import multiprocessing
        import torch

        def where(n):
            return torch.__name__, n + 1

        if __name__ == "__main__":
            with multiprocessing.get_context("{method}").Pool(1) as pool:
                print(pool.map(where, [1, 2]))
        """)
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[('rushlight', 2), ('rushlight', 3)]\n"
