"""The continual modules: torch begins here."""

from codsl.nn.state import State

__all__ = ["State"]
