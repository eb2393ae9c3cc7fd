"""Train an image classifier: `tripoint model train --data DIR --out DIR`, or `python -m model.training.train`.

The folder holds one folder of photographs for each class, of which a tenth is set aside, or `train` and
`validation`, each with such folders. Ctrl-C at any time: the same command goes on from the last finished epoch.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core import cpu_count
from model.training.architecture import Weights, convolutions
from model.training.backbone import BackboneError, read_backbone
from model.training.checkpoint import Checkpoint, CheckpointMismatch, load, save
from model.training.dataset import DatasetError, Photos, labels_of, read_split, split_folder
from model.training.linear_probe import fit_probe, smooth
from model.training.network import ConvertExtraMissing, build, import_keras, set_weights
from model.training.progress import TrainingProgress

if TYPE_CHECKING:
    from model.training.release import Workplace
    from model.training.trainer import Recipe

# Training sees a random part of a photograph: it is kept larger than the network's input by this much.
MARGIN = 8 / 7
CHECKPOINT = "checkpoint.npz"
# The built-in model's own layers: they have seen ImageNet, and then clothes.
BACKBONE = Path(__file__).resolve().parent.parent / "clothes" / "clothes-float16.tflite"
BACKBONE_SOURCE = "the layers of Tripoint's model clothes 1.0.0, Apache-2.0"
VALIDATION_SHARE = 0.1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m model.training.train", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="class folders, or train/ and validation/ of them")
    parser.add_argument("--backbone", type=Path, default=BACKBONE, help="MobileNetV2 1.0 to start from, a .tflite")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model; its name names the files")
    parser.add_argument("--work", type=Path, help="folder of the checkpoint (default: build/training/NAME)")
    parser.add_argument("--size", type=int, default=224, help="side of the network's input, a multiple of 32")
    parser.add_argument("--epochs", type=int, default=35)
    parser.add_argument("--rate", type=float, default=3e-4, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model-version", default="1.0.0")
    parser.add_argument("--title", default="", help="one line about the model (default: its name)")
    parser.add_argument("--data-source", default="not stated", help="name, version and licence of the photographs")
    parser.add_argument("--backbone-source", default="", help="name, version and licence of the backbone")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, export, measure and describe a model; return the exit status."""
    options = parse(arguments)
    try:
        with TrainingProgress() as progress:
            document = run(options, progress)
        print(f"{options.out}: validation {document['validation']}")
    except (BackboneError, CheckpointMismatch, ConvertExtraMissing, DatasetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: the same command goes on from the last finished epoch", file=sys.stderr)
        return 130
    return 0


def run(options: argparse.Namespace, progress: TrainingProgress) -> dict[str, object]:
    """Train to the end and release the best weights; return the manifest.

    Raises ConvertExtraMissing, DatasetError, BackboneError, CheckpointMismatch.
    """
    import_keras()
    from model.training.release import Identity, Workplace, release
    from model.training.trainer import Recipe, Trainer

    recipe = Recipe(size=options.size, epochs=options.epochs, rate=options.rate, seed=options.seed)
    work = options.work or Path("build", "training", options.out.name)
    data = split_folder(options.data, work, share=VALIDATION_SHARE, seed=options.seed)
    place = Workplace(data, options.out, labels_of(data / "train"), recipe.size)
    for folder in (work, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    resumed = load(work / CHECKPOINT, recipe.document())
    progress.phase("reading validation")
    validation = read_split(data / "validation", place.labels, size=recipe.size, progress=progress.step)
    start = starting_weights(options.backbone, recipe, place=place, progress=progress)
    progress.phase("reading training photographs")
    side = round(recipe.size * MARGIN)
    photos = read_split(data / "train", place.labels, size=side, progress=progress.step)
    trainer = Trainer(start, photos, validation, recipe=recipe)
    progress.phase("training")
    ended = trainer.train(resumed, listener=progress, keep=lambda state: save(state, work / CHECKPOINT))
    progress.phase("converting and measuring")
    identity = Identity(options.out.name, options.model_version, options.title or options.out.name)
    training = provenance(options, recipe, ended, photos)
    return release(trainer.best_weights(ended), identity, place=place, training=training)


def starting_weights(
    backbone: Path, recipe: Recipe, *, place: Workplace, progress: TrainingProgress
) -> list[Weights]:
    """The backbone's weights and a linear classifier fitted on its features."""
    layers = read_backbone(backbone, convolutions())
    progress.phase("reading training photographs")
    photos = read_split(place.data / "train", place.labels, size=recipe.size, progress=progress.step)
    progress.phase("fitting the first classifier")
    targets = smooth(photos.classes, len(place.labels), smoothing=recipe.smoothing)
    return [*layers, fit_probe(features(layers, photos, batch=recipe.batch), targets)]


def features(
    layers: Sequence[Weights], photos: Photos, *, batch: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The backbone's features [N, 1280] of the photographs."""
    from model.training.export import scaled

    keras = import_keras()
    network = build(2, size=photos.images.shape[1])
    set_weights(network, layers)
    extractor = keras.Model(network.input, network.get_layer("pool").output)
    chunks = range(0, len(photos), 8 * batch)
    parts = (scaled(photos.images[first : first + 8 * batch]) for first in chunks)
    return np.concatenate([extractor.predict(part, batch_size=batch, verbose=0) for part in parts])


def provenance(options: argparse.Namespace, recipe: Recipe, ended: Checkpoint, photos: Photos) -> dict[str, object]:
    """How the model came about, for the manifest; it names no path of the machine."""
    best = min(ended.history, key=lambda epoch: epoch.loss)
    return {
        "command": (
            "tripoint model train --data DIR --backbone FILE --out DIR"
            f" --size {recipe.size} --epochs {recipe.epochs} --rate {recipe.rate:g} --seed {recipe.seed}"
        ),
        "recipe": recipe.document(),
        "seed": recipe.seed,
        "epochs": len(ended.history),
        "best_epoch": best.number,
        "float_validation_accuracy": round(best.accuracy, 4),
        "backbone": options.backbone_source or (BACKBONE_SOURCE if options.backbone == BACKBONE else "not stated"),
        "backbone_sha256": hashlib.sha256(options.backbone.read_bytes()).hexdigest(),
        "data": options.data_source,
        "images": len(photos),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{cpu_count.count()} {platform.machine()} cores, no accelerator",
    }


if __name__ == "__main__":
    sys.exit(main())
