"""`contrib.training`'s and `slim`'s evaluation: a graph's metrics over the checkpoints of a training.

checkpoint  -->  session  -->  eval ops, num_evals times  -->  final ops, summaries
                 restored      each run counts in a local      once, at the end
                               variable, the eval step
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, ValuesView
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.train.checkpoint_state import checkpoints_iterator, wait_for_new_checkpoint

contrib("training slim.evaluation", "checkpoints_iterator")(checkpoints_iterator)
contrib("training slim.evaluation", "wait_for_new_checkpoint")(wait_for_new_checkpoint)

# Stands for "all summaries of the graph". None is "no summaries".
_USE_DEFAULT = 0


@contrib("training", "get_or_create_eval_step")
def get_or_create_eval_step() -> Any:
    """The local variable that counts evaluations, [] int64; made when there is none.

    Raises:
      ValueError: the graph has several.
    """
    found = tf.get_collection(tf.GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    return tf.get_variable(
        "eval_step",
        shape=[],
        dtype=tf.int64,
        initializer=tf.zeros_initializer(),
        trainable=False,
        collections=[tf.GraphKeys.LOCAL_VARIABLES, tf.GraphKeys.EVAL_STEP],
    )


@contrib("training", "StopAfterNEvalsHook")
class StopAfterNEvalsHook(tf.train.SessionRunHook):
    """Stops a session after num_evals runs; None: never. log_progress: log which run it is, about ten times."""

    def __init__(self, num_evals: int | None, log_progress: bool = True) -> None:
        self._num_evals, self._log_progress = num_evals, log_progress
        self._evals_completed: Any = None
        self._every = 1 if num_evals is None or num_evals < 20 else num_evals // 10

    def count_with(self, evals_completed: Any) -> None:
        """Says which tensor counts the runs; `evaluate_once` and `evaluate_repeatedly` do."""
        self._evals_completed = evals_completed

    def before_run(self, run_context: Any) -> Any:
        if self._evals_completed is None:
            raise RuntimeError(
                "StopAfterNEvalsHook counts only where evaluate_once or evaluate_repeatedly are given it; use "
                "tf.train.StopAtStepHook elsewhere"
            )
        return tf.train.SessionRunArgs(self._evals_completed)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        done, most = int(run_values.results), self._num_evals
        if self._log_progress and (done % self._every == 0 or done == most):
            tf.logging.info(f"Evaluation [{done}]" if most is None else f"Evaluation [{done}/{most}]")
        if most is not None and done >= most:
            run_context.request_stop()


@contrib("training", "SummaryAtEndHook")
class SummaryAtEndHook(tf.train.SessionRunHook):
    """Writes summaries once, at the end of a session, under its global step.

    Args:
      log_dir: the folder to write to; or summary_writer, what writes.
      summary_op: what is written; all of the graph's by default. feed_dict: what it is fed.
    Raises:
      ValueError: neither log_dir nor summary_writer is given.
    """

    def __init__(
        self, log_dir: Any = None, summary_writer: Any = None, summary_op: Any = None, feed_dict: Any = None
    ) -> None:
        if log_dir is None and summary_writer is None:
            raise ValueError("log_dir should not be None.")
        self._log_dir, self._writer = log_dir, summary_writer
        self._summary_op, self._finds, self._feed_dict = summary_op, summary_op is None, feed_dict

    def begin(self) -> None:
        if self._finds and not tf.get_default_graph().finalized:
            self._summary_op = tf.summary.merge_all()
        self._global_step = tf.train.get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._writer is None:
            self._writer = tf.summary.FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        if self._summary_op is not None:
            step = tf.train.global_step(session, self._global_step)
            self._writer.add_summary(session.run(self._summary_op, self._feed_dict), step)
            self._writer.flush()


def _counted(eval_ops: Any, hooks: Iterable[Any] | None) -> tuple[Any, list[Any]]:
    """(eval_ops, counted by the eval step, in the same structure; the hooks, which know the count)."""
    ops = [] if eval_ops is None else eval_ops.values() if isinstance(eval_ops, dict) else eval_ops
    ops = list(ops) if isinstance(ops, (list, tuple, ValuesView)) else [ops]
    with tf.control_dependencies(ops):
        completed = tf.identity(tf.assign_add(get_or_create_eval_step(), 1), name="evals_completed")
    every = list(hooks or ())
    for hook in every:
        if isinstance(hook, StopAfterNEvalsHook):
            hook.count_with(completed)
    if eval_ops is None:
        return None, every
    return ({**eval_ops, "update_eval_step": completed} if isinstance(eval_ops, dict) else [*ops, completed]), every


def _evaluated(creator: Any, hooks: list[Any], eval_ops: Any, feed_dict: Any) -> None:
    """One evaluation: eval_ops until a hook or the input's end stops it."""
    tf.logging.info("Starting evaluation at " + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    with tf.train.MonitoredSession(session_creator=creator, hooks=hooks) as session:
        while eval_ops is not None and not session.should_stop():
            session.run(eval_ops, feed_dict)
    tf.logging.info("Finished evaluation at " + time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))


