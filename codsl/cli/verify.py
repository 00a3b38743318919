"""`codsl verify`: a network held to the contract that clip and stream keep."""

import os
import sys
from argparse import ArgumentParser, Namespace

from codsl.cli.arguments import count, seed
from codsl.cli.memory import check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import escape

WORDS = "hold a network with random weights to all that clip and stream promise"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    most = "frames of the longest clip; as many as show all if not given"
    parser.add_argument("--frames", metavar="N", type=count, help=most)
    random = "of the weights and the clips"
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help=random)


def command(options: Namespace) -> int:
    """What was tried on stdout; 1 where the spec has mistakes or a promise is broken."""
    graph, diagnostics = read(options)
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    check_network(graph)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from codsl.testing import ContractError, verify

    try:
        verified = verify(graph, frames=options.frames, seed=options.seed)
    except ContractError as error:
        print(f"codsl verify: FAILED: {escape(str(error))}", file=sys.stderr)
        return MISTAKE
    except ValueError as error:
        raise Misuse(str(error)) from error
    print("\n".join(map(escape, str(verified).splitlines())))
    return 0
