"""What to say of a `$` in YAML that names no value: `${x}`, `$(x`, `$x.y` and the like."""

import re

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.source import Span

_BRACES = re.compile(r"\$\{(.*)\}")
_ATTRIBUTE = re.compile(r"\$[A-Za-z_]\w*[.\[]")


def not_a_value(written: str, at: Span, findings: Findings) -> None:
    """Report a text that starts with `$` and is neither `$name` nor `$(expression)`."""
    inner = written[1:].strip()
    if braces := _BRACES.fullmatch(written):
        findings.add(
            "E0101", "values are not named by `${...}`", at, helps=_write(at, braces[1].strip())
        )
    elif _ATTRIBUTE.match(written):
        findings.add(
            "E0101",
            f"`{written}` asks for a part of a value; values have no parts",
            at,
            helps=("a value is a number, a text, a tuple or a layer: give the part its own `let`",),
        )
    elif not inner:
        findings.add("E0101", "`$` alone names no value", at, helps=("write `$name`",))
    elif inner.startswith("(") and inner.count("(") > inner.count(")"):
        lacking = ")" * (inner.count("(") - inner.count(")"))
        edit = _instead(at, written, f"${inner}{lacking}")
        helps = (Help(f"add `{lacking}`", (edit,)),)
        findings.add("E0101", f"this expression lacks `{lacking}`", at, helps=helps)
    else:
        bare = inner if not inner.startswith("(") else f"{inner}"
        message = f"`{written}` is neither `$name` nor `$(expression)`"
        balanced = bare.count("(") == bare.count(")")
        findings.add("E0101", message, at, helps=_write(at, bare) if balanced else ())


def _write(at: Span, inner: str) -> list[Help]:
    """What to write instead; where a comma, a colon or a bracket could cut it, in quotes."""
    if inner.isidentifier():
        written = f"${inner}"
    else:
        written = f'"$({inner})"' if re.search(r"[,:#\[\]]", inner) else f"$({inner})"
    return [Help(f"write `{written}`", (Edit(at, written),), Applicability.SURE)]


def _instead(at: Span, written: str, whole: str) -> Edit:
    quoted = at.text != written
    return Edit(at, f'"{whole}"' if quoted or re.search(r"[,:#\[\]]", whole) else whole)
