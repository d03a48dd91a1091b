"""The network, in the order of the paper: torch only, no coordinates."""

from genomekit.nn.config import ALPHAGENOME, HeadConfig, NetworkConfig
from genomekit.nn.network import AlphaGenome, Embeddings, Encoded, Trunk

__all__ = ["ALPHAGENOME", "AlphaGenome", "Embeddings", "Encoded", "HeadConfig", "NetworkConfig", "Trunk"]
