"""Convolutions whose arguments stand as torch.nn has them, and mean something else here."""

from collections.abc import Sequence

from codsl.diagnostics import Edit, Findings, Help, Label
from codsl.layers.row import Layer, arguments
from codsl.spec.bind import Passed
from codsl.spec.outside import NOWHERE
from codsl.spec.spec import Item
from codsl.syntax.brackets import whole_entry

ORDER = ["out_channels", "kernel_size", "stride"]
"""What numbers by position are here, where torch.nn has channels in, channels out and a kernel."""

LARGE = 11
"""A kernel beyond this is rather a number of channels."""


def check_order(
    row: type[Layer], passing: Sequence[Passed], channels: int, item: Item, findings: Findings
) -> None:
    """Warn of a layer that fits and whose numbers are likelier torch's `(in, out, kernel)`.

    They are where the first is that of the channels that come in, the second is large and even for
    a kernel, and the third odd and small as kernels are. A signal without space has large kernels
    with a stride that divides them, which says nothing.
    """
    if [each.name for each in arguments(row) if each.positional][:3] != ORDER:
        return
    given = [each for each in passing if each.name is None]
    values = [value for value in (each.value() for each in given) if type(value) is int]
    nowhere = any(each.span.source is NOWHERE for each in given)
    if len(values) < max(3, len(given)) or nowhere:
        return
    first, second, third, *behind = values
    kernel = second > LARGE and second % 2 == 0 and third % 2 and third <= LARGE
    usual = row.rank == 1 and third > 1 and second % third == 0
    padded = behind[:1] in ([second // 2], [second // 2 - 1])
    if first == channels and kernel and not usual and not padded:
        _tell(item, given, values, findings)


def _tell(item: Item, given: Sequence[Passed], values: Sequence[int], findings: Findings) -> None:
    here, meant = (", ".join(map(str, some)) for some in (values, values[1:]))
    out = (Edit(whole_entry(given[0].span), ""),)
    findings.add(
        "W0706",
        f"`{item.type}({here})` has a kernel of {values[1]} and a stride of {values[2]}",
        Label(given[1].span, "the second is `kernel_size`"),
        Label(given[0].span, f"`out_channels`, and {values[0]} channels come in"),
        *(Label(use, f"in this use of `{use.text}`") for use in item.origin.uses),
        notes=("torch.nn has `in_channels` first, which is inferred here",),
        helps=(
            Help(f"if that is meant, leave the first out: `{item.type}({meant})`", out),
            f"if not, name them: `kernel_size={values[1]}, stride={values[2]}`",
        ),
    )
