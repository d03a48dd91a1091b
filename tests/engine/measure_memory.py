"""Print the resident memory that a prediction adds to an idle process, and what was predicted, in bytes."""

import sys
import threading
import time
from pathlib import Path

import torch

from genomekit.engine.cost import Asked, prediction
from genomekit.engine.passes import Ask, run
from genomekit.engine.prepared import Prepared
from genomekit.nn import AlphaGenome, HeadConfig, NetworkConfig

LENGTH = 262_144
CONFIG = NetworkConfig(
    organisms=("worm",),
    channels=192,
    channel_step=32,
    num_layers=2,
    num_heads=4,
    key_channels=32,
    value_channels=48,
    pair_channels=32,
    pair_heads=8,
    pair_key_channels=32,
    default_length=2048,
    heads=(HeadConfig(modality="rna_seq", kind="track", channels=32),),
)


def resident() -> int:
    """Resident bytes of this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure."""
    kept = int(sys.argv[1])
    prepared = Prepared(AlphaGenome(CONFIG).eval(), torch.device("cpu"), torch.float32)
    asked = {"rna_seq": Ask("track", tuple(range(32)), 1)}
    dna = torch.nn.functional.one_hot(torch.arange(LENGTH) % 4, 4)[None].float()
    with torch.no_grad():
        dict(run(prepared, dna[:, :8192], 0, asked))  # what a first call sets up is not this call's
        idle, most, done = resident(), [0], threading.Event()

        def watch() -> None:
            while not done.is_set():
                most[0] = max(most[0], resident())
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        dict(run(prepared, dna, 0, asked, kept=kept))
        done.set()
        watcher.join()
    predicted = prediction(CONFIG, LENGTH, [Asked("track", 1, 32, LENGTH)], torch.float32, kept).bytes
    print(most[0] - idle, predicted)


if __name__ == "__main__":
    main()
