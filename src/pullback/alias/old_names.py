"""Names and argument orders that TensorFlow dropped before 1.15, for the programs written with them.

One table says what each is called now, and where its arguments stood otherwise. Each name warns once, on first use:
renamed ones when the program looks them up, reordered and renamed arguments when it uses the old form. They are there
for programs of TensorFlow 1 only, and only under `tensorflow`: `pullback.v1` has the names of 1.15.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

from pullback.core.errors import user_frame
from pullback.namespace import find


def _words(text: str) -> list[str]:
    """The words of a table that is written as prose."""
    return text.split()


class OldNameWarning(FutureWarning):
    """A program uses a name or an argument that TensorFlow dropped before 1.15."""


class Old(NamedTuple):
    """new: the name of today. adapt: the function of today -> one that takes the old arguments."""

    new: str
    adapt: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None


def _renaming(**changes: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keyword arguments by their old names: old=new."""

    def adapt(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **{changes.get(name, name): value for name, value in kwargs.items()})

        return call

    return adapt


def _batch_matmul(matmul: Callable[..., Any]) -> Callable[..., Any]:
    def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Any:
        """matmul, under its old name: adj_x and adj_y take adjoints of the last two axes."""
        return matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)

    return batch_matmul


def _image_summary(image: Callable[..., Any]) -> Callable[..., Any]:
    def image_summary(
        tag: Any, tensor: Any, max_images: int = 3, collections: Any = None, name: str | None = None
    ) -> Any:
        """summary.image, under its old name."""
        return image(tag, tensor, max_outputs=max_images, collections=collections)

    return image_summary


def _tagged(summary: Callable[..., Any]) -> Callable[..., Any]:
    def tagged(tags: Any, values: Any, collections: Any = None, name: str | None = None) -> Any:
        """summary.scalar or summary.histogram, under its old name. `name` named the op; `tags` is what is shown."""
        return summary(tags, values, collections=collections)

    return tagged


_SUMMARIES = {
    "scalar_summary": Old("summary.scalar", _tagged),
    "histogram_summary": Old("summary.histogram", _tagged),
    "image_summary": Old("summary.image", _image_summary),
    "audio_summary": Old("summary.audio", _renaming(tag="name", max_outputs="max_outputs")),
    "merge_all_summaries": Old("summary.merge_all"),
    "merge_summary": Old("summary.merge"),
}
NAMES: dict[str, Old] = {
    "mul": Old("multiply"),
    "sub": Old("subtract"),
    "neg": Old("negative"),
    "inv": Old("reciprocal"),
    "pack": Old("stack"),
    "unpack": Old("unstack"),
    "select": Old("where", _renaming(t="x", e="y")),
    "complex_abs": Old("abs"),
    "listdiff": Old("setdiff1d"),
    "batch_matmul": Old("matmul", _batch_matmul),
    "batch_matrix_transpose": Old("matrix_transpose"),
    "batch_matrix_diag": Old("matrix_diag"),
    "batch_matrix_diag_part": Old("matrix_diag_part"),
    "batch_matrix_set_diag": Old("matrix_set_diag"),
    "batch_matrix_band_part": Old("matrix_band_part"),
    "batch_matrix_determinant": Old("matrix_determinant"),
    "batch_matrix_inverse": Old("matrix_inverse"),
    "batch_matrix_solve": Old("matrix_solve"),
    "batch_matrix_solve_ls": Old("matrix_solve_ls"),
    "batch_matrix_triangular_solve": Old("matrix_triangular_solve"),
    "batch_cholesky": Old("cholesky"),
    "batch_cholesky_solve": Old("cholesky_solve"),
    "batch_self_adjoint_eig": Old("self_adjoint_eig"),
    "batch_svd": Old("svd"),
    "batch_fft": Old("fft"),
    "batch_ifft": Old("ifft"),
    "batch_fft2d": Old("fft2d"),
    "batch_ifft2d": Old("ifft2d"),
    "all_variables": Old("global_variables"),
    "initialize_all_variables": Old("global_variables_initializer"),
    "initialize_variables": Old("variables_initializer"),
    "initialize_local_variables": Old("local_variables_initializer"),
    "initialize_all_tables": Old("tables_initializer"),
    **_SUMMARIES,
    **{f"contrib.deprecated.{name}": old for name, old in _SUMMARIES.items()},
    "train.SummaryWriter": Old("summary.FileWriter"),
    "nn.rnn": Old("nn.static_rnn"),
    "nn.state_saving_rnn": Old("nn.static_state_saving_rnn"),
    "nn.bidirectional_rnn": Old("nn.static_bidirectional_rnn"),
    "nn.deconv2d": Old("nn.conv2d_transpose"),
    "image.per_image_whitening": Old("image.per_image_standardization"),
    **{
        f"{space}.{name}": Old(f"nn.rnn_cell.{name}")
        for space in ("models.rnn.rnn_cell", "nn.rnn_cell_impl")
        for name in _words(
            """
    RNNCell BasicRNNCell BasicLSTMCell LSTMCell GRUCell MultiRNNCell DropoutWrapper LSTMStateTuple
    """
        )
    },
}
SPACES = {".".join(words[:i]) for name in NAMES for words in [name.split(".")] for i in range(1, len(words))}
# Arguments by their old names, in every function that has the new one.
ARGUMENTS = {
    "reduction_indices": "axis",
    "keep_dims": "keepdims",
    "dim": "axis",
    "dimension": "axis",
    "squeeze_dims": "axis",
    "concat_dim": "axis",
    "split_dim": "axis",
    "seq_dim": "seq_axis",
    "batch_dim": "batch_axis",
}
_warned: set[str] = set()


