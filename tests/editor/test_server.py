"""A whole session with the language server, over its standard input and output."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from codsl.cli.main import main

GOOD = """codsl 1

network n {
  input (3, T, 8, 8)
  # 😀
  a = conv3d(4, 3, padding=1)
  relu
}
"""
WRONG = GOOD.replace("padding=1)", "padding=1, grups=2)").replace("# 😀", "relu # 😀")

STYLE = {"tabSize": 2, "insertSpaces": True}


class Session:
    """A client of the protocol, as small as can be."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self._server = server
        self._number = 0
        self.told: list[dict[str, Any]] = []

    def send(self, **message: Any) -> None:
        assert self._server.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._server.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self._server.stdout
        length = 0
        while line := self._server.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        return message

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self.send(id=self._number, method=method, params=params)
        while True:
            message = self.receive()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self.told.append(message)

    def diagnostics(self) -> list[dict[str, Any]]:
        """Those of the next time that some are told."""
        while True:
            message = self.told.pop(0) if self.told else self.receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                return found


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    command = [sys.executable, "-m", "codsl", "lsp", "--stdio"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        patience = Timer(120, server.kill)
        patience.start()
        session = Session(server)
        able = session.ask("initialize", processId=None, rootUri=None, capabilities={})
        assert able["serverInfo"]["name"] == "codsl"
        assert able["capabilities"]["inlayHintProvider"]
        session.send(method="initialized", params={})
        yield session
        assert session.ask("shutdown") is None
        session.send(method="exit")
        _, errors = server.communicate(timeout=30)
        patience.cancel()
        assert server.returncode == 0
        assert b"Traceback" not in errors


def at(text: str, word: str, after: int = 0) -> dict[str, int]:
    """Where a word stands, in the units of the protocol."""
    before = text[: text.index(word) + after]
    line = before.rpartition("\n")[2]
    return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}


