"""`codsl verify`: a network held to the contract that clip and stream keep."""

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from codsl.cli.arguments import count, seed
from codsl.cli.checkpoint import checkpoint_of, declare_weights, network
from codsl.cli.memory import check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.spec import declare_spec, tell, told
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape
from codsl.graph.graph import Graph

if TYPE_CHECKING:
    import torch

WORDS = "hold a network to all that clip and stream promise"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_weights(parser)
    most = "frames of the longest clip; as many as show all if not given"
    parser.add_argument("--frames", metavar="N", type=count, help=most)
    random = "of the weights and the clips"
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help=random)


def command(options: Namespace) -> int:
    """What was tried on stdout; 1 where the spec has mistakes, the weights do not fit, or a
    promise is broken."""
    graph = told(options)
    if graph is None:
        return MISTAKE
    check_network(graph, options.frames or 1)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from codsl.testing import ContractError, verify

    own = checkpoint_of(options) is not None
    try:
        subject = network(graph, options, _precise(graph))[0] if own else graph
        verified = verify(subject, frames=options.frames, seed=options.seed, keep_weights=own)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    except ContractError as error:
        print(f"codsl verify: FAILED: {escape(str(error))}", file=sys.stderr)
        return MISTAKE
    except ValueError as error:
        raise Misuse(str(error)) from error
    print("\n".join(map(escape, str(verified).splitlines())))
    print("all promises kept")
    return 0


def _precise(graph: Graph) -> "torch.dtype | None":
    """Double precision, where the spec does not say another."""
    import torch

    return None if graph.dtype else torch.float64
