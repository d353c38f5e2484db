"""`slim.learning.train`: a training from its operation alone, with checkpoints and summaries beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.trace_files import write_trace
from pullback.core.errors import ArgumentError

# Stands for "found in the graph, or made". None is "there is none".
_USE_DEFAULT = 0


def _given(value: Any) -> bool:
    """Whether a caller said it; tensors are not compared."""
    return not (type(value) is int and value == _USE_DEFAULT)


@contrib("slim.learning", "train_step")
def train_step(sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """One step of `train`.

    Args:
      train_op: what a step runs; its value is the loss. global_step: the tensor that counts, read after the step.
      train_step_kwargs: may hold should_log, should_stop and should_trace, [] bool, and logdir, the folder of traces.
    Returns:
      (the loss, whether to stop).
    """
    start = time.time()
    options = metadata = None
    if "should_trace" in train_step_kwargs:
        if "logdir" not in train_step_kwargs:
            raise ValueError("logdir must be present in train_step_kwargs when should_trace is present")
        if sess.run(train_step_kwargs["should_trace"]):
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            metadata = tf.RunMetadata()
    loss = sess.run(train_op, options=options, run_metadata=metadata)
    elapsed = time.time() - start
    step = int(sess.run(global_step))
    if metadata is not None:
        path = os.path.join(train_step_kwargs["logdir"], f"tf_trace-{step}.json")
        tf.logging.info(f"Writing trace to {path}")
        write_trace(path, metadata.step_stats)
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        tf.logging.info(f"global step {step}: loss = {float(loss):.4f} ({elapsed:.3f} sec/step)")
    stops = bool(sess.run(train_step_kwargs["should_stop"])) if "should_stop" in train_step_kwargs else False
    return loss, stops


def _step_arguments(global_step: Any, number_of_steps: Any, log_every: int, trace_every: Any, logdir: Any) -> Any:
    """What `train_step` is given when the caller says nothing."""
    with tf.name_scope("train_step"):
        at = tf.convert_to_tensor(global_step)
        never = tf.constant(False)
        made = {
            "should_stop": never if number_of_steps is None else tf.greater_equal(at, number_of_steps),
            "should_log": tf.equal(tf.mod(at, log_every), 0) if log_every > 0 else never,
        }
        if trace_every is not None:
            made["should_trace"] = tf.equal(tf.mod(at, trace_every), 0)
            made["logdir"] = logdir
    return made


def _check(arguments: dict[str, Any]) -> None:
    """Raises ValueError where arguments of `train` contradict each other or one process cannot honour them."""
    if arguments["train_op"] is None:
        raise ValueError("train_op cannot be None.")
    if arguments["logdir"] is None:
        wanted = {
            "summary_op": _given(arguments["summary_op"]) and arguments["summary_op"] is not None,
            "saver": arguments["saver"] is not None,
            "trace_every_n_steps": arguments["trace_every_n_steps"] is not None,
        }
        for name, present in wanted.items():
            if present:
                raise ValueError(f"Cannot provide {name} because logdir=None")
    steps = arguments["number_of_steps"]
    if steps is not None and steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")
    if not arguments["is_chief"] or arguments["sync_optimizer"] is not None:
        raise ArgumentError(
            "slim.learning.train: one process trains here; leave is_chief True and sync_optimizer out"
        ).locate()


@contrib("slim.learning", "train")
def train(
    train_op: Any,
    logdir: Any,
    train_step_fn: Callable[..., Any] = train_step,
    train_step_kwargs: Any = _USE_DEFAULT,
    log_every_n_steps: int = 1,
    graph: Any = None,
    master: str = "",
    is_chief: bool = True,
    global_step: Any = None,
    number_of_steps: int | None = None,
    init_op: Any = _USE_DEFAULT,
    init_feed_dict: Any = None,
    local_init_op: Any = _USE_DEFAULT,
    init_fn: Callable[[Any], Any] | None = None,
    ready_op: Any = _USE_DEFAULT,
    summary_op: Any = _USE_DEFAULT,
    save_summaries_secs: float = 600,
    summary_writer: Any = _USE_DEFAULT,
    startup_delay_steps: int = 0,
    saver: Any = None,
    save_interval_secs: float = 600,
    sync_optimizer: Any = None,
    session_config: Any = None,
    session_wrapper: Callable[[Any], Any] | None = None,
    trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:
    """Runs train_op again and again, from the latest checkpoint of logdir or from the beginning.

    Args:
      train_op: what a step runs; its value is the loss: see `create_train_op`.
      logdir: the folder of checkpoints and summaries; None writes neither.
      train_step_fn, train_step_kwargs: what a step is, as `train_step`, and its last argument.
      log_every_n_steps: how often the loss is logged; 0: never. number_of_steps: the global step at which to end; None:
        with the input.
      init_op, init_feed_dict, init_fn: run where there is no checkpoint; init_fn(session) after init_op.
      local_init_op: run in any case. ready_op: names of variables without a value.
      summary_op, save_summaries_secs, summary_writer: what is written, every so many seconds (0: never), where.
      saver, save_interval_secs: what saves, every so many seconds and at the end.
      session_wrapper: makes the session that steps run in of the plain one.
      trace_every_n_steps: a trace of the run is written to logdir/tf_trace-<step>.json every so many steps.
      startup_delay_steps: how long those wait that are not chief; there are none. ignore_live_threads: whether input
        threads that do not end are no error.
    Returns:
      The last loss; None when no step was run.
    Raises:
      ValueError: train_op is None, a folder is missing for what is to be written, number_of_steps is below 1, or
        is_chief is False or a sync_optimizer is given.
    """
    _check(dict(locals()))
    graph = tf.get_default_graph() if graph is None else graph
    with graph.as_default():
        step = tf.train.get_or_create_global_step() if global_step is None else global_step
        if not _given(train_step_kwargs):
            train_step_kwargs = _step_arguments(step, number_of_steps, log_every_n_steps, trace_every_n_steps, logdir)
        supervisor = tf.train.Supervisor(
            graph=graph,
            logdir=logdir,
            init_op=init_op,
            init_feed_dict=init_feed_dict,
            local_init_op=local_init_op,
            ready_op=ready_op,
            summary_op=None if logdir is None else summary_op,
            summary_writer=summary_writer,
            global_step=step,
            saver=tf.train.Saver() if saver is None else saver,
            save_summaries_secs=save_summaries_secs,
            save_model_secs=save_interval_secs,
            init_fn=init_fn,
        )
        with supervisor.managed_session(master, config=session_config) as session:
            stepped = session if session_wrapper is None else session_wrapper(session)
            loss = _loop(supervisor, stepped, lambda s: train_step_fn(s, train_op, step, train_step_kwargs))
            try:
                # First, so that no other thread still writes an earlier checkpoint.
                supervisor.stop(ignore_live_threads=ignore_live_threads)
            finally:
                if logdir is not None:
                    tf.logging.info("Finished training! Saving model to disk.")
                    supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
    return loss


def _loop(supervisor: Any, session: Any, step: Callable[[Any], tuple[Any, Any]]) -> Any:
    """Steps until one asks to stop or the input ends. Returns the last loss."""
    loss = None
    try:
        while not supervisor.should_stop():
            loss, stops = step(session)
            if stops:
                tf.logging.info("Stopping Training.")
                break
    except tf.errors.OutOfRangeError as error:
        tf.logging.info(f"Caught OutOfRangeError. Stopping Training. {error}")
    return loss


@contrib("training", "train")
def monitored_train(
    train_op: Any,
    logdir: Any,
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Any = None,
    chief_only_hooks: Any = None,
    save_checkpoint_secs: Any = 600,
    save_summaries_steps: Any = 100,
    config: Any = None,
    max_wait_secs: int = 7200,
    run_metadata: Any = None,
) -> Any:
    """Runs train_op in a MonitoredTrainingSession until a hook or the input's end stops it. Returns its last value.

    Args:
      logdir: the folder of checkpoints and summaries; None, with save_checkpoint_secs and save_summaries_steps None or
        0, writes neither. run_metadata: is told of each run. Others are the session's.
    Raises:
      ValueError: logdir is None though something is to be written.
    """
    if logdir is None:
        for name, given in {
            "save_summaries_steps": save_summaries_steps, "save_checkpoint_secs": save_checkpoint_secs
        }.items():  # fmt: skip
            if given:
                raise ValueError(f"logdir cannot be None when {name} is not None")
    loss = None
    with tf.train.MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=logdir,
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    ) as session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss
