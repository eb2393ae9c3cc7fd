"""Read the description that may be embedded in a .tflite file: labels, normalisation, licence.

The table numbers follow `metadata_schema.fbs` of tensorflow/tflite-support, schema version 1.1.0 (read 2026-11-21);
the packages that generate a reader for it are no longer kept up or bring far more than it. The files that belong to
a description are a zip archive at the end of the model's file.
"""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.bundle.model_lookup import RegistryError
from model.registry.labels import clean, parse

if TYPE_CHECKING:
    from model.registry.graph import Graph

_AXIS_LABELS = 2  # AssociatedFileType.TENSOR_AXIS_LABELS
_NORMALISATION = 1  # ProcessUnitOptions.NormalizationOptions
_LABELS_MAX_BYTES = 5_000_000
_DAMAGED = (struct.error, LookupError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file's own description says; `mean` and `std` are of 0..255, empty where nothing is said."""

    title: str | None = None
    version: str | None = None
    licence: str | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


def read(graph: Graph) -> Embedded:
    """Read the description of a file; an empty one where there is none. Raises RegistryError for a damaged one."""
    try:
        described = _Description(graph.metadata) if graph.metadata else None
        labels = _labels(graph.file, described.labels_file if described else None, graph.scores)
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise RegistryError(
            f"{graph.file} has an embedded description that is damaged ({error}): "
            "fetch the file again, or say all of it with --labels and --preprocessing"
        ) from error
    if described is None:
        return Embedded(labels=labels)
    return Embedded(described.title, described.version, described.licence, described.mean, described.std, labels)


def _labels(file: Path, named: str | None, scores: int) -> tuple[str, ...]:
    """The labels among the packed files: the one named, or the only text, where it has a line for each score."""
    if not zipfile.is_zipfile(file):
        return ()
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as packed:
        texts = [each for each in packed.infolist() if each.filename.lower().endswith(".txt")]
        chosen = [each for each in texts if each.filename == named] or (texts if len(texts) == 1 else [])
        if not chosen or chosen[0].file_size > _LABELS_MAX_BYTES:
            return ()
        text = packed.read(chosen[0]).decode("utf-8-sig")
    try:
        found = parse(text, chosen[0].filename)
    except RegistryError:  # of no use: the user is asked, or has said
        return ()
    return found if named or len(found) == scores else ()


class _Description:
    """ModelMetadata: 0 name, 2 version, 3 subgraph_metadata, 5 license."""

    def __init__(self, data: bytes) -> None:
        from flatbuffers import encode, packer, table  # type: ignore[import-untyped]

        root = _Table(table.Table(data, encode.Get(packer.uoffset, data, 0)))
        self.title, self.version, self.licence = root.text(0), root.text(2), root.text(5)
        self.mean: tuple[float, ...] = ()
        self.std: tuple[float, ...] = ()
        self.labels_file: str | None = None
        for subgraph in root.tables(3)[:1]:  # SubGraphMetadata: 2 input_tensor_metadata, 3 output_tensor_metadata
            for tensor in subgraph.tables(2)[:1]:
                self._read_input(tensor)
            for tensor in subgraph.tables(3)[:1]:
                self._read_output(tensor)

    def _read_input(self, tensor: _Table) -> None:
        """TensorMetadata: 4 process_units, each a union: 0 its type, 1 the options; NormalizationOptions: 0, 1."""
        for unit in tensor.tables(4):
            if unit.byte(0) == _NORMALISATION:
                options = unit.union(1)
                self.mean, self.std = _three(options.floats(0)), _three(options.floats(1))

    def _read_output(self, tensor: _Table) -> None:
        """TensorMetadata: 6 associated_files; AssociatedFile: 0 name, 2 type."""
        for file in tensor.tables(6):
            if file.byte(2) == _AXIS_LABELS and self.labels_file is None:
                self.labels_file = file.text(0)


class _Table:
    """A table of a flatbuffer, by the numbers of its fields."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def _offset(self, field: int) -> int:
        return int(self._table.Offset(4 + 2 * field))

    def text(self, field: int) -> str | None:
        offset = self._offset(field)
        found = self._table.String(offset + self._table.Pos).decode(errors="replace") if offset else ""
        return clean(found) or None

    def byte(self, field: int) -> int:
        from flatbuffers import number_types

        offset = self._offset(field)
        return int(self._table.Get(number_types.Uint8Flags, offset + self._table.Pos)) if offset else 0

    def floats(self, field: int) -> tuple[float, ...]:
        from flatbuffers import number_types

        offset = self._offset(field)
        values = self._table.GetVectorAsNumpy(number_types.Float32Flags, offset) if offset else ()
        return tuple(float(value) for value in values)

    def tables(self, field: int) -> list[_Table]:
        offset = self._offset(field)
        if not offset:
            return []
        first, number = self._table.Vector(offset), self._table.VectorLen(offset)
        return [self._at(self._table.Indirect(first + 4 * index)) for index in range(number)]

    def union(self, field: int) -> _Table:
        return self._at(self._table.Indirect(self._offset(field) + self._table.Pos))

    def _at(self, position: int) -> _Table:
        return _Table(type(self._table)(self._table.Bytes, position))


def _three(values: tuple[float, ...]) -> tuple[float, ...]:
    """One number stands for all channels."""
    return values * 3 if len(values) == 1 else values
