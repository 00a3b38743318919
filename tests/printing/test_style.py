"""The one style: what every construct looks like, and where comments find their place."""

from pathlib import Path
from textwrap import dedent

import pytest

import codsl

PAIRS = {
    "what fits stays on a line": (
        """
        codsl   1
        doc "A net."
        template unit(out:int,act:layer="relu"){conv=conv3d( out , ( 3,1,1 ),bias = false) act}
        network n( width=2.0,depth : int ) { input ( 3,T , 8 ) rate 30
          outputs a , b.c [*]
          let c=round_to( 24*width,8 ), d = -c**2
          a={relu   unit( out=c )} from input
          when  not(c>1 or depth==2){relu}else{tanh}
          parallel( "sum" ) {x{relu} y {}}
          u[i in 1 .. depth step 2]=unit(out=8*i)
        }
        variant wide{width=3.0 depth=2}
        weights"w"{layout="keras" "a.{i}"->"b.{i+1}" "a" = "pointwise"}
        """,
        """
        codsl 1

        doc "A net."

        template unit(out: int, act: layer = "relu") {
          conv = conv3d(out, (3, 1, 1), bias=false)
          act
        }

        network n(width = 2.0, depth: int) {
          input (3, T, 8) rate 30
          outputs a, b.c[*]
          let c = round_to(24 * width, 8), d = -c ** 2
          a = { relu  unit(out=c) } from input
          when not (c > 1 or depth == 2) { relu } else { tanh }
          parallel("sum") { x { relu }  y {} }
          u[i in 1..depth step 2] = unit(out=8 * i)
        }

        variant wide { width = 3.0  depth = 2 }

        weights "w" {
          layout = "keras"
          "a.{i}" -> "b.{i+1}"
          "a" = "pointwise"
        }
        """,
        """
        codsl: 1
        name: n
        doc: A net.
        params: {width: 2.0, depth: int}
        variants:
          wide: {width: 3.0, depth: 2}
        input: {shape: [3, T, 8], rate: 30}
        outputs: [a, "b.c[*]"]

        templates:
          unit:
            params:
              out: int
              act: {type: layer, default: relu}
            layers:
              - conv3d: {name: conv, out_channels: $out, kernel_size: [3, 1, 1], bias: false}
              - $act

        layers:
          - let: {c: "$(round_to(24 * width, 8))", d: $(-c ** 2)}
          - sequential: {name: a, from: input, layers: [relu, {$unit: {out: $c}}]}
          - when: {test: $(not (c > 1 or depth == 2)), layers: [relu], else: [tanh]}
          - parallel: {aggregation: sum, branches: {x: [relu], y: []}}
          - repeat: {name: u, index: i, range: [1, $depth, 2], layer: {$unit: {out: $(8 * i)}}}

        weights:
          w:
            layout: keras
            rename:
              a.{i}: b.{i+1}
            adapt: {a: pointwise}
        """,
    ),
    "blocks of several lines keep them": (
        """
        codsl 1
        network n { input (3, T)
          residual ("mul"
            ,shrink="lagging") {
            relu } shortcut {tanh}


          per_frame {
          when a { relu } else when b {tanh

          silu} else {}
          }
        }
        """,
        """
        codsl 1

        network n {
          input (3, T)
          residual("mul", shrink="lagging") {
            relu
          } shortcut {
            tanh
          }

          per_frame {
            when a {
              relu
            } else when b {
              tanh

              silu
            }
          }
        }
        """,
        """
        codsl: 1
        name: n
        input: [3, T]

        layers:
          - residual:
              aggregation: mul
              shrink: lagging
              layers:
                - relu
              shortcut:
                - tanh

          - per_frame:
              layers:
                - when:
                    test: $a
                    layers:
                      - relu
                    else:
                      - when:
                          test: $b
                          layers:
                            - tanh

                            - silu
        """,
    ),
    "comments stay with what they are about": (
        """
        # of the file
        codsl 1 # version
        # of the network


        # also
        network n( # parameters
          a = 1, # of a
          # of b
          b = (
            1, # one
            2)
        ) { # opening
          # of the input
          input (3, T) # frames
          foo(1,
            # above an argument
            2) # beside
          bar = foo(x=1, y=2) # beside too
          # above

          residual { # of the body

            relu
            # at the end
          } # after
          shortcut { tanh }
          # at the end of all layers
        }
        # at the end
        """,
        """
        # of the file
        codsl 1  # version

        # of the network

        # also
        network n(  # parameters
          a = 1,  # of a
          # of b
          b = (
            1,  # one
            2
          )
        ) {  # opening
          # of the input
          input (3, T)  # frames
          foo(
            1,
            # above an argument
            2
          )  # beside
          bar = foo(x=1, y=2)  # beside too
          # above

          residual {  # of the body
            relu
            # at the end
          } shortcut {
            # after
            tanh
          }
          # at the end of all layers
        }
        # at the end
        """,
        None,
    ),
}


