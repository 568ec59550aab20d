"""``rushlight run`` against python itself: what a program sees, prints and exits with is the same."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
import zipfile

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE)}
ENVIRONMENT.pop("RUSHLIGHT_TRACEBACK", None)


def launch(command, cwd, source=None, **environment):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        input=source,
        capture_output=True,
        text=True,
        timeout=120,
    )


def rushlight(cwd, *arguments, source=None, **environment):
    return launch(["-m", "rushlight", *arguments], cwd, source, **environment)


def python(cwd, *arguments, source=None):
    return launch(arguments, cwd, source)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "show.py").write_text(
        textwrap.dedent("""
        import inspect, sys
        def here(): pass
        print(sys.argv, sys.path[0], __name__, __doc__, __package__, globals().get("__file__"), globals().get("__cached__"))
        print(__spec__ and (__spec__.name, __spec__.origin), type(__loader__).__name__, sys.modules["__main__"].here is here)
        print(__builtins__, len(sys.path))
        try:
            print(inspect.getsource(here))
        except OSError as error:
            print(error)
        """)
    )
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text((tmp_path / "show.py").read_text())
    (package / "broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "module.py").write_text((tmp_path / "show.py").read_text())
    (tmp_path / "link.py").symlink_to(tmp_path / "plain" / "module.py")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.write(tmp_path / "show.py", "__main__.py")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["show.py"],
        ["show.py", "a", "--help", "-c", "--version", "-m"],
        ["./plain/module.py", "-x"],
        ["link.py"],
        ["package"],
        ["archive.zip", "1"],
        ["-m", "package", "1"],
        ["-m", "package.__main__"],
        ["-m", "show", "--help"],
        [
            "-c",
            "import sys; print(sys.argv, sys.path[0], __name__, __spec__, __package__, '__file__' in globals())",
            "x",
            "-m",
        ],
        ["-", "from", "--stdin"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_a_program_sees_what_python_shows_it(folder, arguments):
    source = (folder / "show.py").read_text() if arguments[0] == "-" else None
    ours, plain = rushlight(folder, "run", *arguments, source=source), python(folder, *arguments, source=source)
    assert plain.returncode == 0, plain.stderr
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_safe_path_puts_no_folder_first(folder):
    ours = rushlight(folder, "run", "-c", "import sys; print(sys.path)", PYTHONSAFEPATH="1")
    plain = launch(["-c", "import sys; print(sys.path)"], folder, PYTHONSAFEPATH="1")
    assert ours.stdout == plain.stdout


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit",
        "raise SystemExit(7)",
        "raise SystemExit('a last word')",
        "import sys; sys.exit([])",
        "1 / 0",
        "def f(n):\n    raise KeyError('here') from ValueError(n)\nf(3)",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][1]",
        "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
        "x = = 1",
        "import sys\nsys.excepthook = lambda kind, error, trace: print('mine', kind, trace.tb_lineno)\n1 / 0",
        "import atexit; atexit.register(print, 'at the end'); raise SystemExit(3)",
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()",
        "import os; os._exit(9)",
        "import nothing_of_this_name",
    ],
)
@pytest.mark.parametrize("how", ["script", "-c"])
def test_errors_and_exit_codes_are_pythons(tmp_path, code, how):
    if how == "script":
        (tmp_path / "program.py").write_text(code)
        arguments = ["program.py"]
    else:
        arguments = ["-c", code]
    ours, plain = rushlight(tmp_path, "run", *arguments), python(tmp_path, *arguments)
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_errors_raised_inside_the_library_end_at_the_users_line(tmp_path):
    (tmp_path / "program.py").write_text(
        "import torch\n\n\ndef wrong():\n    torch.ones(2, 3) @ torch.ones(2, 3)\n\n\nwrong()\n"
    )
    shown = rushlight(tmp_path, "run", "program.py")
    assert shown.returncode == 1
    lines = shown.stderr.splitlines()
    files = [line.split('"')[1] for line in lines if line.startswith('  File "')]
    assert files == [str(tmp_path / "program.py")] * 2
    assert lines[-1].startswith("RuntimeError: ")
    full = rushlight(tmp_path, "run", "program.py", RUSHLIGHT_TRACEBACK="full")
    assert str(SOURCE) in full.stderr


def test_a_name_that_is_missing_is_said_to_be(tmp_path):
    done = rushlight(tmp_path, "run", "-c", "from torch import nothing_of_this_name")
    assert done.returncode == 1
    message, note = done.stderr.splitlines()[-2:]
    assert message.startswith("ImportError: cannot import name 'nothing_of_this_name'")
    assert "nothing_of_this_name" in note


def test_frames_of_the_users_hooks_are_shown(tmp_path):
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
        import torch
        x = torch.ones(2, requires_grad=True)
        def hook(grad):
            raise ValueError("from the hook")
        y = x * 2
        y.register_hook(hook)
        y.sum().backward()
        """)
    )
    shown = rushlight(tmp_path, "run", "program.py")
    frames = [line.strip().split(", ", 1)[1] for line in shown.stderr.splitlines() if line.startswith('  File "')]
    assert frames == ["line 8, in <module>", "line 5, in hook"]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["run", "nope.py"], "can't open file '{cwd}/nope.py': No such file or directory"),
        (["run", "-m", "nope"], "No module named nope"),
        (["run", "-m", "package.nope"], "No module named package.nope"),
        (["run", "-m", "quiet.nope"], "No module named quiet.nope"),
        (["run", "-m", "bare"], "'bare' is a package and cannot be directly executed"),
        (["run", "-m", ".show"], "run -m takes a module's full name, not the relative '.show'"),
        (["run", "plain"], "can't find '__main__' module in '{cwd}/plain'"),
        (["run"], "run needs a SCRIPT, -m MODULE, -c CODE, or - for standard input"),
        (["run", "-m"], "run -m needs the name of a module after it"),
        (["run", "-c"], "run -c needs code after it"),
        (["run", "--fast", "x.py"], "run has no option '--fast'; a script of that name is ./--fast"),
        (["show.py"], "there is no command or option 'show.py'; to run a script: rushlight run show.py"),
        (["--nothing"], "there is no command or option '--nothing'"),
    ],
)
def test_a_wrong_command_line_is_one_clear_line_and_exit_code_2(folder, arguments, said):
    (folder / "quiet.py").write_text("")
    (folder / "bare").mkdir()
    (folder / "bare" / "__init__.py").write_text("")
    done = rushlight(folder, *arguments)
    assert done.stderr == f"rushlight: {said.format(cwd=folder)}\n"
    assert (done.stdout, done.returncode) == ("", 2)


