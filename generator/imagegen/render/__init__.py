"""From a plan to files in memory: how things look, nothing decided."""

from imagegen.render.bake import bake_file
from imagegen.render.chain import Rendered, by_folder, rendered
from imagegen.render.context import context

__all__ = ["Rendered", "bake_file", "by_folder", "context", "rendered"]