def text(of: str) -> str:
    return dedent(of).lstrip()


@pytest.mark.parametrize("written", PAIRS, ids=list(PAIRS))
def test_both_surfaces_have_one_style(written: str) -> None:
    given, in_text, in_yaml = PAIRS[written]
    assert codsl.format(text(given)) == text(in_text)
    if in_yaml is not None:
        assert codsl.convert(text(given)) == text(in_yaml)
        assert codsl.convert(text(in_yaml)) == text(in_text)
        assert codsl.format(text(in_yaml)) == text(in_yaml)


LONG = ", ".join(f"{word}=1" for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"))
EDGES = ", ".join(f"({at}, {at + 1})" for at in range(20))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"a_layer_with_a_long_name = a_type_with_a_long_name({LONG})", 3),
        (f"a_layer = a_type({LONG}, {LONG.replace('=', '2=')})", 14),
        (f"let edges = ({EDGES})", 4),
        (f"let rows = (({EDGES[:72]}),), (({EDGES[:54]}),))".replace(",),", ","), 4),
        ("join from " + ", ".join(f"unit{at}.a_name" for at in range(12)), 2),
    ],
)
def test_what_does_not_fit_takes_lines(line: str, shown: int) -> None:
    formatted = codsl.format(f"codsl 1\nnetwork n {{\n input (3, T)\n {line}\n}}\n")
    assert len(formatted.splitlines()) == 5 + shown
    assert max(map(len, formatted.splitlines())) <= 100
    converted = codsl.convert(formatted)
    assert max(map(len, converted.splitlines())) <= 100
    assert codsl.convert(converted) == formatted


@pytest.mark.parametrize(
    ("given", "formatted"),
    [
        ("conv3d(out_channels=4, kernel_size=3, padding=1)", "conv3d(4, 3, padding=1)"),
        ("conv3d(4, 3, 2, 1)", "conv3d(4, 3, stride=2, padding=1)"),
        ("conv3d(kernel_size=3, out_channels=4)", "conv3d(kernel_size=3, out_channels=4)"),
        ("dropout(p=0.5)", "dropout(0.5)"),
        ("clamp(0, 1)", "clamp(min=0, max=1)"),
        ("batch_norm3d(1e-3)", "batch_norm3d(eps=1e-3)"),
        ("unit(4, elu(alpha=0.1))", "unit(out=4, act=elu(0.1))"),
        ("unheard_of(4, 3, of=2)", "unheard_of(4, 3, of=2)"),
        ('residual(aggregation="mul") {}', 'residual("mul") {}'),
        ("foo(x=0x10, y=1e-5, z=+5, w=- 5)", "foo(x=0x10, y=1e-5, z=5, w=-5)"),
        ("foo(x=((a)), y=(a and b) or c, z=(a + b))", "foo(x=a, y=(a and b) or c, z=a + b)"),
    ],
)  # fmt: skip
def test_arguments_are_written_in_one_way(given: str, formatted: str) -> None:
    head = "codsl 1\n\ntemplate unit(out: int, act: layer) {}\n\n"
    file = f"{head}network n {{\n  input (3, T)\n  %s\n}}\n"
    assert codsl.format(file % given) == file % formatted


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('"no"', "no"), ('"true"', '"true"'), ('"1e5"', '"1e5"'), ('""', '""'), ('"a b"', "a b"),
        ('"a: b"', '"a: b"'), ('"a,b"', '"a,b"'), ('"$x"', '$("$x")'), ('"a\\"b, c"', "'a\"b, c'"),
        ('"it\'s \\"so\\","', '"it\'s \\"so\\","'), ('"a\\nb"', '"a\\nb"'), ("none", "null"),
        ("1e999", ".inf"), ("x[0]", '"$(x[0])"'), ("(1, (x,), ())", "[1, [$x], []]"),
        ("relu()", "{relu: {}}"), ("max(1, 2)", '"$(max(1, 2))"'),
    ],
)  # fmt: skip
def test_values_have_quotes_in_yaml_only_where_they_must(value: str, written: str) -> None:
    file = f"codsl 1\n\nnetwork n {{\n  input (3, T)\n  foo(x={value})\n}}\n"
    assert codsl.convert(file).splitlines()[-1] == f"  - foo: {{x: {written}}}"
    assert codsl.convert(codsl.convert(file)) == codsl.format(file)


