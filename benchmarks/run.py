"""Time the workloads on rushlight and on the real PyTorch, side by side.

    python benchmarks/run.py                     # all of them; prints the table
    python benchmarks/run.py five_operators      # some of them
    python benchmarks/run.py --write             # also put the table into benchmarks/README.md

Both take turns, each time in a fresh process, so that whatever else the machine does strikes both. A turn reports the median
over several samples of a step; a round is one turn of each, and gives one ratio. What is printed is the median ratio, and the lowest and
highest seen. Both get the same number of threads, and the environment's OPENBLAS_* variables are removed: a machine may pin an older
kernel with them than a user's would pick.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
IMPORT = "import"
LIBRARIES = ("rushlight", "torch")


# ------------------------------------------------------------------------------------------------ in the timed process


def measure_import(library):
    started = time.perf_counter()
    __import__(library)
    return time.perf_counter() - started


def measure(name, library, threads, samples, sample_seconds):
    """Median seconds of one step."""
    if name == IMPORT:
        return measure_import(library)
    torch = __import__(library)
    if library == "torch":
        torch.set_num_threads(threads)
    sys.path.insert(0, str(HERE))
    from workloads import WORKLOADS

    step = WORKLOADS[name](torch)
    clock = time.perf_counter
    # warm up for as long as a sample, and learn how many steps that is
    count, started = 0, clock()
    while count < 3 or clock() - started < sample_seconds:
        step()
        count += 1
    times = []
    for _ in range(samples):
        started = clock()
        for _ in range(count):
            step()
        times.append((clock() - started) / count)
    return statistics.median(times)


# ------------------------------------------------------------------------------------------------ the one that compares


def turn(name, library, options):
    """One measurement in a fresh process."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    # an installed library has its bytecode beside it; so has this one, from the second import on
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPATH"] = str(HERE.parent / "src")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        environment[variable] = str(options.threads)
    command = [sys.executable, str(HERE / "run.py"), "--turn", name, library, "--threads", str(options.threads)]
    command += ["--samples", str(options.samples), "--sample-seconds", str(options.sample_seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed on {library}:\n{done.stderr}")
    return json.loads(done.stdout)


def compare(name, options):
    """Seconds of each library, a list over the rounds."""
    seconds = {library: [] for library in LIBRARIES}
    if name == IMPORT:
        for library in LIBRARIES:
            turn(name, library, options)  # compiles what has not been compiled, and fills the file cache
    for round_ in range(options.rounds):
        for library in LIBRARIES if round_ % 2 == 0 else LIBRARIES[::-1]:
            seconds[library].append(turn(name, library, options))
    return seconds


def readable(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def row(name, seconds):
    """The table's row: what, both medians, the ratio with its spread, and what was promised."""
    from workloads import WORKLOADS

    title, promised = ("import", 6.0) if name == IMPORT else (WORKLOADS[name].title, WORKLOADS[name].at_least)
    ratios = [theirs / ours for ours, theirs in zip(seconds["rushlight"], seconds["torch"])]
    ours, theirs = (readable(statistics.median(seconds[library])) for library in LIBRARIES)
    spread = f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"
    wanted = "" if promised is None else f"at least {promised:g}"
    return f"| {title} | {ours} | {theirs} | {spread} | {wanted} |"


def machine():
    model = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def table(rows, options):
    from importlib.metadata import version

    versions = f"Python {platform.python_version()}, NumPy {version('numpy')}, PyTorch {version('torch')}"
    today = datetime.datetime.now(datetime.UTC).date()
    head = [
        f"{today}; {machine()}; {versions}; {options.threads} threads each; {options.rounds} rounds.",
        "",
        "| what | rushlight | PyTorch | times as fast (lowest to highest) | promised |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def write(text):
    readme = HERE / "README.md"
    begin, end = "<!-- table -->", "<!-- end of table -->"
    before, _, rest = readme.read_text().partition(begin)
    _, _, after = rest.partition(end)
    readme.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main():
    parser = argparse.ArgumentParser(description="Time rushlight and PyTorch side by side.")
    parser.add_argument("names", nargs="*", help="workloads; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=7, help="samples in a turn")
    parser.add_argument("--sample-seconds", type=float, default=0.1)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    parser.add_argument("--turn", nargs=2, metavar=("NAME", "LIBRARY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(measure(*options.turn, options.threads, options.samples, options.sample_seconds)))
        return
    from workloads import WORKLOADS

    unknown = set(options.names) - {*WORKLOADS, IMPORT}
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join([*WORKLOADS, IMPORT])}")
    rows = []
    for name in options.names or [*WORKLOADS, IMPORT]:
        rows.append(row(name, compare(name, options)))
        print(rows[-1], flush=True)
    text = table(rows, options)
    print("\n" + text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
