"""The network on a device: letters in, raw arrays of the asked tracks out."""

from genomekit.engine.device import choose_device, choose_precision, devices
from genomekit.engine.encode import one_hot, reverse_complement
from genomekit.engine.engine import Engine, Junctions

__all__ = ["Engine", "Junctions", "choose_device", "choose_precision", "devices", "one_hot", "reverse_complement"]
