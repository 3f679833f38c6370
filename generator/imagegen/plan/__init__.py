"""From checked blueprints to plans: every default, order, path and tag decided, once."""

from imagegen.plan.model import Plan
from imagegen.plan.plan import plan

__all__ = ["Plan", "plan"]
