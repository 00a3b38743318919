"""Saving by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import codsl
from codsl.cli.main import main
from codsl.weights import read
from weights.test_save import TEXT, network, same


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, theirs, ours = tmp_path / "n.codsl", tmp_path / "t.npz", tmp_path / "o.safetensors"
    spec.write_text(TEXT)
    net = network()
    with torch.no_grad():
        net.conv.bias[1] = torch.nan
    codsl.save_weights(net, theirs, known="keras")
    status, out, _ = said(capsys, "weights", "inspect", theirs)
    assert status == 0
    assert "model.conv.kernel  float32   3 x 3 x 4" in out
    assert "1 NaN or infinite" in out
    assert "2 tensors, 40 numbers" in out
    status, out, _ = said(capsys, "weights", "inspect", theirs, "--format", "json")
    assert [each["shape"] for each in json.loads(out)["tensors"]] == [[3, 3, 4], [4]]
    status, out, _ = said(capsys, "weights", "match", spec, theirs)
    assert status == 0
    assert "known as `keras`" in out
    status, _, err = said(capsys, "weights", "match", spec, theirs, "--layout", "keras")
    assert status == 1
    assert "a rule: model.{rest} -> {rest}" in err
    rule = "model.{rest} -> {rest}"
    words = ["--layout", "keras", "--rename", rule]
    status, out, _ = said(capsys, "weights", "convert", spec, theirs, "-o", ours, *words)
    assert status == 0
    assert torch.equal(codsl.build(ours).conv.weight, net.conv.weight)
    back = tmp_path / "back.npz"
    status, out, _ = said(
        capsys, "weights", "convert", ours, ours, "--reverse", "--known", "keras", "-o", back
    )
    assert status == 0
    assert read(back)["model.conv.kernel"].tolist() == read(theirs)["model.conv.kernel"].tolist()


def test_a_file_is_written_over_where_one_says_so_and_never_what_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, path, out = tmp_path / "n.codsl", tmp_path / "t.npz", tmp_path / "o.safetensors"
    spec.write_text(TEXT)
    codsl.save_weights(network(), path)
    out.write_bytes(before := b"theirs")
    given = ["weights", "convert", spec, path]
    status, _, err = said(capsys, *given, "-o", out)
    assert (status, out.read_bytes()) == (2, before)
    assert err == f"codsl weights: error: `{out}` is there already; --force writes over it\n"
    status, _, err = said(capsys, "weights", "convert", tmp_path / "no", path, "-o", out)
    assert "is there already" in err
    assert said(capsys, *given, "-o", out, "--force")[0] == 0
    assert same(codsl.build(out), network())
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    before = path.read_bytes()
    for target in (path, link):
        status, _, err = said(capsys, *given, "-o", target, "--force")
        assert (status, path.read_bytes()) == (2, before)
        assert err == f"codsl weights: error: `{target}` is the input itself\n"
    status, _, err = said(capsys, "weights", "convert", out, path, "-o", out, "--force")
    assert status == 2
    assert "is the spec" in err
    status, _, err = said(capsys, *given, "-o", tmp_path / "no" / "o.npz")
    assert status == 2
    assert "is no folder that is there" in err


def test_wrong_use_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, path = tmp_path / "n.codsl", tmp_path / "t.npz"
    spec.write_text(TEXT)
    codsl.save_weights(network(), path)
    assert said(capsys, "weights", "inspect", tmp_path / "none.npz")[0] == 1
    assert said(capsys, "weights", "match", tmp_path / "none.codsl", path)[0] == 1
    status, _, err = said(capsys, "weights", "convert", spec, path, "-o", tmp_path / "x.h5")
    assert status == 2
    assert err == (
        f"codsl weights: error: `{tmp_path / 'x.h5'}`: weights are written to "
        ".safetensors, .npz, .pt, .pth\n"
    )
    status, _, err = said(
        capsys, "weights", "match", spec, path, "--known", "k", "--layout", "keras"
    )
    assert status == 2
    for word, value in (
        ("--adapt", "a.weight=pointwise"),
        ("--allow-missing", "a.{}"),
        ("--allow-unexpected", "a.{}"),
        ("--envelope", "ema"),
    ):
        given = ["weights", "convert", spec, path, "-o", tmp_path / "o.npz", "--reverse"]
        status, _, err = said(capsys, *given, word, value)
        assert status == 2
        assert err == f"codsl weights: error: {word} is nothing that --reverse undoes\n"
        assert not (tmp_path / "o.npz").exists()
    for words in (
        ["weights"],
        ["weights", "inspect"],
        ["weights", "match", spec, path, "--adapt", "x"],
    ):
        with pytest.raises(SystemExit):
            main([str(word) for word in words])
        capsys.readouterr()
