"""A file together with those that it imports, each of them read once."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from codsl.diagnostics import Findings, Help, did_you_mean
from codsl.source import Source
from codsl.syntax import tree
from codsl.syntax.files import Files, Outside
from codsl.syntax.read import read
from codsl.syntax.validator import Validator

MOST = 100
"""Imported files at most."""
LONGEST = 1024 * 1024
"""Characters of all imported files at most."""

ROOT = "say which folder holds all files: `root` in Python, `--root` on the command line"
"""The way out where files lie elsewhere."""


@final
@dataclass(frozen=True, eq=False)
class Module:
    """A file, and those that it imports under the names that it gives them.

    `name` is the way to it from the spec itself, whose own is empty. What is imported is None where
    it could not be read, for a reason that has been reported.
    """

    name: str
    document: tree.Document
    imports: Mapping[str, "Module | None"]

    def all(self) -> Iterator["Module"]:
        """Itself and all that are imported from here on, each once."""
        pending, seen = [self], {id(self)}
        while pending:
            module = pending.pop()
            yield module
            fresh = [each for each in module.imports.values() if each and id(each) not in seen]
            seen.update(map(id, fresh))
            pending += dict.fromkeys(fresh)

    def texts(self) -> dict[str, str]:
        """The texts of all that are imported from here on, by their names."""
        imported = [each for each in self.all() if each is not self]
        imported.sort(key=lambda each: each.name)
        return {each.name: each.document.source.text for each in imported}


def follow(
    document: tree.Document,
    files: Files | None,
    validator: Validator,
    findings: Findings,
    identity: str | None = None,
) -> Module:
    """A spec with all that it imports; `identity` is its own among the files, if it is one.

    `files` is None where a spec has no folder. What cannot be imported goes to `findings`.
    """
    name = posixpath.basename(document.source.name)
    reader = _Reader(files, validator, findings)
    return reader.module("", document, (_Step(name, identity),))


@dataclass(frozen=True)
class _Step:
    """A file on the way to another one."""

    name: str
    identity: str | None


class _Reader:
    """Reads each file once; a way is that of files which lead to one, from the spec on."""

    def __init__(self, files: Files | None, validator: Validator, findings: Findings) -> None:
        self._files = files
        self._validator = validator
        self._findings = findings
        self._read: dict[str, Module | None] = {}
        self._length = 0

    def module(self, name: str, document: tree.Document, way: tuple[_Step, ...]) -> Module:
        """A file with what it imports."""
        imports: dict[str, Module | None] = {}
        for each in document.imports:
            imports.setdefault(each.name.text, self._imported(each, name, way))
        return Module(name, document, imports)

    def _imported(self, given: tree.Import, importer: str, way: tuple[_Step, ...]) -> Module | None:
        name = self._name(given, importer)
        try:
            if name is None or self._files is None:
                return None
            step = _Step(name, self._files.identity(name))
            if self._is_circle(step, given, way):
                return None
            if name not in self._read:
                self._read[name] = None
                source = self._source(name, given, self._files)
                document = read(source, self._findings, self._validator) if source else None
                if document is not None:
                    self._read[name] = self.module(name, document, (*way, step))
            return self._read[name]
        except Outside as error:
            self._refuse("E0502", given, str(error), ROOT)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self._refuse("E0501", given, f"cannot be imported: {reason}", *self._near(given, name))
        return None

    def _near(self, given: tree.Import, name: str | None) -> list[Help]:
        """The file of the same folder that an import was probably to name."""
        if self._files is None or name is None:
            return []
        file = posixpath.basename(name)
        beside = [each for each in self._files.beside(name) if each != file]
        return did_you_mean(file, beside, given.path.span.within(file))

    def _name(self, given: tree.Import, importer: str) -> str | None:
        """The way from the spec to a file, without turns back where it can be."""
        path = given.path.value
        if not isinstance(path, str):
            return None
        if self._files is None:
            self._refuse("E0501", given, "has no folder to be in: this spec is no file", ROOT)
        elif path.startswith("/"):
            self._refuse("E0502", given, "is absolute: the path of an import begins at its file")
        elif "\\" in path:
            self._refuse("E0501", given, "is no path: `/` stands between the parts of one")
        else:
            return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))
        return None

    def _source(self, name: str, given: tree.Import, files: Files) -> Source | None:
        """The text of a file, unless there are too many or too much already."""
        if len(self._read) > MOST:
            if len(self._read) == MOST + 1:
                message = f"more than {MOST} files are imported"
                self._findings.add("E0106", message, given.path.span)
            return None
        source = files.open(name)
        before, self._length = self._length, self._length + len(source.text)
        if self._length <= LONGEST:
            return source
        if before <= LONGEST:
            message = f"imported files have {LONGEST // 1024**2} MB at most, all together"
            self._findings.add("E0106", message, given.path.span)
        return None

    def _is_circle(self, step: _Step, given: tree.Import, way: tuple[_Step, ...]) -> bool:
        """Whether a file is imported on the way to itself, which is reported."""
        identities = [each.identity for each in way]
        if step.identity not in identities:
            return False
        names = [each.name for each in way[identities.index(step.identity) :]]
        chain = " imports ".join(f"`{each}`" for each in [*names, names[0]])
        self._findings.add(
            "E0503",
            "this file imports itself" if len(names) == 1 else "these files import each other",
            given.path.span,
            notes=(chain,),
            helps=("what both need can lie in a third file",) if len(names) > 1 else (),
        )
        return True

    def _refuse(self, code: str, given: tree.Import, reason: str, *helps: str | Help) -> None:
        self._findings.add(code, f"`{given.path.value}` {reason}", given.path.span, helps=helps)
