"""TensorFlow's saved models and graphs for us, and what it makes of ours. Run by TensorFlow's Python:

saved_model_runs.py write FOLDER      its files, for us          saved_model_runs.py read FOLDER      answers about ours
"""

import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
ROWS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
PICTURES = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)
SERIES = np.random.default_rng(2).normal(size=(2, 5, 3)).astype(np.float32)


class Scaled(tf.Module):
    """Variables in attributes, lists and dicts; functions of them."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(np.arange(6, dtype="f4").reshape(3, 2) / 10)
        self.parts = [tf.Variable(1.0), tf.Variable(2, trainable=False)]
        self.named = {"k": tf.Variable([3.0])}
        self.five = tf.constant(5.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def __call__(self, x):
        return {"y": tf.nn.softmax(tf.matmul(x, self.w) + self.parts[0]), "more": (tf.reduce_sum(x), self.five)}

    @tf.function
    def power(self, x, n=2, flag=True):
        return x**n if flag else x

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def loop(self, n):
        a = tf.constant(1.0)
        for i in tf.range(n):
            a = a * 2 if i % 2 == 0 else a + self.parts[0]
        return a

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def bump(self, by):
        self.parts[0].assign_add(by)
        return self.parts[0] + 0.0


def write(folder):
    values = {"rows": ROWS, "pictures": PICTURES, "series": SERIES}
    for kind in ("ref", "resource"):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 3], name="x")
            start = v1.random_normal_initializer(seed=1)
            w = v1.get_variable("w", [3, 2], initializer=start, use_resource=kind == "resource")
            local = v1.get_variable("local", initializer=3.0, collections=["local_variables"])
            y = tf.add(tf.matmul(x, w), local, name="y")
            session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
            builder = v1.saved_model.Builder(f"{folder}/{kind}")
            signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
            main_op = v1.local_variables_initializer()
            builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=main_op)
            builder.save()
            values[kind] = session.run(y, {x: ROWS})
    write_objects(folder, values)
    write_control_flow(folder, values)
    write_queues(folder)
    np.savez(f"{folder}/values.npz", **values)


def write_objects(folder, values):
    scaled = Scaled()
    scaled.power(tf.constant(3.0))
    scaled.power(tf.constant([1.0, 2.0]), n=3, flag=False)
    tf.saved_model.save(scaled, f"{folder}/scaled")
    values["scaled"], values["loop"] = scaled(ROWS)["y"], scaled.loop(5)
    layers = tf.keras.layers
    network = tf.keras.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu")])
    for layer in (layers.BatchNormalization(), layers.MaxPool2D(), layers.Flatten(), layers.Dropout(0.5)):
        network.add(layer)
    network.add(layers.Dense(5, activation="softmax"))
    network.export(f"{folder}/network", verbose=False)
    values["network"] = network(PICTURES)
    recurrent = tf.keras.Sequential([layers.Input((5, 3)), layers.LSTM(4), layers.Dense(2)])
    recurrent.export(f"{folder}/recurrent", verbose=False)
    values["recurrent"] = recurrent(SERIES)


def write_control_flow(folder, values):
    """Branches and loops as TensorFlow 1 had them, in each other."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", [3, 3], initializer=v1.random_normal_initializer(seed=1))

        def step(i, a):
            return i + 1, tf.matmul(a, w) * 0.5 + v1.cond(i > 1, lambda: a, lambda: -a)

        def outer(i, a):
            return i + 1, v1.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, b * 2.0 + 1.0), [0, a])[1]

        found = {
            "branch": v1.cond(tf.reduce_sum(x) > 0, lambda: tf.matmul(x, w), lambda: x - 1.0),
            "while": v1.while_loop(lambda i, a: i < 3, step, [0, x])[1],
            "map": v1.map_fn(lambda r: r * 2 + 1, tf.constant([1.0, 2.0, 3.0])),
            "case": v1.case(
                [(tf.reduce_sum(x) > 100, lambda: tf.constant(1.0)), (tf.reduce_sum(x) > -100, lambda: x[0, 0])],
                default=lambda: tf.constant(3.0),
            ),
            "nested": v1.while_loop(lambda i, a: i < 4, outer, [0, 1.0])[1],
        }
        found = {name: tf.identity(t, name=f"{name}_result") for name, t in found.items()}
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, f"{folder}/control")
        for name, t in found.items():
            values[f"control/{name}"] = session.run(t, {x: ROWS})


def write_queues(folder):
    with tf.Graph().as_default(), v1.Session() as session:
        numbers = v1.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
        tf.identity(v1.train.batch([numbers], 2, allow_smaller_final_batch=True), name="batches")
        v = tf.Variable(1.0, name="v")
        session.run(v.initializer)
        v1.train.Saver().save(session, f"{folder}/queues")


def read(folder):
    answers = {}
    with tf.Graph().as_default(), v1.Session() as session:
        meta = v1.saved_model.load(session, ["serve"], f"{folder}/first")
        signature = meta.signature_def["serving_default"]
        answers["first"] = session.run(signature.outputs["y"].name, {signature.inputs["x"].name: ROWS})
    first = tf.saved_model.load(f"{folder}/first", tags=["serve"])
    answers["first2"] = first.signatures["serving_default"](x=tf.constant(ROWS))["y"]
    scaled = tf.saved_model.load(f"{folder}/scaled")
    answers["scaled"], answers["loop"] = scaled(tf.constant(ROWS))["y"], scaled.loop(5)
    answers["power"], answers["five"] = scaled.power(tf.constant(3.0)), scaled(tf.constant(ROWS))["more"][1]
    answers["noise"] = scaled.noise(tf.constant([1.0, 2.0]))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(scaled(tf.constant(ROWS))["y"][:, 0])
    answers["gradient"] = tape.gradient(total, scaled.w)
    answers["bumped"] = scaled.bump(2.0)
    answers["signature"] = scaled.signatures["serving_default"](x=tf.constant(ROWS))["output_0"]
    with tf.Graph().as_default(), v1.Session() as session:
        signature = v1.saved_model.load(session, ["serve"], f"{folder}/scaled").signature_def["serving_default"]
        answers["session"] = session.run(signature.outputs["output_0"].name, {signature.inputs["x"].name: ROWS})
    network = tf.saved_model.load(f"{folder}/network")
    answers["network"], trained = network(tf.constant(PICTURES)), network(tf.constant(PICTURES), training=True)
    answers["trained_shape"] = trained.shape.as_list()
    with tf.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(f"{folder}/queues.meta")
        session.run([v1.local_variables_initializer(), v1.global_variables_initializer()])
        coordinator = v1.train.Coordinator()
        threads = v1.train.start_queue_runners(session, coordinator)
        answers["batch"] = session.run("batches:0")
        coordinator.request_stop()
        coordinator.join(threads)
    np.savez(f"{folder}/answers.npz", **{k: np.asarray(v) for k, v in answers.items()})


if __name__ == "__main__":
    what, where = sys.argv[1:]
    globals()[what](where)
