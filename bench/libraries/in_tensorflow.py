"""TensorFlow's works: those in its words, with the unpooling and the optimizers that are quickest there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from bench.data import ADAM, MOMENTUM
from bench.libraries import tensorflow_words
from bench.libraries.tensorflow_words import Words

tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["TF_NUM_INTRAOP_THREADS"]))
tf.config.threading.set_inter_op_parallelism_threads(int(os.environ["TF_NUM_INTEROP_THREADS"]))


def version() -> str:
    return tf.__version__


def unpool(pooled: Any, at: Any, shape: tuple[int, ...]) -> Any:
    """There is no op for it: scatter to flat places that count over the whole batch."""
    flat = tf.scatter_nd(tf.reshape(at, [-1, 1]), tf.reshape(pooled, [-1]), [int(np.prod(shape))])
    return tf.reshape(flat, shape)


class Adam:
    """The raw op, as TensorFlow 1's optimizer calls it: Keras's does the same in many ops."""

    def keep(self, variables: Iterable[Any]) -> None:
        self._of = {id(v): [tf.Variable(tf.zeros_like(v)) for _ in range(2)] for v in variables}
        self._powers = [tf.Variable(tf.constant(ADAM[b])) for b in ("b1", "b2")]

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        for dv, v in pairs:
            m, square = self._of[id(v)]
            tf.raw_ops.ResourceApplyAdam(
                var=v.handle,
                m=m.handle,
                v=square.handle,
                beta1_power=self._powers[0],
                beta2_power=self._powers[1],
                lr=ADAM["rate"],
                beta1=ADAM["b1"],
                beta2=ADAM["b2"],
                epsilon=ADAM["epsilon"],
                grad=dv,
            )
        for power, b in zip(self._powers, ("b1", "b2"), strict=True):
            power.assign(power * ADAM[b])


class Momentum:
    """The raw op, for the same reason."""

    def keep(self, variables: Iterable[Any]) -> None:
        self._of = {id(v): tf.Variable(tf.zeros_like(v)) for v in variables}

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        for dv, v in pairs:
            tf.raw_ops.ResourceApplyMomentum(
                var=v.handle,
                accum=self._of[id(v)].handle,
                lr=MOMENTUM["rate"],
                grad=dv,
                momentum=MOMENTUM["momentum"],
            )


tensorflow_words.declare(
    Words(
        tf=tf,
        v1=tf.compat.v1,
        unpool=unpool,
        adam=Adam,
        momentum=Momentum,
        batch_in_at=True,
        lacks=("int32",),
        longest_chain=10_000,
    )
)
