"""The command line: ``rushlight COMMAND …``, also ``python -m rushlight COMMAND …``.

Each command is a module of its own, imported when it is called for. Arguments are taken apart by hand: everything after the name
of a script belongs to the script, options included, and start-up stays small.
"""

import sys

__all__ = ["main"]

_HELP = """\
usage: rushlight run SCRIPT [ARGS...]      run a PyTorch script, unmodified, on rushlight
       rushlight run -m MODULE [ARGS...]   run a module, as python -m does
       rushlight run -c CODE [ARGS...]     run a line of code
       rushlight run - [ARGS...]           run what comes on standard input
       rushlight --version
       rushlight --help

In the script, `import torch` and `import torch.x.y` give rushlight's modules, even where PyTorch is installed.
Everything else is as python itself does it: sys.argv, sys.path, __main__, exit codes. Tracebacks leave out rushlight's own frames;
with RUSHLIGHT_TRACEBACK=full in the environment they are shown.

In code: `import rushlight as torch`, or `import rushlight.alias; rushlight.alias.install()` before whatever imports torch.
"""

_COMMANDS = {"run": "run"}


class UsageError(Exception):
    """The command line does not say what to do; the text is the one line to show."""


def _version():
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rushlight")
    except PackageNotFoundError:
        return "(not installed, run from source)"


def main(argv=None):
    """Run the command line ``argv`` (default: ``sys.argv[1:]``) and return the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    first = argv[0] if argv else None
    if first in ("-h", "--help", "help"):
        sys.stdout.write(_HELP)
        return 0
    if first in ("-V", "--version"):
        import platform

        import numpy

        print(
            f"rushlight {_version()} (PyTorch 2.13 semantics; NumPy {numpy.__version__}, Python {platform.python_version()})"
        )
        return 0
    if first is None:
        sys.stderr.write(_HELP)
        return 2
    try:
        if first not in _COMMANDS:
            hint = f"; to run a script: rushlight run {first}" if not first.startswith("-") else ""
            raise UsageError(f"there is no command or option '{first}'{hint}")
        if argv[1:2] in (["-h"], ["--help"]):
            sys.stdout.write(_HELP)
            return 0
        from importlib import import_module

        return import_module(f".{_COMMANDS[first]}", __name__).main(argv[1:])
    except UsageError as error:
        sys.stderr.write(f"rushlight: {error}\n")
        return 2
