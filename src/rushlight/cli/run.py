"""``rushlight run``: a script, module or line of code as ``__main__``, with ``import torch`` giving rushlight.

What the program sees is what python itself would show it: a fresh ``__main__`` module with ``__file__``, ``__spec__`` and
``__loader__`` (so that ``inspect``, ``pickle`` and ``multiprocessing`` find it), its own ``sys.argv`` and ``sys.path[0]``.
"""

import builtins
import importlib.machinery
import importlib.util
import io
import os
import pkgutil
import sys
import types

from .. import alias
from . import UsageError, frames

__all__ = ["main"]


def main(arguments):
    """Run what the arguments after ``run`` name; returns the exit code."""
    program = _find(arguments)
    alias.install()
    launcher = sys.modules.get("__main__")  # kept alive: its globals are those of whoever called us
    try:
        return _run(*program)
    finally:
        del launcher


def _find(arguments):
    """What to run: (how to make it, its sys.argv, its sys.path[0]). UsageError where it is not there."""
    if not arguments:
        raise UsageError("run needs a SCRIPT, -m MODULE, -c CODE, or - for standard input")
    first, rest = arguments[0], arguments[1:]
    if first in ("-m", "-c") and not rest:
        raise UsageError(f"run {first} needs {'the name of a module' if first == '-m' else 'code'} after it")
    if first == "-m":
        name, rest = rest[0], rest[1:]
        return lambda main: _module(main, name), ["-m", *rest], os.getcwd()
    if first == "-c":
        source, rest = rest[0], rest[1:]
        return lambda main: _line(source), ["-c", *rest], ""
    if first == "-":
        return _standard_input, ["-", *rest], ""
    if first.startswith("-"):
        raise UsageError(f"run has no option '{first}'; a script of that name is ./{first}")
    if not os.path.exists(first):
        raise UsageError(f"can't open file '{os.path.abspath(first)}': No such file or directory")
    path = os.path.join(os.getcwd(), first)
    importer = None if os.path.isfile(path) and first.endswith((".py", ".pyc")) else pkgutil.get_importer(path)
    if importer is not None:
        # a folder or an archive with a __main__.py in it
        spec = importer.find_spec("__main__")
        if spec is None:
            raise UsageError(f"can't find '__main__' module in '{os.path.abspath(first)}'")
        return lambda main: _by_spec(main, spec), [first, *rest], os.path.abspath(first)
    if not os.access(first, os.R_OK):
        raise UsageError(f"can't open file '{os.path.abspath(first)}': Permission denied")
    return lambda main: _script(main, path), [first, *rest], os.path.dirname(os.path.realpath(first))


def _run(make, argv, path):
    """Make the program's ``__main__`` and run it."""
    sys.argv[:] = argv
    if not sys.flags.safe_path:
        # the first entry is the launcher's: the folder of the command, or the current one
        sys.path[0] = path
    main = types.ModuleType("__main__")
    vars(main).update(__builtins__=builtins, __loader__=importlib.machinery.BuiltinImporter)
    sys.modules["__main__"] = main
    try:
        exec(make(main), vars(main))
    except (SystemExit, UsageError):
        raise
    except KeyboardInterrupt as error:
        frames.report(error)
        return 130
    except BaseException as error:
        frames.report(error)
        return 1
    return 0


# ------------------------------------------------------------------------------------- the code, and what __main__ says


def _script(main, path):
    if path.endswith(".pyc"):
        loader = importlib.machinery.SourcelessFileLoader("__main__", path)
        code = loader.get_code("__main__")
    else:
        loader = importlib.machinery.SourceFileLoader("__main__", path)
        with io.open_code(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    vars(main).update(__file__=path, __cached__=None, __loader__=loader)
    return code


def _line(source):
    if sys.version_info >= (3, 13):
        # from this release on python shows the lines of -c in tracebacks
        import linecache

        linecache.cache["<string>"] = (len(source), None, source.splitlines(keepends=True), "<string>")
    return compile(source, "<string>", "exec", dont_inherit=True)


def _standard_input(main):
    source = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read()
    vars(main).update(__file__="<stdin>")
    return compile(source, "<stdin>", "exec", dont_inherit=True)


def _module(main, name):
    spec = _find_module(name)
    if spec.submodule_search_locations is not None:
        inner = _find_module(f"{name}.__main__", f"'{name}' is a package and cannot be directly executed")
        return _by_spec(main, inner)
    return _by_spec(main, spec)


def _find_module(name, otherwise=None):
    if name.startswith("."):
        raise UsageError(f"run -m takes a module's full name, not the relative '{name}'")
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # a parent that is not there, or is no package; what a parent itself fails to import is an error of the program
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        spec = None
    if spec is None or spec.loader is None and otherwise is not None:
        raise UsageError(otherwise or f"No module named {name}")
    return spec


def _by_spec(main, spec):
    code = None if spec.loader is None else spec.loader.get_code(spec.name)
    if code is None:
        raise UsageError(f"there is no code to run in module {spec.name}")
    if spec.name != "__main__":
        sys.argv[0] = spec.origin
    vars(main).update(
        __spec__=spec,
        __loader__=spec.loader,
        __package__=spec.parent,
        __file__=spec.origin,
        __cached__=spec.cached,
    )
    return code
