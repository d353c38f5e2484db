"""Losses over sampled classes, where there are too many classes to compare with all: nce_loss, sampled_softmax_loss.

logit of a true or sampled class = w[c] . x + b[c] - log(expected count of c)
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import OnesLike, ZerosLike, shape_of
from pullback.core.dtypes import int64
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.embedding import embedding_lookup_v1
from pullback.ops.array.joining import concat, stack
from pullback.ops.array.places import ScatterNd
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.functions import log
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, StopGradient
from pullback.ops.nn.candidate_functions import compute_accidental_hits, log_uniform_candidate_sampler
from pullback.ops.nn.losses import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits


@public(v1="nn.nce_loss")
def nce_loss_v1(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
) -> Tensor:
    """Noise-contrastive estimation: logistic losses of the true classes and of sampled ones.

    Args:
      weights: [num_classes, D], or a list of tensors that share its rows. biases: [num_classes].
      labels: int64 [B, num_true]. inputs: [B, D].
      num_sampled: how many classes are drawn for the whole batch.
      sampled_values: what a candidate sampler gave; a log-uniform one is used by default, for classes sorted by
        frequency.
      remove_accidental_hits: sampled classes that are true for an example do not count for it.
      partition_strategy: how the rows lie in a list: "mod" in turn, "div" one tensor after the other.
    Returns:
      [B], the loss of each example.
    Gradient: IndexedSlices to weights and biases.
    Source: Gutmann & Hyvärinen 2010.
    """
    with scope(name, "nce_loss", weights, biases, inputs, labels):
        logits, wanted = _sampled_logits(
            weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
            remove_accidental_hits, partition_strategy, None,
        )  # fmt: skip
        return reduce_sum(sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits), 1)


@public("nn.nce_loss", v1=None)
def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    name: str = "nce_loss",
) -> Tensor:
    """Noise-contrastive estimation; see `pullback.v1.nn.nce_loss`. A list of weights lies one tensor after another."""
    return nce_loss_v1(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
        "div", name,
    )  # fmt: skip


@public(v1="nn.sampled_softmax_loss")
def sampled_softmax_loss_v1(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss",
    seed: Any = None,
) -> Tensor:
    """Softmax cross-entropy over the true classes and sampled ones, for training; it underestimates that over all.

    Args: as of `nce_loss`, and seed: the op seed of the sampler.
    Returns:
      [B], the loss of each example.
    Source: Jean et al. 2014, section 3.
    """
    with scope(name, "sampled_softmax_loss", weights, biases, inputs, labels):
        logits, wanted = _sampled_logits(
            weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
            remove_accidental_hits, partition_strategy, seed,
        )  # fmt: skip
        return softmax_cross_entropy_with_logits(StopGradient()(wanted), logits)


@public("nn.sampled_softmax_loss", v1=None)
def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    seed: Any = None,
    name: str = "sampled_softmax_loss",
) -> Tensor:
    """Softmax cross-entropy over sampled classes; see `pullback.v1.nn.sampled_softmax_loss`. A list of weights lies one
    tensor after another."""
    return sampled_softmax_loss_v1(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
        "div", name, seed,
    )  # fmt: skip


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    remove_hits: bool,
    strategy: str,
    seed: Any,
) -> tuple[Tensor, Tensor]:
    """(logits, labels), both [B, num_true + num_sampled]."""
    x = interpreter.as_tensor(inputs)
    classes = interpreter.as_tensor(labels)
    classes = classes if classes.dtype is int64 else Cast(int64)(classes)
    if classes.spec.rank == 1:
        classes = expand_dims(classes, -1)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(classes, num_true, num_sampled, True, num_classes, seed)
    sampled, true_count, sampled_count = (StopGradient()(interpreter.as_tensor(t)) for t in sampled_values)
    sampled = sampled if sampled.dtype is int64 else Cast(int64)(sampled)
    flat = reshape(classes, [-1])
    count = shape_of(flat)[0]
    rows = embedding_lookup_v1(weights, concat([flat, sampled], 0), strategy)
    offsets = embedding_lookup_v1(biases, concat([flat, sampled], 0), strategy)
    width = shape_of(x)[-1] if x.spec.rank else -1
    true_rows = reshape(rows[:count], _shape(-1, num_true, width))
    true_logits = reduce_sum(expand_dims(x, 1) * true_rows, 2) + reshape(offsets[:count], [-1, num_true])
    sampled_logits = matmul(x, rows[count:], transpose_b=True) + offsets[count:]
    if remove_hits:
        hits, places, least = compute_accidental_hits(classes, sampled, num_true)
        at = stack([hits, Cast(hits.dtype)(places)], 1)
        least = least if least.dtype is x.dtype else Cast(x.dtype)(least)
        sampled_logits = sampled_logits + ScatterNd()(at, least, shape_of(sampled_logits))
    true_logits = true_logits - log(true_count if true_count.dtype is x.dtype else Cast(x.dtype)(true_count))
    sampled_logits = sampled_logits - log(
        sampled_count if sampled_count.dtype is x.dtype else Cast(x.dtype)(sampled_count)
    )
    wanted = concat([OnesLike()(true_logits) / num_true, ZerosLike()(sampled_logits)], 1)
    return concat([true_logits, sampled_logits], 1), wanted


def _shape(*sizes: Any) -> Any:
    return list(sizes) if all(isinstance(n, int) for n in sizes) else stack(list(sizes))
