"""From a file to checked blueprints, or every problem at once with its place."""

from imagegen.read.read import Variant, read

__all__ = ["Variant", "read"]
