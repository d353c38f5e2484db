"""`contrib.layers.utils` and `slim.utils`: names under which layers' outputs are found again.

A tensor that was noted in a collection remembers the scopes it was made in, as "vgg_16/conv1"; see `variables.noted`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.variables import collected, remember_scope, scopes_of_output

_SPACES = "layers.utils slim.utils"


@contrib(_SPACES, "append_tensor_alias")
def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """The tensor, which is known under one more name, a "/" at its end left out."""
    remember_scope(tensor, alias.removesuffix("/"))
    return tensor


@contrib(_SPACES, "collect_named_outputs")
def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """The outputs, put into collections under a name. Without collections nothing is done."""
    if collections:
        append_tensor_alias(outputs, alias)
        tf.add_to_collections(collected(collections), outputs)
    return outputs


@contrib(_SPACES, "get_tensor_aliases")
def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names a tensor is known under; its own where it was given none."""
    own = tensor.op.name if tensor.name.endswith(":0") else tensor.name
    return scopes_of_output(tensor) or [own]


@contrib(_SPACES, "gather_tensors_aliases")
def gather_tensors_aliases(tensors: Iterable[Any]) -> list[str]:
    """The names of several tensors, one after the other."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]
