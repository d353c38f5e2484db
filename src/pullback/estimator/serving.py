"""An Estimator's model as a saved model: what a server feeds (receivers), and the signatures of what it answers."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from pullback.core import dtypes
from pullback.core.names import public
from pullback.data.parsing import parse_example_v1
from pullback.estimator.config import EstimatorSpec
from pullback.estimator.export import ClassificationOutput, PredictOutput, RegressionOutput
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.session import Session, placeholder
from pullback.saved_model.builder import SavedModelBuilder
from pullback.saved_model.constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY, SERVING
from pullback.saved_model.signatures import (
    classification_signature_def,
    predict_signature_def,
    regression_signature_def,
)
from pullback.train.saver import Saver
from pullback.train.scaffold import Scaffold

_ASSETS_EXTRA = "assets.extra"
_log = logging.getLogger("pullback")


class _Received(NamedTuple):
    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Any = None


def _named(tensors: Any, name: str, what: str) -> dict[str, Any]:
    """{name: tensor}, of one tensor too.

    Raises:
      ValueError: there are none, or a name is no string.
    """
    if tensors is None or (isinstance(tensors, dict) and not tensors):
        raise ValueError(f"{what} must be defined: give a tensor, or a dict of them by name")
    made = tensors if isinstance(tensors, dict) else {name: tensors}
    for key in made:
        if not isinstance(key, (str, int)):
            raise ValueError(f"{what} keys must be strings: {key!r}.")
    return made


@public("estimator.export.ServingInputReceiver")
class ServingInputReceiver(_Received):
    """What a server is fed, and the features made of it.

    Args:
      features: a tensor, which is named "feature", or {name: tensor}: for the model function.
      receiver_tensors: a placeholder, which is named "input", or {name: placeholder}: what requests hold.
      receiver_tensors_alternatives: {name: {name: tensor}}: other places in the graph that requests may feed instead.
    Raises:
      ValueError: one is missing, or a name is no string.
    """

    def __new__(cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None) -> Any:
        made = _named(receiver_tensors, "input", "receiver_tensors")
        return super().__new__(cls, _named(features, "feature", "features"), made, receiver_tensors_alternatives)


@public("estimator.export.TensorServingInputReceiver")
class TensorServingInputReceiver(_Received):
    """As ServingInputReceiver, for a model function whose features are one tensor."""

    def __new__(cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None) -> Any:
        if features is None or isinstance(features, dict):
            raise ValueError(f"features must be a single tensor, not {features!r}; use ServingInputReceiver for a dict")
        made = _named(receiver_tensors, "input", "receiver_tensors")
        return super().__new__(cls, features, made, receiver_tensors_alternatives)


@public("estimator.export.build_raw_serving_input_receiver_fn")
def build_raw_serving_input_receiver_fn(features: Any, default_batch_size: int | None = None) -> Callable[[], Any]:
    """A function that makes a placeholder of each feature's type and shape: requests hold the features themselves.

    features: {name: tensor}. default_batch_size: the leading axis of the placeholders; None: any.
    """
    asked = {name: (t.dtype, t.shape.as_list()[1:], t.op.name) for name, t in features.items()}

    def receiver() -> ServingInputReceiver:
        made = {
            name: placeholder(dtype, [default_batch_size, *rest], name=known.split("/")[-1])
            for name, (dtype, rest, known) in asked.items()
        }
        return ServingInputReceiver(made, dict(made))

    return receiver


@public("estimator.export.build_parsing_serving_input_receiver_fn")
def build_parsing_serving_input_receiver_fn(
    feature_spec: Any, default_batch_size: int | None = None
) -> Callable[[], Any]:
    """A function that makes a placeholder of serialised Examples [B], and parses the features out of them.

    feature_spec: {name: FixedLenFeature, VarLenFeature, ..}, as for `tf.parse_example`.
    """

    def receiver() -> ServingInputReceiver:
        words = placeholder(dtypes.string, [default_batch_size], name="input_example_tensor")
        return ServingInputReceiver(parse_example_v1(words, feature_spec), {"examples": words})

    return receiver


def _outputs(spec: EstimatorSpec) -> dict[str, Any]:
    """What the model exports by name, one of which is the default.

    Raises:
      ValueError: there are several, and none is the default.
    """
    given = spec.export_outputs or {DEFAULT_SERVING_SIGNATURE_DEF_KEY: PredictOutput(spec.predictions)}
    if DEFAULT_SERVING_SIGNATURE_DEF_KEY in given:
        return given
    if len(given) > 1:
        raise ValueError(
            "Multiple `export_outputs` were provided, but none of them is specified as the default. Name one of them "
            f"tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY. They are {sorted(given)}"
        )
    return {**given, DEFAULT_SERVING_SIGNATURE_DEF_KEY: next(iter(given.values()))}


def _signature(output: Any, received: dict[str, Any]) -> Any:
    """The SignatureDef of an output. ValueError: it cannot be had of these inputs."""
    if isinstance(output, PredictOutput):
        return predict_signature_def(received, output.outputs)
    if len(received) != 1:
        raise ValueError(f"it takes a single string tensor of Examples, not {sorted(received)}")
    examples = next(iter(received.values()))
    if isinstance(output, ClassificationOutput):
        return classification_signature_def(examples, output.classes, output.scores)
    if isinstance(output, RegressionOutput):
        return regression_signature_def(examples, output.value)
    raise ValueError(f"it is no ExportOutput: {output!r}")


def signatures(spec: EstimatorSpec, receiver: Any) -> dict[str, Any]:
    """{name: SignatureDef}; an output that these inputs cannot give is left out, and the log says so."""
    found = {}
    fed = [("", receiver.receiver_tensors)]
    for name, tensors in (receiver.receiver_tensors_alternatives or {}).items():
        fed.append((f"{name}:", _named(tensors, "input", "receiver_tensors_alternatives")))
    for front, tensors in fed:
        for name, output in _outputs(spec).items():
            try:
                found[front + name] = _signature(output, tensors)
            except ValueError as error:
                _log.warning("Export includes no signature %r: %s", front + name, error)
    return found


def write(
    base: Any,
    receiver: Any,
    spec: EstimatorSpec,
    checkpoint: str,
    config: Any,
    assets_extra: Any,
    as_text: bool,
    strip_default_attrs: bool,
) -> bytes:
    """Writes the current graph, with a checkpoint's values, as a saved model in a new folder below `base`, which is
    named for the time in seconds; returns its path."""
    base = os.fsdecode(base)
    os.makedirs(base, exist_ok=True)
    scaffold: Any = spec.scaffold or Scaffold()
    building = tempfile.mkdtemp(prefix="temp-", dir=base)
    try:
        with Session(config=config) as session:
            (scaffold.saver or Saver(sharded=True, allow_empty=True)).restore(session, checkpoint)
            builder = SavedModelBuilder(building)
            builder.add_meta_graph_and_variables(
                session,
                [SERVING],
                signatures(spec, receiver),
                assets_collection=get_default_graph().get_collection(GraphKeys.ASSET_FILEPATHS),
                main_op=scaffold.local_init_op or Scaffold.default_local_init_op(),
                strip_default_attrs=strip_default_attrs,
            )
            builder.save(as_text)
        for place, source in (assets_extra or {}).items():
            target = os.path.join(building, _ASSETS_EXTRA, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.fsdecode(source), target)
        return os.fsencode(_settled(building, base))
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _settled(building: str, base: str) -> str:
    """Gives a finished folder its name: the first second from now that is free."""
    second = int(time.time())
    while os.path.exists(os.path.join(base, str(second))):
        second += 1
    path = os.path.join(base, str(second))
    os.replace(building, path)
    os.chmod(path, 0o755)
    return path
