"""`tensorflow.python.*` and `tensorflow.core.*`: modules inside TensorFlow, which programs should not name and do.

Nothing of that tree is rebuilt. A module there is a place where a symbol is looked for: under the public namespaces
that show its names, then by its own name among all public ones (the shortest wins). `gen_nn_ops._relu_grad` and its
like are the ops themselves: ReluGrad.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator
from typing import Any


def _words(text: str) -> list[str]:
    """The words of a table that is written as prose."""
    return text.split()


_TREES = ("python", "core")
_PACKAGES = _words(
    """
    python python.framework python.ops python.client python.training python.platform python.layers
    python.keras python.eager python.util python.lib python.lib.io python.saved_model python.summary
    python.data python.data.ops python.feature_column python.tools python.ops.distributions python.ops.losses
    python.ops.parallel_for
    python.ops.linalg python.ops.signal python.ops.ragged python.user_ops python.module python.estimator
    python.distribute python.summary.writer core core.framework core.protobuf core.example core.util
    """
)
# Module (its last word) -> the public namespaces that show its names; "" is the root.
_SHOWN_IN = {
    **dict.fromkeys(
        _words(
            """
    ops framework_lib array_ops math_ops constant_op control_flow_ops control_flow_case check_ops clip_ops
    data_flow_ops functional_ops gradients gradients_impl gradients_util histogram_ops init_ops io_ops
    linalg_ops logging_ops lookup_ops map_fn parsing_ops partitioned_variables random_ops random_crop_ops
    script_ops session_ops sets sort_ops sparse_ops special_math_ops state_ops standard_ops string_ops
    template tensor_array_ops variable_scope variables resource_variable_ops custom_gradient indexed_slices
    sparse_tensor tensor_shape tensor_spec tensor_util random_seed importer function def_function backprop
    context session tensor_conversion tensor smart_cond while_loop cond array_ops_stack unconnected_gradients
    manip_ops bitwise_ops spectral_ops stateless_random_ops numerics confusion_matrix weights_broadcast_ops
    versions registry load_library device device_spec type_spec test_ops
    """
        ),
        ("", "math", "linalg"),
    ),
    "dtypes": ("", "dtypes"),
    "errors": ("errors",),
    "errors_impl": ("errors",),
    "graph_util": ("graph_util",),
    "graph_util_impl": ("graph_util",),
    "graph_io": ("train",),
    "meta_graph": ("train",),
    "test_util": ("test",),
    "nn": ("nn", ""),
    "nn_ops": ("nn", ""),
    "nn_impl": ("nn", ""),
    "ctc_ops": ("nn",),
    "candidate_sampling_ops": ("nn", "random"),
    "embedding_ops": ("nn",),
    "rnn": ("nn",),
    "rnn_cell": ("nn.rnn_cell",),
    "rnn_cell_impl": ("nn.rnn_cell",),
    "core_rnn_cell": ("nn.rnn_cell",),
    "core_rnn_cell_impl": ("nn.rnn_cell",),
    "image_ops": ("image",),
    "image_ops_impl": ("image",),
    "metrics": ("metrics",),
    "metrics_impl": ("metrics",),
    "losses": ("losses",),
    "losses_impl": ("losses",),
    "summary": ("summary",),
    "summary_ops": ("summary",),
    "summary_ops_v2": ("summary",),
    "summary_iterator": ("train",),
    "event_file_writer": ("summary",),
    "writer": ("summary",),
    "file_io": ("gfile", "io.gfile"),
    "gfile": ("gfile",),
    "tf_record": ("io", "python_io"),
    "python_io": ("python_io",),
    "app": ("app",),
    "flags": ("flags",),
    "test": ("test",),
    "googletest": ("test",),
    "gradient_checker": ("test",),
    "gradient_checker_v2": ("test",),
    "tf_logging": ("logging",),
    "resource_loader": ("resource_loader",),
    "sysconfig": ("sysconfig",),
    "compat": ("compat",),
    "nest": ("nest",),
    "device_lib": (),
    "timeline": (),
    "deprecation": (),
    "base": ("layers",),
    "core": ("layers",),
    "convolutional": ("layers",),
    "pooling": ("layers",),
    "normalization": ("layers",),
    "layers": ("layers",),
    "utils": ("layers", "keras.utils"),
    "dataset_ops": ("data",),
    "iterator_ops": ("data",),
    "readers": ("data",),
    "feature_column": ("feature_column",),
    "loader": ("saved_model.loader", "saved_model"),
    "builder": ("saved_model.builder", "saved_model"),
    "tag_constants": ("saved_model.tag_constants",),
    "signature_constants": ("saved_model.signature_constants",),
    "signature_def_utils": ("saved_model.signature_def_utils", "saved_model"),
    "inspect_checkpoint": (),
    "freeze_graph": (),
    **dict.fromkeys(
        _words(
            """
    adadelta adagrad adagrad_da adam checkpoint_management checkpoint_utils coordinator ftrl gradient_descent
    input learning_rate_decay momentum monitored_session moving_averages optimizer proximal_adagrad
    proximal_gradient_descent py_checkpoint_reader queue_runner queue_runner_impl rmsprop saver server_lib
    session_manager session_run_hook basic_session_run_hooks slot_creator summary_io supervisor
    sync_replicas_optimizer training training_util training_ops device_setter evaluation
    """
        ),
        ("train", ""),
    ),
    "categorical": ("distributions",),
    "normal": ("distributions",),
    "bernoulli": ("distributions",),
    "distribution": ("distributions",),
    "distributions": ("distributions",),
    "util": ("distributions",),
}
# What has no public name in TensorFlow and is written in `contrib.inner`, or in the module named before a colon:
# module's last word and symbol.
_UNEXPORTED = {
    "moving_averages.assign_moving_average": "assign_moving_average",
    "moving_averages.weighted_moving_average": "weighted_moving_average",
    "control_flow_ops.with_dependencies": "with_dependencies",
    "device_lib.list_local_devices": "list_local_devices",
    "smart_cond.smart_cond": "smart_cond",
    "smart_cond.smart_constant_value": "smart_constant_value",
    "utils.smart_cond": "smart_cond",
    "utils.constant_value": "smart_constant_value",
    "tensor_util.constant_value": "constant_value",
    "ops.convert_n_to_tensor": "convert_n_to_tensor",
    "ops.colocate_with": "colocate_with",
    "ops.Tensor": "Tensor",
    "ops.EagerTensor": "EagerTensor",
    "context.in_eager_mode": "executing_eagerly",
    "context.eager_mode": "eager_mode",
    "context.graph_mode": "graph_mode",
    "inspect_checkpoint.print_tensors_in_checkpoint_file": "print_tensors_in_checkpoint_file",
    "rnn_cell_impl._linear": "unexported:linear",
    "core_rnn_cell_impl._linear": "unexported:linear",
    "core_rnn_cell._linear": "unexported:linear",
    "rnn_cell._linear": "unexported:linear",
    "rnn._transpose_batch_time": "unexported:transpose_batch_time",
    "gradients.jacobian": "unexported:jacobian",
    "gradients.batch_jacobian": "unexported:batch_jacobian",
    "gradients_impl._hessian_vector_product": "unexported:hessian_vector_product",
    "function.Defun": "unexported:Defun",
    "file_io.FileIO": "unexported:FileIO",
}


def inside(path: str) -> bool:
    """Whether a path leads into TensorFlow's own modules."""
    return path.partition(".")[0] in _TREES


