"""What works but will hurt: rules over blueprints, plans and what is rendered from them."""

from imagegen.lint.finding import Finding
from imagegen.lint.lint import found, lint
from imagegen.lint.subject import Subject, subjects

__all__ = ["Finding", "Subject", "found", "lint", "subjects"]
