"""tf.estimator: a model as a function, trained, evaluated and asked by a class that keeps it in a folder."""

from __future__ import annotations

import copy
import inspect
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import nest
from pullback.core.names import public
from pullback.data.dataset import Recipe
from pullback.data.graph_iterators import make_initializable_iterator
from pullback.estimator.config import EstimatorSpec, EvalSpec, ModeKeys, RunConfig, TrainSpec, WarmStartSettings
from pullback.estimator.serving import write
from pullback.io import messages
from pullback.modes.default import GraphKeys, GraphV1, get_default_graph
from pullback.modes.grouping import group
from pullback.ops.random.seeds import set_seed
from pullback.train.checkpoint_reader import list_variables, load_variable
from pullback.train.checkpoint_state import latest_checkpoint
from pullback.train.global_step import get_global_step, get_or_create_global_step
from pullback.train.hooks import FinalOpsHook, NanTensorHook, StopAtStepHook
from pullback.train.metrics_v1 import mean
from pullback.train.monitored import MonitoredSession, MonitoredTrainingSession
from pullback.train.saver import Saver
from pullback.train.saving_hooks import CheckpointSaverHook, CheckpointSaverListener
from pullback.train.scaffold import ChiefSessionCreator, Scaffold
from pullback.train.summaries.writer import FileWriter
from pullback.train.warm_starting import warm_start


