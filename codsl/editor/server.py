"""The language server: the protocol's questions, put to the rest of this room; needs pygls."""

import asyncio

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from codsl.diagnostics import SpecError
from codsl.editor.completion import offers
from codsl.editor.hints import hints
from codsl.editor.hover import hover
from codsl.editor.reading import Reading, understand
from codsl.editor.remedies import mended, remedies
from codsl.editor.told import SHOW, SHOWS, Told
from codsl.editor.variants import choices
from codsl.source import Source
from codsl.surfaces import format

PAUSE = 0.15
"""Seconds without a key pressed until what is wrong is told."""


class Desk:
    """The documents that are open, each with its reading, made when it is asked for."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._readings: dict[str, tuple[int | None, Reading]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._variants: dict[str, str] = {}

    def document(self, uri: str) -> TextDocument:
        """An open document."""
        return self._server.workspace.get_text_document(uri)

    def reading(self, uri: str) -> Reading:
        """What its text says as it is now."""
        document = self.document(uri)
        version, before = self._readings.get(uri, (None, None))
        if before is not None and version == document.version:
            return before
        source = Source(_name(uri, document), document.source)
        after = understand(source, before, self._variants.get(uri, ""))
        self._readings[uri] = (document.version, after)
        return after

    def told(self, uri: str) -> Told:
        """The same, in the protocol's terms."""
        return Told(uri, self.reading(uri), self.document(uri).position_codec)

    def tell_soon(self, uri: str) -> None:
        """Say what is wrong, once nobody types any more."""
        if uri in self._waiting:
            self._waiting[uri].cancel()
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(PAUSE, self.tell, uri)

    def tell(self, uri: str) -> None:
        """Say what is wrong."""
        told = self.told(uri)
        found = [told.diagnostic(each) for each in told.reading.diagnostics]
        self._publish(uri, found, self.document(uri).version)
        if self._shows_hints():
            self._server.workspace_inlay_hint_refresh(None)

    def show(self, uri: str, variant: str) -> None:
        """Go on with the figures of a variant of an open document; of the defaults if empty."""
        self._variants[uri] = variant
        if uri in self._readings:
            self._readings[uri] = (None, self._readings[uri][1])
            self.tell(uri)

    def forget(self, uri: str) -> None:
        """Close a document."""
        self._readings.pop(uri, None)
        self._variants.pop(uri, None)
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


def _name(uri: str, document: TextDocument) -> str:
    """The path of a document; of one that is not saved, a word that says its surface."""
    path = to_fs_path(uri)
    if path is not None:
        return path
    return "<unsaved>.codsl" if document.language_id == "codsl" else "<unsaved>"


def server(version: str) -> LanguageServer:
    """A server that answers for specs in both surfaces."""
    # Whole texts, for an edit of a part would be placed by `str.splitlines`.
    made = LanguageServer("codsl", version, lsp.TextDocumentSyncKind.Full)
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
    @made.feature(
        lsp.TEXT_DOCUMENT_COMPLETION,
        lsp.CompletionOptions(trigger_characters=["(", ",", "=", ":", "$", "{", '"', " "]),
    )
    async def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        told = desk.told(params.text_document.uri)
        offset = told.places.offset(params.position)
        return told.completion(offers(told.reading, offset), params.position)

    @made.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def explain(params: lsp.HoverParams) -> lsp.Hover | None:
        told = desk.told(params.text_document.uri)
        found = hover(told.reading, told.places.offset(params.position))
        if found is None:
            return None
        markdown = lsp.MarkupContent(lsp.MarkupKind.Markdown, found[1])
        return lsp.Hover(markdown, told.range(found[0]))

    @made.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def hint(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        told = desk.told(params.text_document.uri)
        lines = range(params.range.start.line, params.range.end.line + 1)
        shown = [
            lsp.InlayHint(
                told.places.position(each.offset),
                each.text,
                tooltip=lsp.MarkupContent(lsp.MarkupKind.Markdown, each.about),
                padding_left=True,
            )
            for each in hints(told.reading)
        ]
        return [each for each in shown if each.position.line in lines]


def _changes(made: LanguageServer, desk: Desk) -> None:
    @made.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        here = desk.told(params.text_document.uri)
        text = _formatted(here.reading)
        return [] if text in (None, here.reading.source.text) else here.replaced(str(text))

    @made.command(SHOW)
    async def show(uri: str, variant: str) -> None:
        desk.show(uri, variant)

    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll, SHOWS]

    @made.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    async def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        here = desk.told(params.text_document.uri)
        only = {str(getattr(each, "value", each)) for each in params.context.only or kinds}
        found = []
        ends = (params.range.start, params.range.end)
        start, end = (here.places.offset(each) for each in ends)
        if lsp.CodeActionKind.QuickFix.value in only:
            found += [here.quick_fix(each) for each in remedies(here.reading, start, end)]
        if {"source", SHOWS} & only:
            found += [here.shown(each) for each in choices(here.reading, start, end)]
        if {"source", lsp.CodeActionKind.SourceFixAll.value} & only and (
            text := mended(here.reading)
        ):
            found.append(here.fix_all(text))
        return found


def _formatted(reading: Reading) -> str | None:
    """The text in the one style; None where it is broken."""
    try:
        return format(reading.source)
    except SpecError:
        return None