@contrib("training", "evaluate_once")
def evaluate_once(
    checkpoint_path: Any,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    hooks: Any = None,
    config: Any = None,
) -> Any:
    """Evaluates one checkpoint.

    Args:
      checkpoint_path: the checkpoint; None: variables are initialised.
      master, scaffold, config: of the session. eval_ops: run, fed feed_dict, until a hook (StopAfterNEvalsHook) or the
        input's end stops it. final_ops: run once then, fed final_ops_feed_dict.
    Returns:
      The values of final_ops, in their structure.
    """
    counted, every = _counted(eval_ops, hooks)
    final = tf.train.FinalOpsHook(final_ops, final_ops_feed_dict)
    creator = tf.train.ChiefSessionCreator(
        scaffold=scaffold, checkpoint_filename_with_path=checkpoint_path, master=master, config=config
    )
    _evaluated(creator, [*every, final], counted, feed_dict)
    return final.final_ops_values


@contrib("training", "evaluate_repeatedly")
def evaluate_repeatedly(
    checkpoint_dir: Any,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    eval_interval_secs: float = 60,
    hooks: Any = None,
    config: Any = None,
    max_number_of_evaluations: int | None = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Any:
    """`evaluate_once` of each new checkpoint of a folder.

    Args:
      eval_interval_secs: least time between two beginnings. max_number_of_evaluations: after so many it ends.
      timeout, timeout_fn: how long a checkpoint is waited for, and what then says whether to end.
    Returns:
      The values of final_ops at the last checkpoint; None when there was none.
    Raises:
      ValueError: max_number_of_evaluations is below 1.
    """
    if max_number_of_evaluations is not None and max_number_of_evaluations <= 0:
        raise ValueError("`max_number_of_evaluations` must be either None or a positive number.")
    counted, every = _counted(eval_ops, hooks)
    final = tf.train.FinalOpsHook(final_ops, final_ops_feed_dict)
    found = checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn)
    scaffold = tf.train.Scaffold() if scaffold is None else scaffold
    for done, path in enumerate(found, 1):
        creator = tf.train.ChiefSessionCreator(
            scaffold=scaffold, checkpoint_filename_with_path=path, master=master, config=config
        )
        _evaluated(creator, [*every, final], counted, feed_dict)
        if done == max_number_of_evaluations:
            break
    return final.final_ops_values


def _slim_hooks(num_evals: int, logdir: Any, summary_op: Any, feed_dict: Any, hooks: Any) -> list[Any]:
    every: list[Any] = [StopAfterNEvalsHook(num_evals)]
    if type(summary_op) is int and summary_op == _USE_DEFAULT:
        summary_op = tf.summary.merge_all()
    if summary_op is not None:
        every.append(SummaryAtEndHook(log_dir=logdir, summary_op=summary_op, feed_dict=feed_dict))
    return [*every, *(hooks or ())]


def _slim_scaffold(initial_op: Any, feed_dict: Any, init_fn: Any, variables_to_restore: Any) -> Any:
    saver = None if variables_to_restore is None else tf.train.Saver(variables_to_restore)
    start = None if init_fn is None else lambda _, session: init_fn(session)
    return tf.train.Scaffold(init_op=initial_op, init_feed_dict=feed_dict, init_fn=start, saver=saver)


@contrib("slim.evaluation", "evaluate_once")
def slim_evaluate_once(
    master: str,
    checkpoint_path: Any,
    logdir: Any,
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Any = None,
    eval_op: Any = None,
    eval_op_feed_dict: Any = None,
    final_op: Any = None,
    final_op_feed_dict: Any = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Any = None,
    variables_to_restore: Any = None,
    session_config: Any = None,
    hooks: Any = None,
) -> Any:
    """Evaluates one checkpoint: eval_op num_evals times, then final_op and summaries.

    Args:
      initial_op: run where checkpoint_path is None; then eval_op, final_op, summary_op, each with what it is fed.
      summary_op: all summaries of the graph by default, written to logdir; None writes none.
      variables_to_restore: what is read of the checkpoint; all global variables by default.
    Returns:
      The value of final_op.
    """
    return evaluate_once(
        checkpoint_path,
        master=master,
        scaffold=_slim_scaffold(initial_op, initial_op_feed_dict, None, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        hooks=_slim_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks),
        config=session_config,
    )


@contrib("slim.evaluation", "evaluation_loop")
def evaluation_loop(
    master: str,
    checkpoint_dir: Any,
    logdir: Any,
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Any = None,
    init_fn: Any = None,
    eval_op: Any = None,
    eval_op_feed_dict: Any = None,
    final_op: Any = None,
    final_op_feed_dict: Any = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Any = None,
    variables_to_restore: Any = None,
    eval_interval_secs: float = 60,
    max_number_of_evaluations: int | None = None,
    session_config: Any = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
    hooks: Any = None,
) -> Any:
    """slim's `evaluate_once` of each new checkpoint of a folder; see there, and `contrib.training.evaluate_repeatedly`.

    init_fn: called with a session whose variables are initialised; those of checkpoints are not.
    Returns:
      The value of final_op at the last checkpoint.
    """
    return evaluate_repeatedly(
        checkpoint_dir,
        master=master,
        scaffold=_slim_scaffold(initial_op, initial_op_feed_dict, init_fn, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        eval_interval_secs=eval_interval_secs,
        hooks=_slim_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks),
        config=session_config,
        max_number_of_evaluations=max_number_of_evaluations,
        timeout=timeout,
        timeout_fn=timeout_fn,
    )
