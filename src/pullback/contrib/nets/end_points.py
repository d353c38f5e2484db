"""What networks share: the tensors on the way, by the scopes they were made in."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.variables import scopes_of_output


@contrib("layers.utils slim.utils", "convert_collection_to_dict")
def convert_collection_to_dict(collection: str, clear_collection: bool = False) -> dict[str, Any]:
    """{scope: tensor} of what layers noted under `outputs_collections`, in the order they were made."""
    found = tf.get_collection_ref(collection)
    out = {scope: t for t in found for scope in scopes_of_output(t) or [t.op.name]}
    if clear_collection:
        del found[:]
    return out


def squeezed(net: Any, name: str) -> Any:
    """[N,1,1,C] -> [N,C]"""
    return tf.squeeze(net, [1, 2], name=name)
