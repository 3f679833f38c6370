"""Where a value comes from, and what becomes of it."""

from imagegen.explain.explain import Explained, explain
from imagegen.explain.key import Asked, asked

__all__ = ["Asked", "Explained", "asked", "explain"]
