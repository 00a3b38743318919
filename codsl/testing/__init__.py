"""The contract that every layer and network keeps, for users' own too: `codsl.testing.verify`."""

from codsl.testing.comparison import ContractError
from codsl.testing.verify import Verified, verify

__all__ = ["ContractError", "Verified", "verify"]