def _inputs(input_fn: Callable[..., Any], mode: str, config: Any, params: Any) -> tuple[Any, Any]:
    """(features, labels) of an input function; a dataset is iterated."""
    made = _called(input_fn, mode=mode, config=config, params=params)
    if isinstance(made, Recipe):
        iterator = make_initializable_iterator(made)
        get_default_graph().add_to_collection(GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        made = iterator.get_next()
    if isinstance(made, (list, tuple)):
        if len(made) != 2:
            raise ValueError(f"input_fn should return (features, labels) as a len 2 tuple, not {len(made)} values")
        return made[0], made[1]
    return made, None


def _called(f: Callable[..., Any], *args: Any, **offered: Any) -> Any:
    """f with those of the keywords that it takes."""
    taken = inspect.signature(f).parameters
    return f(*args, **{k: v for k, v in offered.items() if k in taken})


def _check_positive(what: str, count: int | None) -> None:
    if count is not None and count <= 0:
        raise ValueError(f"Must specify {what} > 0, given: {count}")


# What an EstimatorSpec must hold, by mode.
_NEEDED = {ModeKeys.TRAIN: ("loss", "train_op"), ModeKeys.EVAL: ("loss",), ModeKeys.PREDICT: ("predictions",)}


@public("estimator.Estimator", v1=("estimator.Estimator",))
class Estimator:
    """A model that is trained, evaluated and asked, each time in a graph of its own, from the checkpoints of a folder.

    Args:
      model_fn: model_fn(features, labels, mode, params, config) -> EstimatorSpec; takes of these what it names.
      model_dir: the folder, by default the config's, else a new temporary one. params: a dict or HParams, for
        model_fn, which is given a copy.
      warm_start_from: a checkpoint, its folder, or WarmStartSettings: where training starts from in an empty folder.
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        model_dir: Any = None,
        config: RunConfig | None = None,
        params: Any = None,
        warm_start_from: Any = None,
    ) -> None:
        is_path = isinstance(warm_start_from, (str, bytes, os.PathLike))
        self._warm: Any = WarmStartSettings(os.fsdecode(warm_start_from)) if is_path else warm_start_from
        self._config = config or RunConfig()
        self._model_fn, self._params = model_fn, copy.deepcopy(params) if params else {}
        folder = model_dir or self._config.model_dir
        self._model_dir = os.fsdecode(folder) if folder else tempfile.mkdtemp()

    @property
    def model_dir(self) -> str:
        return self._model_dir

    @property
    def config(self) -> RunConfig:
        return self._config

    @property
    def params(self) -> Any:
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Callable[..., Any]:
        return self._model_fn

    def latest_checkpoint(self) -> str | None:
        """The latest checkpoint's path, or None."""
        return latest_checkpoint(self._model_dir)

    def get_variable_names(self) -> list[str]:
        """Names of the variables in the latest checkpoint."""
        return [name for name, _ in list_variables(self._checkpoint(None))]

    def get_variable_value(self, name: str) -> Any:
        """A variable's value in the latest checkpoint."""
        return load_variable(self._checkpoint(None), name)

    def _checkpoint(self, path: Any) -> str:
        found = path or self.latest_checkpoint()
        if not found:
            raise ValueError(f"Could not find trained model in model_dir: {self._model_dir}.")
        return found

    def _built(self, input_fn: Callable[..., Any], mode: str) -> EstimatorSpec:
        """The model on an input, in the current graph."""
        if self._config.tf_random_seed is not None:
            set_seed(self._config.tf_random_seed)
        get_or_create_global_step()
        features, labels = _inputs(input_fn, mode, self._config, self._params)
        offered = {"mode": mode, "params": self._params, "config": self._config}
        offered["labels"] = None if mode == ModeKeys.PREDICT else labels
        spec = _called(self._model_fn, features, **offered)
        if not isinstance(spec, EstimatorSpec):
            raise ValueError(f"model_fn should return an EstimatorSpec, not {type(spec)}")
        for field in _NEEDED[mode]:
            if getattr(spec, field) is None:
                raise ValueError(f"Missing {field}: the EstimatorSpec that model_fn returns for mode {mode!r} needs it")
        return spec

    def _scaffold(self, spec: EstimatorSpec) -> Scaffold:
        """The model's Scaffold; its saver keeps what the config says."""
        scaffold = spec.scaffold or Scaffold()
        if scaffold.saver is None and not get_default_graph().get_collection(GraphKeys.SAVERS):  # type: ignore[attr-defined]
            keep = self._config.keep_checkpoint_max, self._config.keep_checkpoint_every_n_hours
            saver = Saver(max_to_keep=keep[0], keep_checkpoint_every_n_hours=keep[1], allow_empty=True)
            get_default_graph().add_to_collection(GraphKeys.SAVERS, saver)
        return scaffold

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Any = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Any = None,
    ) -> Estimator:
        """Trains for `steps` further steps, or until the global step is max_steps, or to the input's end.

        Raises:
          ValueError: both steps and max_steps are given, or one is not positive.
        """
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        _check_positive("steps", steps)
        _check_positive("max_steps", max_steps)
        if max_steps is not None and self.latest_checkpoint() and self._trained() >= max_steps:
            return self
        with GraphV1().as_default():
            spec = self._built(input_fn, ModeKeys.TRAIN)
            if self._warm is not None:
                warm_start(*self._warm)
            every = [*(hooks or ()), NanTensorHook(spec.loss), *(spec.training_hooks or ())]
            every += spec.training_chief_hooks or ()
            if steps is not None or max_steps is not None:
                every.append(StopAtStepHook(steps, max_steps))
            config, scaffold = self._config, self._scaffold(spec)
            saving = CheckpointSaverHook(
                self._model_dir,
                config.save_checkpoints_secs,
                config.save_checkpoints_steps,
                scaffold=scaffold,
                listeners=saving_listeners,
            )
            with MonitoredTrainingSession(
                checkpoint_dir=self._model_dir,
                scaffold=scaffold,
                hooks=[*every, saving],
                save_checkpoint_secs=0,
                save_summaries_steps=config.save_summary_steps or 0,
                config=config.session_config,
                log_step_count_steps=config.log_step_count_steps,
            ) as session:
                while not session.should_stop():
                    session.run([spec.train_op, spec.loss])
        return self

    def _trained(self) -> int:
        return int(self.get_variable_value("global_step"))

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """The metrics of the latest checkpoint over `steps` batches (None: all), with "loss" and "global_step"; also
        written to a folder `eval` (`eval_name`) below the model's.

        Raises:
          ValueError: there is no checkpoint, or steps is not positive.
        """
        _check_positive("steps", steps)
        path = self._checkpoint(checkpoint_path)
        with GraphV1().as_default():
            spec = self._built(input_fn, ModeKeys.EVAL)
            metrics = {**(spec.eval_metric_ops or {}), "loss": mean(spec.loss)}
            final = FinalOpsHook({"global_step": get_global_step(), **{key: v for key, (v, _) in metrics.items()}})
            update = group(*[update for _, update in metrics.values()])
            creator = ChiefSessionCreator(
                self._scaffold(spec), config=self._config.session_config, checkpoint_filename_with_path=path
            )
            done = 0
            every = [*(hooks or ()), *(spec.evaluation_hooks or ()), final]
            with MonitoredSession(creator, every) as session:
                while not session.should_stop() and (steps is None or done < steps):
                    session.run(update)
                    done += 1
        results = final.final_ops_values
        folder = os.path.join(self._model_dir, "eval" if not name else f"eval_{name}")
        with FileWriter(folder) as writer:
            summary = messages.Summary()
            for key, value in sorted(results.items()):
                if key != "global_step" and np.ndim(value) == 0:
                    summary.value.add(tag=key, simple_value=float(value))
            writer.add_summary(summary, results["global_step"])
        return results

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """The predictions of the latest checkpoint: of each example, or of each batch.

        predict_keys: names of those that are wanted.
        Raises:
          ValueError: there is no checkpoint, none of predict_keys is predicted, or predictions have no names.
        """
        path = self._checkpoint(checkpoint_path)
        with GraphV1().as_default():
            spec = self._built(input_fn, ModeKeys.PREDICT)
            wanted = spec.predictions
            if predict_keys:
                if not isinstance(wanted, dict):
                    raise ValueError(
                        f"predict_keys {predict_keys} need predictions in a dict, but model_fn gives {wanted}"
                    )
                wanted = {k: v for k, v in wanted.items() if k in predict_keys}
                if not wanted:
                    raise ValueError(f"Expected to run at least one output from {sorted(spec.predictions)}.")
            creator = ChiefSessionCreator(
                self._scaffold(spec), config=self._config.session_config, checkpoint_filename_with_path=path
            )
            monitored = MonitoredSession(creator, [*(hooks or ()), *(spec.prediction_hooks or ())])
        with monitored as session:
            while not session.should_stop():
                batch = session.run(wanted)
                if not yield_single_examples:
                    yield batch
                    continue
                for i in range(len(nest.leaves_of(batch)[0])):
                    yield nest.mapped(lambda value, i=i: value[i], batch)

    def export_saved_model(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        experimental_mode: str = ModeKeys.PREDICT,
    ) -> bytes:
        """Writes the model, as it predicts, as a saved model.

        Args:
          export_dir_base: a new folder, named for the time in seconds, is made in it.
          serving_input_receiver_fn: makes a ServingInputReceiver (see tf.estimator.export).
          assets_extra: {path in the model's assets.extra: file to copy}. as_text: in protocol-buffer text.
          checkpoint_path: the latest one when left out. experimental_mode: only prediction.
        Returns:
          The model's folder.
        Raises:
          ValueError: there is no checkpoint, or another mode is asked for.
        """
        if experimental_mode != ModeKeys.PREDICT:
            raise ValueError(f"export_saved_model: experimental_mode must be ModeKeys.PREDICT, not {experimental_mode}")
        return self._exported(
            export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, strip=True
        )

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """As `export_saved_model`, which keeps attributes that have their default value unless told otherwise."""
        return self._exported(
            export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, strip_default_attrs
        )

    def _exported(self, base: Any, receiver_fn: Any, extra: Any, as_text: bool, path: Any, strip: bool) -> bytes:
        checkpoint = self._checkpoint(path)
        received: list[Any] = []

        def features() -> Any:
            received.append(receiver_fn())
            return received[0].features, None

        with GraphV1().as_default():
            spec = self._built(features, ModeKeys.PREDICT)
            return write(base, received[0], spec, checkpoint, self._config.session_config, extra, as_text, strip)


