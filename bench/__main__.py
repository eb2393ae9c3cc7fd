"""`make bench`, or `python -m bench`: measure, print the ratios, write bench/results.json."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import inputs, measure, page, results, selection
from bench.processes import SubjectFailed
from loadtests.record import machine

RESULTS = inputs.REPOSITORY / "bench" / "results.json"
SEED = 20261120


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of several; wider intervals")
    parser.add_argument(
        "--images", type=Path, help="a folder of photographs; default: TRIPOINT_DATA, else the samples"
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="where the results go (default: bench/results.json)"
    )
    parser.add_argument("--tensorflow", metavar="PYTHON", help="an interpreter that has tensorflow (extra `convert`)")
    parser.add_argument("--doc", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run; 0 when measured, whatever came out; 2 when a subject failed."""
    asked = options(arguments)
    with tempfile.TemporaryDirectory(prefix="tripoint-bench-") as name:
        try:
            return run(asked, Path(name))
        except SubjectFailed as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2


def run(asked: argparse.Namespace, work: Path) -> int:
    """Measure in `work` and report."""
    found = inputs.prepare(work, images=asked.images, count=10 if asked.quick else 50, seed=SEED)
    measured = _measure(asked, found)
    command = " ".join(["python -m bench", *(["--quick"] if asked.quick else [])])
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    document = results.document(measured, found, command=command, date=date)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = f"{results.heading(document)}\n\n{results.table(measured, found=document)}"
    print(text)
    if asked.doc:
        page.update(text)
    print(f"\nWritten to {asked.out}")
    return 0


def _measure(asked: argparse.Namespace, found: inputs.BenchInputs) -> results.BenchMeasurements:
    warm_rounds, cold_rounds, thread_rounds = (60, 8, 2) if asked.quick else (600, 60, 8)
    skipped: dict[str, str] = {}
    load_before = machine.load()
    if not selection.has_course():
        skipped["course"] = selection.COURSE_NEEDS
    # First of all: an interpreter that lacks something should not be found out after minutes of measuring.
    keras_file = _keras_file(asked.tensorflow, found.work) if asked.tensorflow else None
    warm = measure.warm(selection.warm(), found, rounds=warm_rounds, seed=SEED, progress=progress)
    cold = measure.cold(selection.cold(found), found, rounds=cold_rounds, seed=SEED, progress=progress)
    if keras_file:
        pair = selection.beside_keras(found, asked.tensorflow, keras_file)
        cold.add(measure.cold(pair, found, rounds=8, seed=SEED, progress=progress))
    else:
        skipped["tensorflow"] = "give an interpreter that has it with --tensorflow"
    progress("threads", 0, 1)
    threads = measure.run_threads(
        selection.threads(rounds=thread_rounds, requests=100 if asked.quick else 400), found
    )
    progress("threads", 1, 1)
    runtimes = dict.fromkeys([selection.default_runtime(), "litert"])
    memory = [measure.run_memory(selection.memory(name), found) for name in runtimes]
    return results.BenchMeasurements(warm, cold, threads, memory, load_before, skipped)


def _keras_file(python: str, work: Path) -> Path:
    """An untrained MobileNetV2 as a Keras file: its time does not depend on its weights."""
    file = work / "network.keras"
    model = "tf.keras.applications.MobileNetV2(weights=None, classes=10)"
    code = f"import sys, PIL, tensorflow as tf; {model}.save(sys.argv[1])"
    done = subprocess.run([python, "-c", code, str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SubjectFailed(f"tensorflow: {python} lacks tensorflow or pillow: {done.stderr[-500:]}")
    return file


def progress(phase: str, done: int, whole: int) -> None:
    """One line that is rewritten on a terminal; elsewhere one line per phase."""
    if sys.stderr.isatty():
        print(f"\r{phase}: {done} of {whole} ", end="\n" if done == whole else "", file=sys.stderr, flush=True)
    elif done == whole:
        print(f"{phase}: {whole} rounds done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
