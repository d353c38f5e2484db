"""What an Estimator is told: what model functions return, and how it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.core.errors import ArgumentError
from pullback.core.names import public


@public("estimator.ModeKeys")
class ModeKeys:
    """What a model function is asked for."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


class EstimatorSpec(NamedTuple):
    """What a model function returns.

    mode: of ModeKeys. predictions: a tensor or dict of them. loss: []. train_op: moves the global step on.
    eval_metric_ops: {name: (value, update)}. The rest: hooks, and the Scaffold of the session.
    """

    mode: Any
    predictions: Any = None
    loss: Any = None
    train_op: Any = None
    eval_metric_ops: Any = None
    export_outputs: Any = None
    training_chief_hooks: Any = ()
    training_hooks: Any = ()
    scaffold: Any = None
    evaluation_hooks: Any = ()
    prediction_hooks: Any = ()


public("estimator.EstimatorSpec")(EstimatorSpec)


class TrainSpec(NamedTuple):
    """How `train_and_evaluate` trains: until the input ends or the global step is max_steps."""

    input_fn: Any
    max_steps: int | None = None
    hooks: Any = ()
    saving_listeners: Any = ()


class EvalSpec(NamedTuple):
    """How `train_and_evaluate` evaluates: `steps` batches (None: all), at most every throttle_secs seconds.

    start_delay_secs: has no meaning in one process. exporters: are called with what was evaluated.
    """

    input_fn: Any
    steps: int | None = 100
    name: str | None = None
    hooks: Any = ()
    exporters: Any = ()
    start_delay_secs: int = 120
    throttle_secs: int = 600


public("estimator.TrainSpec")(TrainSpec)
public("estimator.EvalSpec")(EvalSpec)


class WarmStartSettings(NamedTuple):
    """Where training starts from; as the arguments of `tf.train.warm_start`."""

    ckpt_to_initialize_from: str
    vars_to_warm_start: Any = ".*"
    var_name_to_vocab_info: Any = None
    var_name_to_prev_var_name: Any = None


public("estimator.WarmStartSettings")(WarmStartSettings)


@public("estimator.RunConfig")
class RunConfig:
    """How an Estimator runs.

    Args:
      model_dir: the folder of checkpoints. tf_random_seed: the graph's seed.
      save_summary_steps, save_checkpoints_steps, save_checkpoints_secs: how often is saved (100 steps; 600 seconds).
      session_config: a ConfigProto. keep_checkpoint_max, keep_checkpoint_every_n_hours: which checkpoints stay.
      log_step_count_steps: how often steps a second are logged. device_fn: kept; there is one device.
      protocol, experimental_max_worker_delay_secs, session_creation_timeout_secs: are of clusters; have no meaning.
    Raises:
      ValueError: both save_checkpoints_steps and _secs are given. ArgumentError: distribution is asked for.
    """

    def __init__(
        self,
        model_dir: Any = None,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_steps: Any = None,
        save_checkpoints_secs: Any = None,
        session_config: Any = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        train_distribute: Any = None,
        device_fn: Any = None,
        protocol: Any = None,
        eval_distribute: Any = None,
        experimental_distribute: Any = None,
        experimental_max_worker_delay_secs: Any = None,
        session_creation_timeout_secs: int = 7200,
    ) -> None:
        if save_checkpoints_steps is not None and save_checkpoints_secs is not None:
            raise ValueError("`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set.")
        if any(x is not None for x in (train_distribute, eval_distribute, experimental_distribute)):
            raise ArgumentError(
                "RunConfig: estimators run in one process; leave the distribution arguments out"
            ).locate()
        self.model_dir, self.tf_random_seed, self.session_config = model_dir, tf_random_seed, session_config
        self.save_summary_steps, self.log_step_count_steps = save_summary_steps, log_step_count_steps
        self.save_checkpoints_steps = save_checkpoints_steps
        self.save_checkpoints_secs = (
            600 if save_checkpoints_steps is None and save_checkpoints_secs is None else (save_checkpoints_secs)
        )
        self.keep_checkpoint_max = keep_checkpoint_max
        self.keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self.device_fn = device_fn
        self.is_chief, self.task_type, self.task_id, self.num_worker_replicas = True, "worker", 0, 1

    def replace(self, **kwargs: Any) -> RunConfig:
        """A copy with other settings. Of save_checkpoints_steps and _secs the one that is given replaces the other.

        Raises:
          ValueError: there is no such setting, or both of these are given.
        """
        often = ("save_checkpoints_steps", "save_checkpoints_secs")
        said = [name for name in often if kwargs.get(name) is not None]
        if len(said) == 2:
            raise ValueError("`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set.")
        if said:
            kwargs = {**dict.fromkeys(often), **kwargs}
        made = object.__new__(RunConfig)
        made.__dict__.update(self.__dict__)
        for name, value in kwargs.items():
            if name not in made.__dict__:
                raise ValueError(f"RunConfig has no setting {name!r}")
            setattr(made, name, value)
        return made
