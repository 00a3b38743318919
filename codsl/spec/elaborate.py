"""From the tree to the spec: blocks, conditions, repetitions and templates are carried out."""

from collections.abc import Mapping
from typing import Any

from codsl.algebra.ports import Outlet
from codsl.diagnostics import Findings
from codsl.spec.declared import check_declared
from codsl.spec.draft import Drafts, dtype_of
from codsl.spec.known import Known
from codsl.spec.knowns import knowns_of
from codsl.spec.names import Level, Names
from codsl.spec.outside import parameters
from codsl.spec.place import Place
from codsl.spec.ports import Entries, entries_of, outlets_of, tell_unread
from codsl.spec.room import Full
from codsl.spec.spec import Spec
from codsl.spec.statements import Rows, Statements
from codsl.spec.templates import Templates, templates_of
from codsl.spec.values import Scope
from codsl.syntax import tree
from codsl.syntax.imports import Module

NO_NETWORK = "one is `network n { input (3, T, 8, 8) ... }`, in YAML `input` and `layers`"


def elaborate(
    module: Module,
    rows: Rows,
    variant: str | None,
    params: Mapping[str, Any],
    findings: Findings,
) -> Spec | None:
    """The spec that a file means with these parameters, as far as it can be made out.

    Params over variant over default. What is wrong goes to `findings`; layers after a mistake are
    still read, with their input unknown. None where not even the inputs are known.
    """
    document = module.document
    for each in module.all():
        check_declared(each.document, findings)
    if not document.has_network:
        at = document.source.span(0, 0)
        findings.add("E0202", "this file has no network", at, helps=(NO_NETWORK,))
        return None
    templates = templates_of(module, rows, findings)
    knowns = knowns_of(document, findings)
    scope = parameters(document, variant, params, findings)
    entries = entries_of(document, scope, findings)
    statements = Statements(document, rows, findings)
    place = _beginning(entries, scope, templates, findings)
    try:
        end = statements.through(document.body, place, entries.start)
        statements.look_through(templates)
    except Full:
        return None
    made = statements.made
    if not len(made) and not findings.diagnostics:
        findings.add("E0202", "the network has no layers", document.source.span(0, 0))
    outlets = outlets_of(document, place.names, end, findings) if len(made) else ()
    if not findings.diagnostics:
        templates.tell_unused()
        tell_unread(entries, made.items(), findings)
    return _spec(document, entries, made, outlets, knowns, findings)


def _spec(
    document: tree.Document,
    entries: Entries,
    made: Drafts,
    outlets: tuple[Outlet, ...],
    knowns: tuple[Known, ...],
    findings: Findings,
) -> Spec | None:
    """All that was found out of a network; None where its inputs are not known, or it is empty."""
    inlets, items = entries.inlets(), made.items()
    if inlets is None or not items:
        return None
    return Spec(
        document.name.text if document.name else "network",
        inlets,
        entries.rate,
        items,
        tuple(made.blocks),
        outlets,
        document.inputs[0].span,
        dtype_of(items, findings),
        knowns,
    )


def _beginning(entries: Entries, scope: Scope, templates: Templates, findings: Findings) -> Place:
    """The place before the first statement, where the inputs have their names."""
    place = Place(scope, Names(flows=entries.flows(), unsure=entries.unsure), Level(), templates)
    for entry in entries.each:
        if entry.name and place.level.free(entry.name):
            place.level.take(entry.name, entry.span, True, (), findings)
    return place
