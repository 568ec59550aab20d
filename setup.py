"""What `pyproject.toml` cannot say: the package is built with the stubs that type checkers read, made by running it."""

import pathlib
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithStubs(build_py):
    """Copies the sources as always, then writes the stubs beside them (beside the originals of an editable install)."""

    def run(self):
        super().run()
        home = pathlib.Path("src" if self.editable_mode else self.build_lib, "rushlight")
        subprocess.run([sys.executable, "tools/stubs.py", str(home)], check=True)


setup(cmdclass={"build_py": BuildWithStubs})