class _Evaluating(CheckpointSaverListener):
    """Evaluates when a checkpoint was written, not too often, and not the last one's, which comes anyway."""

    def __init__(self, evaluate: Callable[[], Any], throttle_secs: float, last_step: int | None) -> None:
        self._evaluate, self._throttle, self._last = evaluate, throttle_secs, time.monotonic()
        self._last_step = last_step

    def after_save(self, session: Any, global_step_value: int) -> None:
        if self._last_step is not None and global_step_value >= self._last_step:
            return
        if time.monotonic() - self._last >= self._throttle:
            self._evaluate()
            self._last = time.monotonic()


@public("estimator.train_and_evaluate")
def train_and_evaluate(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> tuple[Any, list[Any]]:
    """Trains, evaluating the checkpoints on the way (at most every throttle_secs) and the last one; each time the
    exporters are called, who write below export/<name> in the model's folder.

    Returns:
      (the last metrics, what the exporters then gave).
    """
    exporters = eval_spec.exporters or ()
    exporters = exporters if isinstance(exporters, (list, tuple)) else [exporters]

    def evaluate(last: bool = False) -> Any:
        results = estimator.evaluate(eval_spec.input_fn, eval_spec.steps, eval_spec.hooks, name=eval_spec.name)
        path, folder = estimator.latest_checkpoint(), os.path.join(estimator.model_dir, "export")
        return results, [e.export(estimator, os.path.join(folder, e.name), path, results, last) for e in exporters]

    listening = _Evaluating(evaluate, eval_spec.throttle_secs, train_spec.max_steps)
    listeners = [*(train_spec.saving_listeners or ()), listening]
    estimator.train(train_spec.input_fn, train_spec.hooks, max_steps=train_spec.max_steps, saving_listeners=listeners)
    return evaluate(last=True)
