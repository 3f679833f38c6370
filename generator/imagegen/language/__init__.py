"""The blueprint language: every table and key, with types, defaults and descriptions.

The pydantic models here are parser, validator, default table, documentation and JSON Schema at
once. A docstring under a field is its description for users.
"""

from imagegen.language.blueprint import Blueprint

__all__ = ["Blueprint"]
