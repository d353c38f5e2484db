"""`slim.summaries`: summaries of tensors under their own names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_SPACE = "slim.summaries"


def _called(tensor: Any, name: str | None, prefix: str | None, postfix: str | None = None) -> str:
    """The summary's name: prefix/name/postfix; by default the operation's name."""
    return "/".join(part for part in (prefix, name or tensor.op.name, postfix) if part)


def _printed(make: Callable[..., Any], name: str, tensor: Any, prints: bool) -> Any:
    """A summary that, where asked for, prints the tensor whenever it is computed."""
    if not prints:
        return make(name, tensor)
    summary = tf.Print(make(name, tensor, collections=[]), [tensor], name)
    tf.add_to_collection(tf.GraphKeys.SUMMARIES, summary)
    return summary


@contrib(_SPACE, "add_histogram_summary")
def add_histogram_summary(tensor: Any, name: str | None = None, prefix: str | None = None) -> Any:
    """A histogram of a tensor, under prefix/name; name is by default its operation's."""
    return tf.summary.histogram(_called(tensor, name, prefix), tensor)


@contrib(_SPACE, "add_image_summary")
def add_image_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """Images [N,H,W,C]. print_summary: print the tensor, too, whenever the summary is computed."""
    return _printed(tf.summary.image, _called(tensor, name, prefix), tensor, print_summary)


@contrib(_SPACE, "add_scalar_summary")
def add_scalar_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """A number. print_summary: print it, too, whenever the summary is computed."""
    return _printed(tf.summary.scalar, _called(tensor, name, prefix), tensor, print_summary)


@contrib(_SPACE, "add_zero_fraction_summary")
def add_zero_fraction_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """The share of a tensor's entries that are 0."""
    name = _called(tensor, name, prefix, "Fraction of Zero Values")
    return add_scalar_summary(tf.nn.zero_fraction(tensor), name, print_summary=print_summary)


@contrib(_SPACE, "add_histogram_summaries")
def add_histogram_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """`add_histogram_summary` of each."""
    return [add_histogram_summary(tensor, prefix=prefix) for tensor in tensors]


@contrib(_SPACE, "add_image_summaries")
def add_image_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """`add_image_summary` of each."""
    return [add_image_summary(tensor, prefix=prefix) for tensor in tensors]


@contrib(_SPACE, "add_scalar_summaries")
def add_scalar_summaries(tensors: Any, prefix: str | None = None, print_summary: bool = False) -> list[Any]:
    """`add_scalar_summary` of each."""
    return [add_scalar_summary(tensor, prefix=prefix, print_summary=print_summary) for tensor in tensors]


@contrib(_SPACE, "add_zero_fraction_summaries")
def add_zero_fraction_summaries(tensors: Any, prefix: str | None = None) -> list[Any]:
    """`add_zero_fraction_summary` of each."""
    return [add_zero_fraction_summary(tensor, prefix=prefix) for tensor in tensors]
