"""Folders of this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "model" / "samples"
GOLDEN = ROOT / "tests" / "golden"