def is_module(path: str) -> bool:
    """Whether there is a module of that path to look in: "python.ops.nn_ops", "core.framework.graph_pb2"."""
    if path in _PACKAGES or path.startswith("python.keras."):
        return path in _PACKAGES or path.rpartition(".")[2].islower()
    space, _, word = path.rpartition(".")
    return space in _PACKAGES and (
        word in _SHOWN_IN
        or (space == "python.ops" and word.startswith("gen_") and word.endswith("_ops"))
        or (space.startswith("core.") and word.endswith("_pb2"))
    )


def public_names(path: str, table: Collection[str]) -> Iterator[str]:
    """Public names that the symbol may have, the likeliest first."""
    module, _, symbol = path.rpartition(".")
    alike = [name for name in table if name.rpartition(".")[2] == symbol and not name.startswith("raw_ops.")]
    if path.startswith("python.keras."):
        yield path.removeprefix("python.")
        yield from sorted((name for name in alike if name.startswith("keras.")), key=_nearest)
    word = module.rpartition(".")[2]
    if word.startswith("gen_"):
        yield f"raw_ops.{op_type(symbol)}"
    for space in _SHOWN_IN.get(word, ()):
        yield f"{space}.{symbol}" if space else symbol
    yield from sorted(alike, key=_nearest)


def _nearest(name: str) -> tuple[int, str]:
    return name.count("."), name


def unexported(path: str) -> Callable[[], Any] | None:
    """What loads a symbol that TensorFlow gives no public name."""
    module, _, symbol = path.rpartition(".")
    attribute = _UNEXPORTED.get(f"{module.rpartition('.')[2]}.{symbol}")
    if attribute is None:
        return None
    room, _, made = attribute.rpartition(":")
    return lambda: getattr(importlib.import_module(f"pullback.contrib.{room or 'inner'}"), made)


def op_type(symbol: str) -> str:
    """ "_relu_grad" -> "ReluGrad", "max_pool_v2" -> "MaxPoolV2", "conv2d" -> "Conv2D"."""
    words = symbol.strip("_").split("_")
    return "".join(word[:1].upper() + word[1:].replace("2d", "2D").replace("3d", "3D") for word in words)


def op_function(path: str) -> tuple[str, Callable[[], Any]] | None:
    """(op type, what loads the function) of a `gen_*_ops` function that is an op of ours."""
    module, _, symbol = path.rpartition(".")
    if not module.rpartition(".")[2].startswith("gen_"):
        return None
    from pullback._names import OPS

    kind = op_type(symbol)
    if kind not in OPS:
        return None
    return kind, lambda: importlib.import_module("pullback.contrib.inner").function_of_op(kind)


def by_position(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of raw_ops as `gen_*_ops` has it."""
    return importlib.import_module("pullback.contrib.inner").by_position(function)
