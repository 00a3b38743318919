"""Names of a spec as names of C and C++."""

from collections.abc import Sequence

KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class compl concept const consteval constexpr constinit const_cast continue co_await
    co_return co_yield decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast requires restrict
    return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
    wchar_t while xor xor_eq
    """.split()  # noqa: SIM905
)


def apart(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names of C that are all different, and none of those that are taken."""
    found: list[str] = []
    for name in names:
        own = name.replace(".", "_")
        while own in KEYWORDS or own in taken or own in found:
            own += "_"
        found.append(own)
    return found
