"""The language server: the protocol's questions, put to the rest of this room; needs pygls."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from codsl.diagnostics import Diagnostic, Edit, SpecError
from codsl.editor.completion import Offer, offers
from codsl.editor.hints import hints
from codsl.editor.hover import hover
from codsl.editor.reading import Reading, understand
from codsl.editor.remedies import mended, remedies
from codsl.source import Source, Span
from codsl.surfaces import format

PAUSE = 0.15
"""Seconds without a key pressed until what is wrong is told."""

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


class Desk:
    """The documents that are open, each with its reading, made when it is asked for."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._readings: dict[str, tuple[int | None, Reading]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def document(self, uri: str) -> TextDocument:
        """An open document."""
        return self._server.workspace.get_text_document(uri)

    def reading(self, uri: str) -> Reading:
        """What its text says as it is now."""
        document = self.document(uri)
        version, before = self._readings.get(uri, (None, None))
        if before is not None and version == document.version:
            return before
        after = understand(Source(_name(uri, document), document.source), before)
        self._readings[uri] = (document.version, after)
        return after

    def tell_soon(self, uri: str) -> None:
        """Say what is wrong, once nobody types any more."""
        if uri in self._waiting:
            self._waiting[uri].cancel()
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(PAUSE, self.tell, uri)

    def tell(self, uri: str) -> None:
        """Say what is wrong."""
        told = Told(self.document(uri), uri, self.reading(uri))
        found = [told.diagnostic(each) for each in told.reading.diagnostics]
        self._publish(uri, found, told.document.version)
        if self._shows_hints():
            self._server.workspace_inlay_hint_refresh(None)

    def forget(self, uri: str) -> None:
        """Close a document."""
        self._readings.pop(uri, None)
        if handle := self._waiting.pop(uri, None):
            handle.cancel()
        self._publish(uri, [], None)

    def _publish(self, uri: str, found: list[lsp.Diagnostic], version: int | None) -> None:
        self._server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        )

    def _shows_hints(self) -> bool:
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)


class Told:
    """A reading in the protocol's terms: its lines count from 0, its columns as the editor does."""

    def __init__(self, document: TextDocument, uri: str, reading: Reading) -> None:
        self.document = document
        self.uri = uri
        self.reading = reading

    def position(self, offset: int) -> lsp.Position:
        """Where a character of the text stands."""
        return self.document.client_position_at_offset(offset)

    def range(self, span: Span) -> lsp.Range:
        """Where a stretch stands; the start of the file where it is in another one."""
        if span.source.name != self.reading.source.name:
            return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        return lsp.Range(self.position(span.start), self.position(span.end))

    def whole(self) -> lsp.Range:
        """All of the text."""
        return lsp.Range(lsp.Position(0, 0), self.position(len(self.reading.source.text)))

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
        place = TextDocument(
            Path(span.source.name).resolve().as_uri(),
            span.source.text,
            position_codec=self.document.position_codec,
        )
        ends = (place.client_position_at_offset(each) for each in (span.start, span.end))
        return lsp.Location(place.uri, lsp.Range(*ends))


def _name(uri: str, document: TextDocument) -> str:
    """The path of a document; of one that is not saved, a word that says its surface."""
    path = to_fs_path(uri)
    if path is not None:
        return path
    return "<unsaved>.codsl" if document.language_id == "codsl" else "<unsaved>"


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


def server(version: str) -> LanguageServer:
    """A server that answers for specs in both surfaces."""
    made = LanguageServer("codsl", version)
    desk = Desk(made)
    _documents(made, desk)
    _answers(made, desk)
    _changes(made, desk)
    return made


def _documents(made: LanguageServer, desk: Desk) -> None:
    @made.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        desk.tell(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        desk.tell_soon(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        desk.forget(params.text_document.uri)


def _answers(made: LanguageServer, desk: Desk) -> None:
    def asked(uri: str, position: lsp.Position) -> tuple[Told, int]:
        document = desk.document(uri)
        return Told(document, uri, desk.reading(uri)), document.offset_at_position(position)

    @made.feature(
        lsp.TEXT_DOCUMENT_COMPLETION,
        lsp.CompletionOptions(trigger_characters=["(", ",", "=", ":", "$", "{", '"', " "]),
    )
    async def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        told, offset = asked(params.text_document.uri, params.position)
        found = offers(told.reading, offset)
        span = lsp.Range(told.position(found.start), params.position)
        return lsp.CompletionList(False, [_item(each, span) for each in found.offers])

    @made.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def explain(params: lsp.HoverParams) -> lsp.Hover | None:
        told, offset = asked(params.text_document.uri, params.position)
        found = hover(told.reading, offset)
        if found is None:
            return None
        markdown = lsp.MarkupContent(lsp.MarkupKind.Markdown, found[1])
        return lsp.Hover(markdown, told.range(found[0]))

    @made.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def hint(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        told, _ = asked(params.text_document.uri, lsp.Position(0, 0))
        lines = range(params.range.start.line, params.range.end.line + 1)
        shown = [
            lsp.InlayHint(
                told.position(each.offset),
                each.text,
                tooltip=lsp.MarkupContent(lsp.MarkupKind.Markdown, each.about),
                padding_left=True,
            )
            for each in hints(told.reading)
        ]
        return [each for each in shown if each.position.line in lines]


def _changes(made: LanguageServer, desk: Desk) -> None:
    def told(uri: str) -> Told:
        return Told(desk.document(uri), uri, desk.reading(uri))

    def rewritten(uri: str, change: Callable[[Reading], str | None]) -> list[lsp.TextEdit]:
        here = told(uri)
        text = change(here.reading)
        return [] if text in (None, here.reading.source.text) else here.replaced(str(text))

    @made.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        return rewritten(params.text_document.uri, _formatted)

    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]

    @made.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    async def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        here = told(uri)
        only = params.context.only or kinds
        start, end = (
            here.document.offset_at_position(each)
            for each in (params.range.start, params.range.end)
        )
        found = []
        if lsp.CodeActionKind.QuickFix in only:
            found += [
                lsp.CodeAction(
                    each.title,
                    lsp.CodeActionKind.QuickFix,
                    diagnostics=[here.diagnostic(each.of)],
                    is_preferred=each.sure,
                    edit=here.edit(each.edits),
                )
                for each in remedies(here.reading, start, end)
            ]
        if {"source", lsp.CodeActionKind.SourceFixAll} & {*only} and (
            edits := rewritten(uri, mended)
        ):
            title = "carry out all remedies that are sure"
            edit = lsp.WorkspaceEdit(changes={uri: edits})
            found.append(lsp.CodeAction(title, lsp.CodeActionKind.SourceFixAll, edit=edit))
        return found


def _formatted(reading: Reading) -> str | None:
    """The text in the one style; None where it is broken."""
    try:
        return format(reading.source)
    except SpecError:
        return None
