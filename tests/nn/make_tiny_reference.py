"""Write `data/tiny_reference.npz`: the forward pass of `tiny.TINY` in plain numpy, float64.

    python tests/nn/make_tiny_reference.py

An oracle written from the formulas alone: loops and broadcasting, no torch, none of the package's tensor code. Only
parameter names and shapes are shared with the network. Angles of the rotary encodings are float32 products, as the
architecture has them; everything else is float64.
Source: AlphaGenome paper, Methods; constants from google-deepmind/alphagenome_research (facts only).
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]

from tiny import LENGTH, ORGANISMS, TINY, TRACK_MEANS, dna, parameter  # noqa: E402

EPS = 1e-5
TARGET = Path(__file__).parent / "data" / "tiny_reference.npz"
KEPT = 600


class Parameters:
    """Parameters under a prefix."""

    def __init__(self, prefix=""):
        self.prefix = prefix

    def __truediv__(self, name):
        return Parameters(f"{self.prefix}{name}.")

    def __call__(self, leaf, *shape):
        return parameter(self.prefix + leaf, shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def gelu(x):
    return x * sigmoid(1.702 * x)


def tanh_gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def batch_norm(p, x):
    c = x.shape[-1]
    return x * p("scale", c) / np.sqrt(p("variance", c) + EPS) + p("offset", c)


def layer_norm(p, x, rms=False):
    if not rms:
        x = x - x.mean(-1, keepdims=True)
    c = x.shape[-1]
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + EPS) * p("scale", c) + p("offset", c)


def linear(p, x, out, bias=True):
    y = x @ p("weight", out, x.shape[-1]).T
    return y + p("bias", out) if bias else y


def cross_correlate(x, w, b):
    width = w.shape[-1]
    half = width // 2
    y = np.zeros((*x.shape[:2], w.shape[0])) + b
    for tap in range(width):
        shift = tap - half  # output i reads input i + shift
        low, high = max(0, -shift), min(x.shape[1], x.shape[1] - shift)
        y[:, low:high] += x[:, low + shift : high + shift] @ w[:, :, tap].T
    return y


def standardized(p, x, out, width):
    w = p("weight", out, x.shape[-1], width)
    fan_in = w.shape[1] * width
    for channel in range(out):
        centred = w[channel] - w[channel].mean()
        w[channel] = centred / math.sqrt(max(fan_in * (centred**2).mean(), 1e-4))
    w *= p("scale", out)[:, None, None]
    return cross_correlate(x, w, p("bias", out))


def conv_block(p, x, out, width):
    h = gelu(batch_norm(p / "norm", x))
    return linear(p / "conv", h, out) if width == 1 else standardized(p / "conv", h, out, width)


def pool(x):
    return x.reshape(x.shape[0], -1, 2, x.shape[-1]).max(2)


def encode(p, x):
    c, step = TINY.channels, TINY.channel_step
    stem = p / "embedder" / "conv"
    x = cross_correlate(x, stem("weight", c, 4, TINY.stem_width), stem("bias", c))
    x = x + conv_block(p / "embedder" / "block", x, c, TINY.width)
    skips = [x]
    for i in range(6):
        x, block = pool(x), p / "blocks" / i
        wider = x.shape[-1] + step
        h = conv_block(block / "first", x, wider, TINY.width)
        h = h + np.concatenate([x, np.zeros((*x.shape[:2], step))], -1)
        x = h + conv_block(block / "second", h, wider, TINY.width)
        skips.append(x)
    return pool(x), skips


def rotary(x, positions, largest):
    """Rotate the last axis; `positions` broadcasts against the axes before it."""
    half = x.shape[-1] // 2
    ratio = (largest - half + 1) ** (1 / (half - 1))
    out = np.empty_like(x)
    for j in range(half):
        frequency = np.float32(1 / (j + ratio**j))
        angle = (np.asarray(positions, np.float32) * frequency).astype(np.float64)
        a, b = x[..., 2 * j], x[..., 2 * j + 1]
        out[..., 2 * j] = a * np.cos(angle) - b * np.sin(angle)
        out[..., 2 * j + 1] = b * np.cos(angle) + a * np.sin(angle)
    return out


def sequence_to_pair(p, x):
    heads, width, features = TINY.pair_heads, TINY.pair_key_channels, TINY.pair_features
    h = layer_norm(p / "norm", x.reshape(x.shape[0], -1, 16, x.shape[-1]).mean(2), rms=True)
    bins = h.shape[1]
    q = linear(p / "query", h, heads * width, bias=False).reshape(len(h), bins, heads, width)
    k = linear(p / "key", h, heads * width, bias=False).reshape(len(h), bins, heads, width)
    limit = TINY.max_length // 2048 - features + 1
    widths = [i + limit ** (i / features) for i in range(features)]

    def position(distance):
        near = np.array([1.0 if w > abs(distance) else 0.0 for w in widths])
        both = np.concatenate([near, np.sign(distance) * near])
        return linear(p / "distance", both, heads * width).reshape(heads, width)

    q_bias, k_bias = p("query_bias", heads, width), p("key_bias", heads, width)
    a = np.zeros((len(h), bins, bins, heads))
    for i in range(bins):
        for j in range(bins):
            own = (q[:, i] * k[:, j]).sum(-1)
            relative = ((q[:, i] + q_bias) * position(j - i)).sum(-1) + ((k[:, j] + k_bias) * position(i - j)).sum(-1)
            a[:, i, j] = own + 0.5 * relative
    smooth, c = tanh_gelu(h), TINY.pair_channels
    rows, columns = linear(p / "row", smooth, c, bias=False), linear(p / "column", smooth, c, bias=False)
    return linear(p / "to_pair", a, c) + rows[:, :, None] + columns[:, None]


def update_pair(p, x, pair):
    update = sequence_to_pair(p / "sequence_to_pair", x)
    z = update if pair is None else pair + update
    c, row = z.shape[-1], p / "row_attention"
    h = layer_norm(row / "norm", z, rms=True)
    q, k = linear(row / "query", h, c, bias=False), linear(row / "key", h, c, bias=False)
    v = linear(row / "value", h, c)
    attended = np.zeros_like(z)
    for i in range(z.shape[1]):
        attended[:, i] = softmax(q[:, i] @ k[:, i].swapaxes(1, 2) / math.sqrt(c)) @ v[:, i]
    z = z + attended
    mlp = p / "mlp"
    h = np.maximum(linear(mlp / "first", layer_norm(mlp / "norm", z, rms=True), TINY.mlp_ratio * c), 0)
    return z + linear(mlp / "second", h, c)


def attend(p, x, pair_bias):
    heads, key, value = TINY.num_heads, TINY.key_channels, TINY.value_channels
    tokens, largest = x.shape[1], TINY.max_length // 128
    h = batch_norm(p / "norm_in", x)
    q = linear(p / "query", h, heads * key, bias=False).reshape(len(x), tokens, heads, key)
    q = layer_norm(p / "norm_query", q)
    k = rotary(layer_norm(p / "norm_key", linear(p / "key", h, key, bias=False)), np.arange(tokens), largest)
    v = layer_norm(p / "norm_value", linear(p / "value", h, value, bias=False))
    mixed = []
    for head in range(heads):
        logits = rotary(q[:, :, head], np.arange(tokens), largest) @ k.swapaxes(1, 2) / math.sqrt(key)
        logits = logits + pair_bias[..., head].repeat(16, 1).repeat(16, 2)
        mixed.append(softmax(5 * np.tanh(logits / 5)) @ v)
    return batch_norm(p / "norm_out", linear(p / "out", np.concatenate(mixed, -1), x.shape[-1]))


def transform(p, x):
    pair = None
    for i in range(TINY.num_layers):
        layer = p / "layers" / i
        if i % 2 == 0:
            pair = update_pair(layer / "pair_update", x, pair)
        bias = tanh_gelu(batch_norm(layer / "bias" / "norm", pair))
        x = x + attend(layer / "attention", x, linear(layer / "bias" / "linear", bias, TINY.num_heads, bias=False))
        mlp, c = layer / "mlp", x.shape[-1]
        h = np.maximum(linear(mlp / "first", batch_norm(mlp / "norm_in", x), TINY.mlp_ratio * c), 0)
        x = x + batch_norm(mlp / "norm_out", linear(mlp / "second", h, c))
    return x, pair


def decode(p, x, skips):
    for i, skip in enumerate(reversed(skips)):
        block, c = p / "blocks" / i, skip.shape[-1]
        o = conv_block(block / "conv_in", x, c, TINY.width) + x[..., :c]
        o = o.repeat(2, 1) * block("residual_scale")
        o = o + conv_block(block / "skip", skip, c, 1)
        x = o + conv_block(block / "conv_out", o, c, TINY.width)
    return x


def by_organism(table):
    return table[list(ORGANISMS)]


def organism_linear(p, x, out):
    w = by_organism(p("weight", len(TINY.organisms), out, x.shape[-1]))
    b = by_organism(p("bias", len(TINY.organisms), out))
    return np.stack([x[i] @ w[i].T + b[i] for i in range(len(x))])


def track_head(p, head, embeddings):
    out = {}
    for r in head.resolutions:
        layer = p / "resolutions" / r
        scale = by_organism(layer("learnt_scale", len(TINY.organisms), head.channels))
        scaled = softplus(organism_linear(layer / "linear", embeddings[r], head.channels)) * softplus(scale)[:, None]
        out[f"scaled_predictions_{r}bp"] = scaled
        s = np.where(scaled > 10, (scaled + 10) ** 2 / 40, scaled)
        if head.squash:
            s = s ** (1 / 0.75)
        out[f"predictions_{r}bp"] = s * by_organism(TRACK_MEANS[head.modality])[:, None] * r
    return out


def choose(probabilities):
    sites = np.full((len(probabilities), 4, TINY.max_splice_sites), -1)
    for i in range(len(probabilities)):
        for kind in range(4):
            column = probabilities[i, :, kind]
            best = np.argsort(-column, kind="stable")[: TINY.max_splice_sites]
            kept = sorted(place for place in best if column[place] >= TINY.splice_threshold)
            sites[i, kind, : len(kept)] = kept
    return sites


def junction_head(p, channels, base, sites):
    tissues, width = channels // 2, TINY.junction_channels
    hidden = organism_linear(p / "hidden", base, width)
    kinds = ("donor_plus", "acceptor_plus", "donor_minus", "acceptor_minus")
    count = sites.shape[-1]
    out, mask = np.zeros((len(base), count, count, channels)), np.zeros((len(base), count, count, channels), bool)
    for i, organism in enumerate(ORGANISMS):
        vectors = []
        for kind, name in enumerate(kinds):
            table = (p / "tables")(name, len(TINY.organisms), 2, tissues, width)[organism]
            places = np.maximum(sites[i, kind], 0)
            u = table[0][:, None] * hidden[i][places] + table[1][:, None]
            vectors.append(rotary(u, places, TINY.max_length))
        for half, (d, a) in enumerate(((0, 1), (2, 3))):
            for tissue in range(tissues):
                real = (sites[i, d] >= 0)[:, None] & (sites[i, a] >= 0)[None]
                product = vectors[d][tissue] @ vectors[a][tissue].T
                out[i, :, :, half * tissues + tissue] = np.where(real, softplus(product), 0)
                mask[i, :, :, half * tissues + tissue] = real
    return {"predictions": out, "sites": sites, "mask": mask}


def forward():
    """Everything that is compared, by name."""
    p, organisms = Parameters(), len(TINY.organisms)
    tokens, skips = encode(p / "encoder", dna())
    organism = by_organism((p / "organism")("weight", organisms, tokens.shape[-1]))
    trunk, pair = transform(p / "tower", tokens + organism[:, None])
    decoded = decode(p / "decoder", trunk, skips)
    e = p / "embed_token"
    wide = 2 * trunk.shape[-1]
    token = batch_norm(e / "norm", linear(e / "linear", trunk, wide))
    token = gelu(token + by_organism((e / "organism")("weight", organisms, wide))[:, None])
    e, wide = p / "embed_base", 2 * TINY.channels
    base = linear(e / "linear", decoded, wide) + linear(e / "from_tokens", token, wide, bias=False).repeat(128, 1)
    base = gelu(batch_norm(e / "norm", base) + by_organism((e / "organism")("weight", organisms, wide))[:, None])
    e = p / "embed_pair"
    both = layer_norm(e / "norm", (pair + pair.swapaxes(1, 2)) / 2, rms=True)
    both = gelu(both + by_organism((e / "organism")("weight", organisms, TINY.pair_channels))[:, None, None])
    found = {"tokens": tokens, "trunk": trunk, "pair": pair, "decoded": decoded}
    found |= {"embedding_1": base, "embedding_128": token, "embedding_pair": both}
    sites = None
    for head in TINY.heads:
        h, outputs = p / "heads" / head.modality, {}
        if head.kind == "track":
            outputs = track_head(h, head, {1: base, 128: token})
        elif head.kind == "contact":
            flat = organism_linear(h / "linear", both.reshape(len(both), -1, both.shape[-1]), head.channels)
            outputs = {"predictions": flat.reshape(*both.shape[:3], head.channels)}
        elif head.kind == "splice_class":
            logits = organism_linear(h / "linear", base, head.channels)
            outputs = {"logits": logits, "predictions": softmax(logits)}
            sites = choose(outputs["predictions"])
        elif head.kind == "splice_usage":
            logits = organism_linear(h / "linear", base, head.channels)
            outputs = {"logits": logits, "predictions": sigmoid(logits)}
        else:
            outputs = junction_head(h, head.channels, base, sites)
        found |= {f"{head.modality}/{key}": value for key, value in outputs.items()}
    return found


def sample(size):
    """Flat indices of the values that are kept of an array: both ends and an even spread between."""
    return np.unique(np.concatenate([np.arange(min(size, 40)), np.linspace(0, size - 1, KEPT).astype(int)]))


def main():
    assert dna().shape[1] == LENGTH
    kept = {}
    for name, value in forward().items():
        flat = value.reshape(-1)
        kept[name] = flat[sample(flat.size)]
        kept[f"shape|{name}"] = np.array(value.shape)
    TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(TARGET, **kept)
    print(TARGET, TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
