"""What differs: between two blueprints in words, between two contexts in files and layers."""

from imagegen.compare.contexts import Changed, changed_files, first_rebuilt, unified
from imagegen.compare.difference import Change, difference, paired

__all__ = [
    "Change",
    "Changed",
    "changed_files",
    "difference",
    "first_rebuilt",
    "paired",
    "unified",
]
