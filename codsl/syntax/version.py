"""Which versions of the language are read."""

from codsl.diagnostics import Edit, Findings, Help
from codsl.source import Span
from codsl.syntax.words import VERSION


def foreign(written: str, at: Span, findings: Findings) -> None:
    """Report a version that is not read here, later or none at all."""
    if written.isdecimal() and int(written[:9]) > VERSION:
        findings.add(
            "E0104",
            f"this is version {written} of the language; this codsl reads version {VERSION}",
            at,
            helps=("install a newer codsl",),
        )
        return
    findings.add(
        "E0104",
        f"`{written}` is no version of the language",
        at,
        helps=(Help(f"the version is `{VERSION}`", (Edit(at, str(VERSION)),)),),
    )
