"""TensorFlow 1's defaults of Keras' LSTM and GRU: gates by hard_sigmoid, and the reset gate before the product."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.layers import recurrent, recurrent_cells


def _defaults(kwargs: dict[str, Any], args: tuple[Any, ...], **defaults: Any) -> dict[str, Any]:
    """kwargs, with TensorFlow 1's defaults; recurrent_activation may also stand second among args."""
    if len(args) >= 2:
        defaults.pop("recurrent_activation")
    return {**defaults, **kwargs}


@public(v1="keras.layers.LSTMCell")
class LSTMCell(recurrent_cells.LSTMCellV2):
    """LSTM cell whose gates are hard_sigmoid by default."""

    def __init__(self, units: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(units, *args, **_defaults(kwargs, args, recurrent_activation="hard_sigmoid"))


@public(v1="keras.layers.GRUCell")
class GRUCell(recurrent_cells.GRUCellV2):
    """GRU cell whose gates are hard_sigmoid by default, the reset gate before the product."""

    def __init__(self, units: int, *args: Any, **kwargs: Any) -> None:
        changed = {"recurrent_activation": "hard_sigmoid", "reset_after": False}
        super().__init__(units, *args, **_defaults(kwargs, args, **changed))


@public(v1="keras.layers.LSTM")
class LSTM(recurrent._OfCell):
    """Long short-term memory over the time axis, gates by hard_sigmoid by default. States: [h, c]."""

    cell_class = LSTMCell


@public(v1="keras.layers.GRU")
class GRU(recurrent._OfCell):
    """Gated recurrent units over the time axis, gates by hard_sigmoid by default."""

    cell_class = GRUCell
