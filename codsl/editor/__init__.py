"""What an editor asks about a spec while it is written, answered without an editor."""