def warn_once(old: str, new: str, since: str = "TensorFlow 1.15") -> None:
    """Says at the program's own line, the first time, what an old name or form is called now."""
    if old in _warned:
        return
    _warned.add(old)
    said = f"{old} is from before {since}; it works here, and is now {new}"
    frame = user_frame()
    while frame is not None and frame.f_code.co_filename.startswith("<frozen"):  # `from tensorflow import mul`
        frame = frame.f_back
    if frame is None:
        warnings.warn(said, OldNameWarning, stacklevel=2)
        return
    where = frame.f_code.co_filename, frame.f_lineno
    warnings.warn_explicit(said, OldNameWarning, *where, module=frame.f_globals.get("__name__"))


def forget() -> None:
    """Lets every name warn again: a new program begins."""
    _warned.clear()


def lookup(path: str) -> Old | None:
    """The row of an old name, as "mul" or "train.SummaryWriter"."""
    return NAMES.get(path)


def load(path: str, old: Old) -> Any:
    """What an old name means; warns."""
    warn_once(f"tf.{path}", f"tf.{old.new}")
    value = with_old_arguments(old.new, find("v1", old.new))
    return value if old.adapt is None else old.adapt(value)


def with_old_arguments(name: str, function: Any) -> Any:
    """A public function that also takes its arguments in the old order and by their old names."""
    if not isinstance(function, FunctionType):
        return function
    ordered = _ORDERS.get(name)
    if ordered is not None:
        function = ordered(function)
    taken = inspect.signature(function).parameters
    old = {arg: new for arg, new in ARGUMENTS.items() if new in taken}
    if not old:
        return function
    renamed = {arg: new for arg, new in old.items() if arg not in taken}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not old.keys().isdisjoint(kwargs):
            for arg in old.keys() & kwargs.keys():
                warn_once(f"{arg}= of tf.{name}", f"{old[arg]}=")
                if arg in renamed:
                    kwargs[renamed[arg]] = kwargs.pop(arg)
        return function(*args, **kwargs)

    return call


# --- orders of arguments -------------------------------------------------------------------------------------------


def _is_axis(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)


def _concat(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def concat(*args: Any, **kwargs: Any) -> Any:
        if len(args) >= 2 and _is_axis(args[0]) and not _is_axis(args[1]):
            warn_once("tf.concat(axis, values)", "tf.concat(values, axis)")
            args = (args[1], args[0], *args[2:])
        elif len(args) == 1 and _is_axis(args[0]) and "values" in kwargs:
            warn_once("tf.concat(axis, values)", "tf.concat(values, axis)")
            args, kwargs = (), {**kwargs, "axis": args[0]}
        return function(*args, **kwargs)

    return concat


def _split(function: Callable[..., Any]) -> Callable[..., Any]:
    """split(split_dim, num_split, value) is what has two whole numbers first."""

    @functools.wraps(function)
    def split(*args: Any, **kwargs: Any) -> Any:
        old = len(args) >= 3 and _is_axis(args[0]) and _is_axis(args[1]) and not _is_axis(args[2])
        if old or "num_split" in kwargs or (len(args) == 2 and _is_axis(args[0]) and "value" in kwargs):
            warn_once("tf.split(axis, number, value)", "tf.split(value, number, axis)")
            given = dict(zip(("axis", "num_or_size_splits", "value", "name"), args, strict=False))
            given |= {{"num_split": "num_or_size_splits", "split_dim": "axis"}.get(k, k): v for k, v in kwargs.items()}
            return function(**given)
        return function(*args, **kwargs)

    return split


def _cross_entropy(labels: str, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Cross entropies took (logits, labels) by position; 1.0 and later take them by name only."""

    def adapt(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if args and args[0] is not None:
                warn_once(f"tf.nn.{name}(logits, {labels})", f"tf.nn.{name}({labels}=..., logits=...)")
                order = (
                    ("logits", labels, "dim", "name") if name[:13] == "softmax_cross" else ("logits", labels, "name")
                )
                kwargs, args = {**dict(zip(order, args, strict=False)), **kwargs}, ()
            if "targets" in kwargs:
                kwargs["labels"] = kwargs.pop("targets")
            return function(*args, **kwargs)

        return call

    return adapt


_ORDERS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "concat": _concat,
    "split": _split,
    **{
        f"nn.{name}": _cross_entropy("labels", name)
        for name in (
            "softmax_cross_entropy_with_logits",
            "sparse_softmax_cross_entropy_with_logits",
            "sigmoid_cross_entropy_with_logits",
        )
    },
}
