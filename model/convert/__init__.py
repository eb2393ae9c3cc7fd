"""Convert a trained model into a folder of TFLite variants, each compared with the original first."""

from model.convert.conversion import Conversion, ConversionRefused, convert

__all__ = ["Conversion", "ConversionRefused", "convert"]
