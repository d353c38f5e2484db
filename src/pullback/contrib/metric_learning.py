"""`tf.contrib.losses.metric_learning`: losses of distances between embeddings. embeddings [B,D], labels [B]"""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_SPACE = "losses.metric_learning"


@contrib(_SPACE, "pairwise_distance")
def pairwise_distance(feature: Any, squared: bool = False) -> Any:
    """Euclidean distances of all pairs. [B,D] -> [B,B], 0 on the diagonal; the gradient of a distance of 0 is 0."""
    lengths = tf.reduce_sum(tf.square(feature), axis=1, keepdims=True)
    apart = tf.maximum(lengths + tf.transpose(lengths) - 2.0 * tf.matmul(feature, feature, transpose_b=True), 0.0)
    if not squared:
        zero = tf.cast(tf.less_equal(apart, 0.0), feature.dtype)
        apart = tf.sqrt(apart + zero * 1e-16) * (1.0 - zero)
    return apart * (1.0 - tf.eye(tf.shape(feature)[0], dtype=feature.dtype))


def _masked_most(data: Any, mask: Any) -> Any:
    """The largest entry of each row where mask is 1. [B,B] -> [B,1]"""
    least = tf.reduce_min(data, 1, keepdims=True)
    return tf.reduce_max((data - least) * mask, 1, keepdims=True) + least


def _masked_least(data: Any, mask: Any) -> Any:
    """The smallest entry of each row where mask is 1. [B,B] -> [B,1]"""
    most = tf.reduce_max(data, 1, keepdims=True)
    return tf.reduce_min((data - most) * mask, 1, keepdims=True) + most


def _same(labels: Any) -> tuple[Any, Any]:
    """(labels [B,1], bool [B,B] whether two are equal)"""
    column = tf.reshape(labels, [-1, 1])
    return column, tf.equal(column, tf.transpose(column))


@contrib(_SPACE, "contrastive_loss")
def contrastive_loss(labels: Any, embeddings_anchor: Any, embeddings_positive: Any, margin: float = 1.0) -> Any:
    """The mean of d^2 of pairs that belong together (label 1) and max(margin - d, 0)^2 of others (label 0).

    Source: Hadsell, Chopra & LeCun 2006.
    """
    apart = tf.sqrt(tf.reduce_sum(tf.squared_difference(embeddings_anchor, embeddings_positive), 1))
    together = tf.cast(labels, apart.dtype)
    far = tf.square(tf.maximum(margin - apart, 0.0))
    return tf.reduce_mean(together * tf.square(apart) + (1.0 - together) * far, name="contrastive_loss")


@contrib(_SPACE, "triplet_semihard_loss")
def triplet_semihard_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> Any:
    """The mean over pairs of one label of max(margin + d(a,p)^2 - d(a,n)^2, 0).

    n: the nearest to a of other labels that is farther from it than p; where there is none, the farthest.
    embeddings: should be of length 1. Source: Schroff, Kalenichenko & Philbin 2015.
    """
    _, same = _same(labels)
    apart = pairwise_distance(embeddings, squared=True)
    count = tf.shape(apart)[0]
    other = tf.logical_not(same)
    # Row (p, a) of the tiled matrices: distances from a, and whether they are of another label and beyond d(a, p).
    tiled = tf.tile(apart, [count, 1])
    beyond = tf.logical_and(tf.tile(other, [count, 1]), tf.greater(tiled, tf.reshape(tf.transpose(apart), [-1, 1])))
    beyond_exists = tf.reshape(tf.reduce_any(beyond, 1), [count, count])
    nearest = tf.reshape(_masked_least(tiled, tf.cast(beyond, apart.dtype)), [count, count])
    farthest = tf.tile(_masked_most(apart, tf.cast(other, apart.dtype)), [1, count])
    negatives = tf.where(tf.transpose(beyond_exists), tf.transpose(nearest), farthest)
    pairs = tf.cast(same, apart.dtype) - tf.eye(count, dtype=apart.dtype)
    losses = tf.maximum((margin + apart - negatives) * pairs, 0.0)
    return tf.div(tf.reduce_sum(losses), tf.reduce_sum(pairs), name="triplet_semihard_loss")


@contrib(_SPACE, "npairs_loss")
def npairs_loss(
    labels: Any, embeddings_anchor: Any, embeddings_positive: Any, reg_lambda: float = 0.002, print_losses: bool = False
) -> Any:
    """Softmax cross entropy of products of anchors and positives, with reg_lambda / 4 of their mean squared lengths.

    print_losses: print both parts whenever the loss is computed. Source: Sohn 2016.
    """
    squares = [tf.reduce_mean(tf.reduce_sum(tf.square(x), 1)) for x in (embeddings_anchor, embeddings_positive)]
    lengths = tf.multiply(0.25 * reg_lambda, squares[0] + squares[1], name="l2loss")
    products = tf.matmul(embeddings_anchor, embeddings_positive, transpose_a=False, transpose_b=True)
    together = tf.cast(_same(labels)[1], products.dtype)
    together = together / tf.reduce_sum(together, 1, keepdims=True)
    entropy = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=together, logits=products), name="xentropy"
    )
    if print_losses:
        entropy = tf.Print(entropy, ["cross entropy:", entropy, "l2loss:", lengths])
    return lengths + entropy


@contrib(_SPACE, "lifted_struct_loss")
def lifted_struct_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> Any:
    """Half the mean over pairs (i, j) of one label of max(J, 0)^2, with

        J = d_ij + log(sum_k exp(margin - d_ik) + sum_k exp(margin - d_jk)), k of other labels

    Source: Song et al. 2016.
    """
    _, same = _same(labels)
    apart = pairwise_distance(embeddings)
    count = tf.shape(apart)[0]
    other = tf.cast(tf.logical_not(same), apart.dtype)
    slack = margin - apart
    most = tf.reshape(_masked_most(slack, other), [-1])
    # d_jk of each pair (i, j): j's row beside i's, less the larger of both rows' largest, so that exp stays finite.
    larger = tf.maximum(most[:, None], most[None, :])
    sums = tf.reduce_sum(tf.exp(slack[None, :, :] - larger[:, :, None]) * other[None, :, :], 2)
    sums += tf.reduce_sum(tf.exp(slack[:, None, :] - larger[:, :, None]) * other[:, None, :], 2)
    pairs = tf.cast(same, apart.dtype) - tf.eye(count, dtype=apart.dtype)
    terms = tf.square(tf.maximum(tf.log(sums) + larger + apart, 0.0) * pairs)
    return 0.25 * tf.div(tf.reduce_sum(terms), tf.reduce_sum(pairs) / 2.0, name="liftedstruct_loss")
