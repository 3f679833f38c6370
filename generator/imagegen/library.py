"""What comes with imagegen beside its code: templates, the runtime, ready-made blueprints."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def library(part: str) -> Traversable:
    """Find a folder of it: `render/templates`, `runtime` or `blueprints`.

    All lie in the package, but in a checkout the blueprints are at the top of the tree, where
    people look for them.
    """
    packaged = files("imagegen") / part
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / part
