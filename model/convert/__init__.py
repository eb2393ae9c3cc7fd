"""From a trained model to a folder of TFLite variants, each compared with the original before it is kept."""

from model.convert.conversion import Conversion, ConversionRefused, convert

__all__ = ["Conversion", "ConversionRefused", "convert"]
