"""The continual modules: torch begins here."""