def opened(session: Session, path: Path, text: str, language: str = "codsl") -> dict[str, str]:
    uri = path.as_uri()
    session.send(
        method="textDocument/didOpen",
        params={"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}},
    )
    return {"uri": uri}


def everything() -> dict[str, Any]:
    return {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}


def test_a_mistake_is_told_and_mended(session: Session, tmp_path: Path) -> None:
    document = opened(session, tmp_path / "net.codsl", WRONG)
    (found,) = session.diagnostics()
    assert (found["code"], found["severity"], found["source"]) == ("E0303", 1, "codsl")
    span = {"start": at(WRONG, "grups"), "end": at(WRONG, "grups", 5)}
    assert found["range"] == span
    assert "help: did you mean `groups`?" in found["message"]
    actions = session.ask(
        "textDocument/codeAction",
        textDocument=document,
        range=span,
        context={"diagnostics": [found]},
    )
    quick, everywhere = actions
    (edit,) = quick["edit"]["changes"][document["uri"]]
    assert (quick["isPreferred"], edit) == (True, {"range": span, "newText": "groups"})
    (whole,) = everywhere["edit"]["changes"][document["uri"]]
    assert everywhere["kind"] == "source.fixAll"
    assert "groups=2" in whole["newText"]


def test_typing_and_what_is_shown_then(session: Session, tmp_path: Path) -> None:
    document = opened(session, tmp_path / "typed.codsl", GOOD)
    assert session.diagnostics() == []
    hints = session.ask("textDocument/inlayHint", textDocument=document, range=everything())
    assert [(each["position"]["line"], each["label"]) for each in hints] == [
        (5, "4 x T x 8 x 8, field 3, delay 1"),
        (6, "4 x T x 8 x 8, field 3, delay 1"),
    ]
    hover = session.ask("textDocument/hover", textDocument=document, position=at(GOOD, "conv3d"))
    assert "`a`: 4 x T x 8 x 8, field 3, delay 1" in hover["contents"]["value"]
    assert "Convolution over time" in hover["contents"]["value"]

    typed = GOOD.replace("relu", "relu\n  b = conv3d(4, ")
    session.send(
        method="textDocument/didChange",
        params={
            "textDocument": {**document, "version": 2},
            "contentChanges": [{"text": typed}],
        },
    )
    assert [each["code"] for each in session.diagnostics()] == ["E0101"]
    assert session.ask("textDocument/inlayHint", textDocument=document, range=everything()) == []
    assert session.ask("textDocument/formatting", textDocument=document, options=STYLE) == []
    offered = session.ask(
        "textDocument/completion",
        textDocument=document,
        position={"line": 7, "character": len("  b = conv3d(4, ")},
    )["items"]
    (kernel,) = (each for each in offered if each["label"] == "kernel_size")
    assert kernel["textEdit"]["newText"] == "kernel_size=$0"
    session.send(method="textDocument/didClose", params={"textDocument": document})
    assert session.diagnostics() == []


def test_an_empty_file_is_begun(session: Session, tmp_path: Path) -> None:
    document = opened(session, tmp_path / "empty.codsl", "")
    assert [each["code"] for each in session.diagnostics()] == ["E0201"]
    begin = {"line": 0, "character": 0}
    offered = session.ask("textDocument/completion", textDocument=document, position=begin)
    assert "network" in [each["label"] for each in offered["items"]]


def test_a_last_line_without_an_end_has_its_hint(session: Session, tmp_path: Path) -> None:
    text = "codsl: 1\n# \u2028\ninput: [3, T]\nlayers: [relu]"
    document = opened(session, tmp_path / "short.yaml", text, "yaml")
    assert session.diagnostics() == []
    (hint,) = session.ask("textDocument/inlayHint", textDocument=document, range=everything())
    assert hint["position"] == {"line": 3, "character": len("layers: [relu]")}


def test_yaml_is_formatted_too(session: Session, tmp_path: Path) -> None:
    text = "codsl: 1\ninput:   [3, T]\nlayers:\n- relu\n"
    document = opened(session, tmp_path / "net.yaml", text, "yaml")
    assert session.diagnostics() == []
    (edit,) = session.ask("textDocument/formatting", textDocument=document, options=STYLE)
    assert "input: [3, T]\n" in edit["newText"]


def test_a_mistake_in_an_imported_file_is_told_with_its_place(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "blocks.codsl").write_text("codsl 1\ntemplate unit() {\n  rleu\n}\n")
    text = 'codsl 1\nimport "./blocks.codsl" as b\nnetwork n {\n  input (3, T)\n  b.unit\n}\n'
    document = opened(session, tmp_path / "user.codsl", text)
    (found,) = session.diagnostics()
    assert found["code"] == "E0302"
    assert "rleu" in found["message"]
    (there,) = (each["location"] for each in found["relatedInformation"])
    assert there["uri"] == (tmp_path / "blocks.codsl").as_uri() != document["uri"]
    assert there["range"]["start"] == {"line": 2, "character": 2}


def test_other_yaml_is_left_alone(session: Session, tmp_path: Path) -> None:
    opened(session, tmp_path / "compose.yaml", "services: [a, b]\nlayers: 3\n", "yaml")
    assert session.diagnostics() == []


def test_without_pygls_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.delitem(sys.modules, "codsl.editor.server", raising=False)
    assert main(["lsp"]) == 2
    assert "pip install 'codsl[lsp]'" in capsys.readouterr().err


def test_a_file_that_is_not_saved(session: Session) -> None:
    params = {"uri": "untitled:Untitled-1", "languageId": "codsl", "version": 1, "text": "codsl"}
    session.send(method="textDocument/didOpen", params={"textDocument": params})
    assert session.diagnostics()


def test_the_figures_of_a_variant(session: Session, tmp_path: Path) -> None:
    text = GOOD.replace("n {", "n(width = 4) {").replace("(4, 3", "(width, 3")
    text += "variant wide { width = 16 }\n"
    document = opened(session, tmp_path / "varied.codsl", text)
    assert session.diagnostics() == []
    span = {"start": at(text, "wide"), "end": at(text, "wide")}
    (action,) = session.ask(
        "textDocument/codeAction",
        textDocument=document,
        range=span,
        context={"diagnostics": []},
    )
    assert action["title"] == "show the figures of the variant `wide`"
    command = action["command"]
    session.ask(
        "workspace/executeCommand", command=command["command"], arguments=command["arguments"]
    )
    hints = session.ask("textDocument/inlayHint", textDocument=document, range=everything())
    labels = [each["label"] for each in hints]
    assert labels[0].startswith("16 x T")
    assert labels[-1] == "shown"
