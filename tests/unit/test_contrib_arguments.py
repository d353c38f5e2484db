"""contrib and tf.distributions: arguments in contrib's order, and those that are easily overlooked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib.inner import print_tensors_in_checkpoint_file


def _run(*fetches: Any) -> Any:
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return session.run(fetches)


def test_arguments_behind_the_weights_may_stand_in_order() -> None:
    with tf.Graph().as_default():
        logits, labels = np.array([[1.0, -1.0]], np.float32), np.array([[1.0, 0.0]], np.float32)
        (found,) = _run(tf.contrib.losses.softmax_cross_entropy(logits, labels, 2.0, 0.5))
    log_p = logits - np.log(np.exp(logits).sum())
    smooth = labels * 0.5 + 0.25
    np.testing.assert_allclose(found, -2 * (smooth * log_p).sum(), rtol=1e-5)


def test_the_third_argument_of_a_streaming_metric_is_its_own() -> None:
    with tf.Graph().as_default():
        value, update = tf.contrib.metrics.streaming_mean_iou(tf.constant([0, 1, 1]), tf.constant([0, 1, 0]), 2)
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            session.run(update)
            assert session.run(value) == pytest.approx(0.5)


def test_figures_of_a_distribution_stand_under_the_name_they_are_given() -> None:
    with tf.Graph().as_default():
        normal = tf.distributions.Normal([0.0], [1.0])
        assert normal.mean(name="middle").op.name.startswith("Normal/middle/")
        assert tf.distributions.Uniform(0.0, 2.0).range(name="width").op.name == "Uniform/width"


def test_an_impossible_category_does_not_spoil_the_others() -> None:
    with tf.Graph().as_default():
        drawn = tf.distributions.Categorical(probs=[0.25, 0.75, 0.0])
        found = _run(drawn.log_prob([0, 1]), drawn.prob(2))
    np.testing.assert_allclose(found[0], np.log([0.25, 0.75]), rtol=1e-6)
    assert found[1] == 0


def test_a_divergence_that_may_not_be_nan_is_an_error_where_it_is() -> None:
    with tf.Graph().as_default():
        a, b = tf.distributions.Normal(0.0, np.float32("nan")), tf.distributions.Normal(0.0, 1.0)
        assert np.isnan(_run(tf.distributions.kl_divergence(a, b))[0])
        with pytest.raises(tf.errors.InvalidArgumentError, match="returned NaN values"):
            _run(tf.distributions.kl_divergence(a, b, allow_nan_stats=False))
        assert _run(tf.distributions.kl_divergence(b, b, allow_nan_stats=False)) == (0.0,)


def _tags(graph: Any) -> set[str]:
    return {op.inputs[0].op.get_attr("value").string_val[0].decode() for op in graph.get_operations() if _shows(op)}


def _shows(op: Any) -> bool:
    return op.type in ("ScalarSummary", "HistogramSummary")


def _step(summaries: Any) -> Any:
    w = tf.get_variable("w", [2])
    return tf.contrib.layers.optimize_loss(
        tf.reduce_sum(w * w), None, 0.1, "SGD", clip_gradients=1.0, summaries=summaries
    )


def test_each_summary_that_is_asked_for_is_made() -> None:
    with tf.Graph().as_default() as graph:
        _step(["loss", "gradients", "gradient_norm"])
        names = {op.name.removeprefix("OptimizeLoss/") for op in graph.get_operations() if _shows(op)}
    assert names >= {
        "loss", "gradients/w_0", "gradient_norm/w_0", "global_norm/gradient_norm", "global_norm/clipped_gradient_norm",
    }  # fmt: skip
    with tf.Graph().as_default(), pytest.raises(ValueError, match="you provided \\['los'\\]"):
        _step(["los"])


def test_a_checkpoints_numbers_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("a", [2, 3])
        tf.get_variable("b", [4])
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    print_tensors_in_checkpoint_file(path, None, False, True, count_exclude_pattern="^b$")
    assert capsys.readouterr().out.splitlines() == ["tensor_name:  a", "tensor_name:  b", "# Total number of params: 6"]
    with pytest.raises(TypeError):
        print_tensors_in_checkpoint_file(path, None, False, everything=True)  # type: ignore[call-arg]


def test_settings_are_changed_all_or_none() -> None:
    settings = tf.contrib.training.HParams(rate=0.5, layers=[1, 2])
    for text, words in (("rate=1,layers=3", "Must pass a list"), ("rate=1,layers[5]=3", "none with index 5")):
        with pytest.raises(ValueError, match=words):
            settings.parse(text)
        assert settings.values() == {"rate": 0.5, "layers": [1, 2]}
    assert settings.parse("rate=1,layers[1]=3").values() == {"rate": 1.0, "layers": [1, 3]}


def test_an_average_over_one_axis_goes_before_a_sum_over_the_other() -> None:
    with tf.Graph().as_default():
        logits, targets = tf.zeros([2, 3, 4]), tf.zeros([2, 3], tf.int32)
        weights = tf.constant([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
        found = _run(tf.contrib.seq2seq.sequence_loss(logits, targets, weights, True, False, False, True))
    np.testing.assert_allclose(found[0], [np.log(4), np.log(4)], rtol=1e-6)
