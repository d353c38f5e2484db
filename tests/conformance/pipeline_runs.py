"""Input pipelines that run on TensorFlow and on us alike: `runs(tf, tf1)` gives {what: function without arguments}.

As a script, by TensorFlow's Python, it writes TensorFlow's answers to a file: `python pipeline_runs.py answers.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

RNG = np.random.RandomState(0)
PICTURE = RNG.rand(6, 7, 3).astype(np.float32)
BYTES = RNG.randint(0, 256, (6, 7, 3)).astype(np.uint8)


def plain(x: Any) -> Any:
    """Values as JSON holds them."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in sorted(x.items())}
    if hasattr(x, "dense_shape"):
        return [plain(t) for t in (x.indices, x.values, x.dense_shape)]
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, bytes):
        return x.decode()
    x = np.asarray(x)
    return plain(x.tolist()) if x.dtype == object else x.astype(np.float64).round(4).tolist()


def runs(tf: Any, tf1: Any) -> dict[str, Callable[[], Any]]:
    """Everything that is compared."""
    return {**datasets(tf), **in_graphs(tf, tf1), **images(tf)}


def datasets(tf: Any) -> dict[str, Callable[[], Any]]:
    make = tf.data.Dataset

    def seeded(build: Callable[[], Any], times: int = 1) -> Callable[[], Any]:
        def run() -> Any:
            tf.random.set_seed(5)
            dataset = build()
            return [plain(list(dataset.take(40).as_numpy_iterator())) for _ in range(times)]

        return run

    def filled(n: Any) -> Any:
        return tf.fill([tf.cast(n, tf.int32)], n)

    return {
        "shuffle": seeded(lambda: make.range(30).shuffle(7, seed=3), 3),
        "shuffle by the global seed": seeded(lambda: make.range(30).shuffle(7)),
        "the same order again": seeded(lambda: make.range(9).shuffle(4, 1, reshuffle_each_iteration=False), 2),
        "shuffle and repeat": seeded(lambda: make.range(6).shuffle(10, seed=2).repeat(3)),
        "random draws": seeded(lambda: make.range(5).map(lambda x: tf.random.normal([2], seed=4)), 2),
        "interleave": seeded(
            lambda: make.range(1, 7).interleave(
                lambda x: make.from_tensors(x).repeat(x), cycle_length=3, block_length=2
            )
        ),
        "windows": seeded(lambda: make.range(11).window(3, 2, 2).flat_map(lambda w: w.batch(3))),
        "padded": seeded(lambda: make.range(1, 6).map(filled).padded_batch(2, padded_shapes=[6])),
        "groups": seeded(lambda: make.range(12).group_by_window(lambda x: x % 3, lambda k, w: w.batch(2), 2)),
    }


def in_graphs(tf: Any, tf1: Any) -> dict[str, Callable[[], Any]]:
    def session(build: Callable[[Any], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with tf1.Graph().as_default(), tf1.Session() as made:
                tf1.set_random_seed(7)
                return plain(build(made))

        return run

    def iterated(made: Any) -> Any:
        iterator = tf1.data.make_initializable_iterator(tf1.data.Dataset.range(12).shuffle(5, seed=1).repeat(2))
        element, out = iterator.get_next(), []
        for _ in range(2):
            made.run(iterator.initializer)
            out.append([made.run(element) for _ in range(24)])
        return out

    def queued(made: Any) -> Any:
        queue = tf1.RandomShuffleQueue(20, 5, tf.int32, shapes=[[]], seed=3)
        made.run(queue.enqueue_many([list(range(20))]))
        made.run(queue.close())
        return made.run([queue.dequeue_many(8)])

    def batched(made: Any) -> Any:
        (x,) = tf1.train.slice_input_producer([np.arange(7)], num_epochs=2, seed=4)
        batch = tf1.train.batch([x], 4, allow_smaller_final_batch=True)
        made.run(tf1.local_variables_initializer())
        coordinator = tf1.train.Coordinator()
        threads = tf1.train.start_queue_runners(made, coordinator)
        out = [made.run(batch) for _ in range(4)]
        coordinator.request_stop()
        coordinator.join(threads)
        return out

    return {"iterator": session(iterated), "queue": session(queued), "batches": session(batched)}


def images(tf: Any) -> dict[str, Callable[[], Any]]:
    image = tf.image

    def seeded(call: Callable[[Any], Any], x: Any) -> Callable[[], Any]:
        def run() -> Any:
            tf.random.set_seed(3)
            return plain(call(tf.constant(x)))

        return run

    calls = {
        "hue": lambda x: image.adjust_hue(x, 0.3),
        "saturation": lambda x: image.adjust_saturation(x, 1.6),
        "contrast": lambda x: image.adjust_contrast(x, 1.7),
        "brightness": lambda x: image.adjust_brightness(x, 0.2),
        "grey": image.rgb_to_grayscale,
        "standard": image.per_image_standardization,
        "fitted": lambda x: image.resize_with_crop_or_pad(x, 4, 9),
        "random brightness": lambda x: image.random_brightness(x, 0.3, seed=2),
        "random contrast": lambda x: image.random_contrast(x, 0.3, 1.4, seed=2),
        "random flip": lambda x: image.random_flip_left_right(x, seed=2),
    }
    kinds = {"floats": PICTURE, "bytes": BYTES}
    made = {f"{name} of {kind}": seeded(call, x) for name, call in calls.items() for kind, x in kinds.items()}
    box = [[[0.1, 0.2, 0.7, 0.8]]]
    made["random box"] = seeded(lambda x: list(image.sample_distorted_bounding_box([40, 50, 3], box, seed=2)), PICTURE)
    return made


if __name__ == "__main__":
    import tensorflow  # pyright: ignore[reportMissingImports]

    answers = {what: run() for what, run in runs(tensorflow, tensorflow.compat.v1).items()}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(answers, file)
