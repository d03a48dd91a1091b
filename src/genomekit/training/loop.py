"""A readable training loop: sample, step, average, save, resume."""

import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.training.data import Augmentation, Batch, OrganismData, Sampler, make_batch
from genomekit.training.objective import head_losses, total


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of batch: which organism, where, and how long."""

    name: str
    data: OrganismData
    regions: Sequence[Interval]
    length: int
    """Window length, bp."""
    windows: int
    """Windows per batch."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """What is trained from a step on."""

    start: int
    """First step, 0-based."""
    shares: dict[str, float]
    """Stream to its share of the steps, relative to the others."""
    head_weights: dict[str, float] = dataclasses.field(default_factory=dict)
    """Modality to the weight of its loss in the total; 1 where it is not named."""
    freeze_norms: bool = False
    """Train with the averaged norm statistics of the steps before, as the network is used afterwards.

    Batches of different organisms have different statistics; a network that saw only its own batch's would meet an
    average it never trained with.
    """


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Settings of one run."""

    steps: int
    phases: tuple[Phase, ...]
    """In order; the first starts at 0."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup: int = 200
    """Steps over which the learning rate rises from 0; it then follows half a cosine to 0."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    average: float = 0.999
    """Decay of the running average of the weights, which is what is kept."""
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    seed: int = 0
    log_every: int = 50
    save_every: int = 500
    compile: bool = False
    """Compile encoder, tower, decoder and base embedder: a few minutes once, then about twice as fast on a CPU."""

    def rate(self, step: int) -> float:
        """Return the factor on the learning rate at a step.

        Example:
            >>> config = LoopConfig(steps=100, warmup=10, phases=(Phase(start=0, shares={"worm": 1.0}),))
            >>> config.rate(0), config.rate(9), round(config.rate(99), 3)
            (0.1, 1.0, 0.0)
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        return 0.5 * (1 + math.cos(math.pi * (step - self.warmup) / max(self.steps - self.warmup, 1)))

    def phase(self, step: int) -> Phase:
        """Return the phase of a step."""
        return [phase for phase in self.phases if phase.start <= step][-1]


class Trainer:
    """Trains a network on streams, and can be stopped and resumed at any step.

    Args:
        network: Trained in place.
        streams: Where batches come from; each step draws one stream by weight.
        config: Settings.
        folder: Where `state.pt` and `log.jsonl` go; a state found there is resumed.
        device: Where to compute.
    """

    def __init__(
        self,
        network: AlphaGenome,
        streams: Sequence[Stream],
        config: LoopConfig,
        folder: str | Path,
        device: str = "cpu",
    ) -> None:
        self.network, self.streams, self.config = network.to(device), list(streams), config
        self.folder, self.device = Path(folder), torch.device(device)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.samplers = [
            Sampler(stream.regions, stream.length, config.augmentation, seed=config.seed + 1 + index)
            for index, stream in enumerate(streams)
        ]
        # Vectors (norms, scales, biases) are not decayed: pulling them to zero only fights the data. What is kept per
        # organism is a matrix and is decayed, biases of heads included; at this rate that is next to nothing.
        decayed = [p for p in network.parameters() if p.ndim > 1]
        plain = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate)
        self.averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True)
        self.step = 0
        self._resume()
        if config.compile:
            for module in (network.encoder, network.tower, network.decoder, network.embed_base):
                module.compile(dynamic=False)

    @property
    def best(self) -> AlphaGenome:
        """The averaged network: the result of the run."""
        module = self.averaged.module
        assert isinstance(module, AlphaGenome)
        return module

    def run(self, *, evaluate: Callable[[AlphaGenome], dict] | None = None, evaluate_every: int = 0) -> AlphaGenome:
        """Train to the last step and return the averaged network in evaluation mode.

        Args:
            evaluate: Called with the averaged network now and then; its numbers go to the log.
            evaluate_every: Steps between calls.
        """
        started, since = time.monotonic(), self.step
        recent: dict[str, list[float]] = {}
        while self.step < self.config.steps:
            for name, value in self._train_step().items():
                recent.setdefault(name, []).append(value)
            if self.step % self.config.log_every == 0 or self.step == 1:
                pace = (time.monotonic() - started) / (self.step - since)
                means = {name: round(sum(values) / len(values), 6) for name, values in sorted(recent.items())}
                self._log(seconds_per_step=round(pace, 3), **means)
                recent.clear()
            if self.step % self.config.save_every == 0:
                self.save()
            if evaluate is not None and evaluate_every and self.step % evaluate_every == 0:
                self._log(**evaluate(self.best.eval()))
        self.save()
        return self.best.eval()

    def _train_step(self) -> dict[str, float]:
        """Take one step; return its losses by stream and head, and the gradient's norm before clipping."""
        phase = self.config.phase(self.step)
        shares = torch.tensor([phase.shares.get(stream.name, 0.0) for stream in self.streams])
        # The stream is a function of seed and step alone, so that a resumed run draws the same ones.
        chooser = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        index = int(torch.multinomial(shares, 1, generator=chooser))
        stream, sampler = self.streams[index], self.samplers[index]
        batch = self._batch(stream, sampler)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self.config.rate(self.step)
        self.network.train()
        if phase.freeze_norms:
            self._freeze_norms(first=self.step == phase.start)
        with torch.autocast(self.device.type, torch.bfloat16):
            by_head = head_losses(self.network, batch)
            loss = total(by_head, phase.head_weights)
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"Loss is {loss.item()} at step {self.step} of stream {stream.name!r}: "
                f"{ {name: value.item() for name, value in by_head.items()} }. Lower the learning rate and resume."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        # A finite loss can have a gradient that is not; one such step would spoil the weights and then the saved state.
        if not torch.isfinite(norm):
            raise FloatingPointError(
                f"The gradient's norm is {float(norm)} at step {self.step} of stream {stream.name!r}. "
                "Lower the learning rate and resume."
            )
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        self.step += 1
        numbers = {f"{stream.name}/{name}": value.item() for name, value in by_head.items()}
        return {**numbers, f"{stream.name}/gradient_norm": float(norm)}

    def _freeze_norms(self, *, first: bool) -> None:
        """Keep norm statistics as they are; at the first step of the phase, take over the averaged ones."""
        if first:
            averaged = dict(self.best.named_buffers())
            for name, buffer in self.network.named_buffers():
                if name.endswith(".variance"):
                    buffer.copy_(averaged[name])
        self.network.freeze_norms()

    def _batch(self, stream: Stream, sampler: Sampler) -> Batch:
        """Draw a batch onto the device."""
        windows = [sampler.draw() for _ in range(stream.windows)]
        kinds = {head.modality: min(head.resolutions) for head in self.network.config.heads if head.kind == "track"}
        return to_device(make_batch(stream.data, windows, stream.length, kinds), self.device)

    def _log(self, **numbers: object) -> None:
        """Append one line to the log and print it."""
        line = json.dumps({"step": self.step, **numbers})
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)

    def save(self) -> None:
        """Write the whole state, atomically."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "samplers": [sampler.generator.bit_generator.state for sampler in self.samplers],
        }
        partial = self.folder / "state.pt.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "state.pt")

    def _resume(self) -> None:
        """Load a state left by an earlier run."""
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        for sampler, generator in zip(self.samplers, state["samplers"], strict=True):
            sampler.generator.bit_generator.state = generator
        self.step = state["step"]


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move the tensors of a batch."""

    def move(value: object) -> object:
        if isinstance(value, Tensor):
            return value.to(device, non_blocking=True)
        return {name: move(item) for name, item in value.items()} if isinstance(value, dict) else value

    return Batch(*(move(value) for value in batch))  # pyright: ignore[reportArgumentType]