def test_a_module_that_fails_to_import_something_is_an_error_of_the_program(folder):
    done = rushlight(folder, "run", "-m", "package.broken")
    assert done.returncode == 1
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'nothing_of_this_name'\n")
    assert done.stderr.count("  File ") == 1


def test_help_and_version(tmp_path):
    for arguments in (["--help"], ["-h"], ["run", "--help"]):
        done = rushlight(tmp_path, *arguments)
        assert done.returncode == 0 and "rushlight run SCRIPT" in done.stdout and not done.stderr
    done = rushlight(tmp_path, "--version")
    assert done.returncode == 0 and done.stdout.startswith("rushlight ") and "PyTorch 2.13" in done.stdout
    done = rushlight(tmp_path)
    assert done.returncode == 2 and "rushlight run SCRIPT" in done.stderr


def test_torch_is_rushlight_in_the_program(tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise AssertionError('the other torch was imported')")
    done = rushlight(tmp_path, "run", "-c", "import torch, rushlight; print(torch is rushlight)")
    assert done.stdout == "True\n", done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent the POSIX way")
def test_an_interrupt_exits_with_130(tmp_path):
    code = "import time; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-m", "rushlight", "run", "-c", code],
        env=ENVIRONMENT,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("KeyboardInterrupt\n") and "rushlight" not in errors


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("how", ["script", "module"])
def test_multiprocessing_children_run_the_program_on_rushlight(tmp_path, method, how):
    if method != "spawn" and sys.platform == "win32":
        pytest.skip("there is only spawn on Windows")
    (tmp_path / "program.py").write_text(
        textwrap.dedent(f"""
        import multiprocessing
        import pickle
        import torch

        class Pair:
            def __init__(self, a, b):
                self.a, self.b = a, b

        def work(pair):
            return Pair(pair.b, (pair.a, torch.__name__))

        if __name__ == "__main__":
            again = pickle.loads(pickle.dumps(Pair(1, 2)))
            assert type(again) is Pair
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                print([(p.a, p.b) for p in pool.map(work, [Pair(1, 2), Pair(3, 4)])])
        """)
    )
    arguments = ["program.py"] if how == "script" else ["-m", "program"]
    done = rushlight(tmp_path, "run", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[(2, (1, 'rushlight')), (4, (3, 'rushlight'))]\n"