UNSAYABLE = [
    ("codsl 1\nnetwork n { input (3, T)\n foo(1, b=2) }", "1", "have names"),
    ("codsl 1\nnetwork n { input (3, T)\n foo(name=2) }", "name", "no argument"),
    ("codsl 1\nnetwork n { input (3, T)\n parallel { a {} {} } }", "{", "all branches"),
    ("codsl 1\nnetwork n { input (3, T)\n foo(a=2, a=3) }", None, "no way"),
    ("codsl: 1\ninput: [3, T]\nlayers: [relu: {name: when}]", "when", "no way"),
    ("codsl: 1\ninput: [3, T]\nlayers: [foo-bar]", "foo-bar", "no way"),
    ("codsl: 1\ninput: [3, T]\nlayers: [$relu]", "$relu", "no way"),
    ('codsl: 1\ninput: [3, T]\nlayers: [foo: {x: "\\0"}]', None, "no way"),
]


@pytest.mark.parametrize(("file", "culprit", "words"), UNSAYABLE, ids=lambda each: str(each)[-20:])
def test_what_the_other_surface_cannot_say_is_refused(
    file: str, culprit: str | None, words: str
) -> None:
    with pytest.raises(codsl.SpecError) as error:
        codsl.convert(file)
    (found,) = error.value.diagnostics
    assert found.code == "E0109"
    assert words in found.message
    assert (found.span and found.span.text) == culprit
    assert codsl.format(file)


def test_aliases_are_not_written_out_in_place() -> None:
    file = "codsl: 1\ninput: [3, T]\nlayers: [relu: &a {inplace: true}, silu: *a]\n"
    with pytest.raises(codsl.SpecError, match=r"formatting would write out what `\*a` stands for"):
        codsl.format(file)
    assert "silu(inplace=true)" in codsl.convert(file)


@pytest.mark.parametrize("file", ["codsl 1\nnetwork n { relu( }\n", "codsl: 1\nlayers: [relu\n"])
def test_mistakes_of_syntax_are_diagnostics(file: str) -> None:
    for function in (codsl.parse, codsl.format, codsl.convert):
        with pytest.raises(codsl.SpecError, match="E0"):
            function(file)


def test_lines_end_as_they_did_and_the_last_one_does() -> None:
    file = "codsl 1\nnetwork n { # c\n\n\n\n input (3, T)\n relu }"
    formatted = codsl.format(file)
    assert formatted.endswith("}\n")
    assert codsl.format(file.replace("\n", "\r\n")) == formatted.replace("\n", "\r\n")
    assert codsl.convert(file.replace("\n", "\r\n")) == codsl.convert(file).replace("\n", "\r\n")


def test_a_spec_is_given_as_check_takes_it() -> None:
    given = {"codsl": 1, "input": [3, "T"], "layers": [{"linear": 10}]}
    formatted = "codsl: 1\ninput: [3, T]\n\nlayers:\n  - linear: {out_features: 10}\n"
    assert codsl.format(given) == formatted
    assert codsl.parse(given).body == codsl.parse("codsl 1\nnetwork n { linear(10) }").body
    with pytest.raises(ValueError, match='to is "yaml" or "text"'):
        codsl.convert(given, "json")


def test_files_of_templates_alone_convert() -> None:
    file = 'codsl 1\n\nimport "./a.codsl" as a\n\ntemplate t {\n  a.unit(x=1)\n}\n'
    converted = "codsl: 1\n\nimport:\n  a: ./a.codsl\n\ntemplates:\n  t:\n    layers:\n"
    converted += "      - $a.unit: {x: 1}\n"
    assert codsl.convert(file) == converted
    assert codsl.convert(converted) == file


def test_a_version_close_to_its_word_is_set_apart(tmp_path: Path) -> None:
    spec = tmp_path / "n.codsl"
    spec.write_text("codsl1\nnetwork n { input (3, T)  relu }")
    assert codsl.format(spec) == "codsl 1\n\nnetwork n {\n  input (3, T)\n  relu\n}\n"
    assert codsl.convert(spec).startswith("codsl: 1\n")
