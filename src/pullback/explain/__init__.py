"""Tools that show where a gradient comes from.

    import pullback as tf
    tf.explain(y, xs, tape=tape)                   the chain rule, walked: every value, every derivative
    tf.explain.conv2d(x, w).save("glass.html")     a convolution under the glass

The package can be called, and finds its tools on first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from pullback.core.names import public_value

# Tool -> the module below this package that holds it.
TOOLS = {
    "conv2d": "glass",
    "conv2d_transpose": "glass",
    "conv2d_backprop_input": "glass",
    "conv2d_backprop_filter": "glass",
    "max_pool": "pooling",
    "avg_pool": "pooling",
    "softmax": "shares",
    "deconvnet": "see.deconvnet",
    "guided_backprop": "see.guided_backprop",
    "saliency": "see.saliency",
    "smoothgrad": "see.smoothgrad",
    "integrated_gradients": "see.integrated_gradients",
    "grad_cam": "see.grad_cam",
    "occlusion": "see.occlusion",
    "activation_maximization": "see.activation_maximization",
    "top_activations": "see.top_activations",
    "filter_portraits": "see.portraits",
    "network_of": "see.network",
    "watch_gradients": "checks.watch",
    "check_numerics": "checks.numerics",
    "gradcheck": "checks.gradcheck",
}


class Explain(ModuleType):
    """The package as a function, and as the namespace of its tools."""

    def __call__(
        self,
        y: Any,
        xs: Any,
        *,
        tape: Any = None,
        session: Any = None,
        feed_dict: Any = None,
        names: Any = None,
        function: str = "f",
        rules: Any = None,
    ) -> Any:
        """Walks the chain rule from y back to xs: see `pullback.explain.hearing.explain`."""
        from pullback.explain.hearing import explain

        asked = {"tape": tape, "session": session, "feed_dict": feed_dict, "names": names}
        return explain(y, xs, **asked, function=function, rules=rules)

    def __getattr__(self, name: str) -> Any:
        if name not in TOOLS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its tools are {', '.join(TOOLS)}")
        return getattr(importlib.import_module(f"{__name__}.{TOOLS[name]}"), name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *TOOLS})


sys.modules[__name__].__class__ = Explain
explain: Explain = sys.modules[__name__]  # type: ignore[assignment]
public_value("explain", "explain")
