"""Readings in the protocol's terms: lines from 0, columns as the editor counts; needs pygls."""

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from codsl.diagnostics import Diagnostic, Edit
from codsl.editor.completion import Offer, Offers
from codsl.editor.places import Places
from codsl.editor.reading import Reading
from codsl.editor.remedies import Remedy
from codsl.editor.variants import Choice
from codsl.source import Span

SHOW = "codsl.figuresOf"
"""The command that shows the figures of a variant."""
SHOWS = "source.figures"
"""The kind of action that it is."""
KINDS = {
    "layer": lsp.CompletionItemKind.Class,
    "template": lsp.CompletionItemKind.Function,
    "function": lsp.CompletionItemKind.Function,
    "argument": lsp.CompletionItemKind.Property,
    "value": lsp.CompletionItemKind.EnumMember,
    "type": lsp.CompletionItemKind.TypeParameter,
    "name": lsp.CompletionItemKind.Variable,
    "word": lsp.CompletionItemKind.Keyword,
}


class Told:
    """The reading of a document, in the protocol's terms."""

    def __init__(self, uri: str, reading: Reading, codec: PositionCodec) -> None:
        self.uri = uri
        self.reading = reading
        self.places = Places(reading.source.text, codec)
        self._codec = codec

    def range(self, span: Span) -> lsp.Range:
        """Where a stretch stands; the start of the file where it is in another one."""
        if span.source.name != self.reading.source.name:
            return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        return lsp.Range(self.places.position(span.start), self.places.position(span.end))

    def whole(self) -> lsp.Range:
        """All of the text."""
        return lsp.Range(lsp.Position(0, 0), self.places.position(len(self.reading.source.text)))

    def edit(self, edits: Sequence[Edit]) -> lsp.WorkspaceEdit:
        """Edits of this text."""
        changes = [lsp.TextEdit(self.range(each.span), each.replacement) for each in edits]
        return lsp.WorkspaceEdit(changes={self.uri: changes})

    def replaced(self, text: str) -> list[lsp.TextEdit]:
        """The text as another one."""
        return [lsp.TextEdit(self.whole(), text)]

    def diagnostic(self, found: Diagnostic) -> lsp.Diagnostic:
        """A mistake, the other places beside it, its notes and remedies below it."""
        here = [each for each in found.labels if self._is_here(each.span)]
        start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        said = [found.message, *(each.text for each in here[:1] if each.text)]
        said += [f"note: {each}" for each in found.notes]
        said += [f"help: {each.text}" for each in found.helps]
        severity = lsp.DiagnosticSeverity
        others = [each for each in found.labels if each not in here[:1]]
        return lsp.Diagnostic(
            range=self.range(here[0].span) if here else start,
            message="\n".join(said),
            severity=severity.Warning if found.severity == "warning" else severity.Error,
            code=found.code,
            source="codsl",
            related_information=[
                lsp.DiagnosticRelatedInformation(
                    self._location(each.span), each.text or found.message
                )
                for each in others
            ],
        )

    def _is_here(self, span: Span) -> bool:
        return span.source.name == self.reading.source.name

    def _location(self, span: Span) -> lsp.Location:
        """Where a stretch of this file is, or of one that it imports."""
        if self._is_here(span):
            return lsp.Location(self.uri, self.range(span))
        places = Places(span.source.text, self._codec)
        ends = (places.position(each) for each in (span.start, span.end))
        return lsp.Location(Path(span.source.name).resolve().as_uri(), lsp.Range(*ends))

    def completion(self, found: Offers, end: lsp.Position) -> lsp.CompletionList:
        """What can be written from the start of a word to `end`."""
        span = lsp.Range(self.places.position(found.start), end)
        return lsp.CompletionList(False, [_item(each, span) for each in found.offers])

    def quick_fix(self, remedy: Remedy) -> lsp.CodeAction:
        """A remedy as an action, preferred where it is sure."""
        return lsp.CodeAction(
            remedy.title,
            lsp.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(remedy.of)],
            is_preferred=remedy.sure,
            edit=self.edit(remedy.edits),
        )

    def fix_all(self, text: str) -> lsp.CodeAction:
        """The text after all that is sure, as an action."""
        return lsp.CodeAction(
            "carry out all remedies that are sure",
            lsp.CodeActionKind.SourceFixAll,
            edit=lsp.WorkspaceEdit(changes={self.uri: self.replaced(text)}),
        )

    def shown(self, choice: Choice) -> lsp.CodeAction:
        """A choice of parameters as an action."""
        command = lsp.Command(choice.title, SHOW, arguments=[self.uri, choice.variant])
        return lsp.CodeAction(choice.title, SHOWS, command=command)


def _item(offer: Offer, span: lsp.Range) -> lsp.CompletionItem:
    markdown = lsp.MarkupContent(lsp.MarkupKind.Markdown, offer.about) if offer.about else None
    return lsp.CompletionItem(
        label=offer.label,
        kind=KINDS[offer.kind],
        detail=offer.detail or None,
        documentation=markdown,
        text_edit=lsp.TextEdit(span, offer.insert),
        insert_text_format=lsp.InsertTextFormat.Snippet,
    )
