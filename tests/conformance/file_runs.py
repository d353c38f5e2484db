"""What TensorFlow does with our files, and the files it makes for us. Run by TensorFlow's Python:

file_runs.py write FOLDER      its files, for us          file_runs.py read FOLDER      answers about ours
"""

import importlib
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


class Model(tf.Module):
    """Variables in attributes, lists, dicts and another module."""

    def __init__(self, scale, inner=True):
        super().__init__(name="model")
        self.w = tf.Variable(scale * np.arange(6, dtype=np.float32).reshape(2, 3), name="w")
        self.parts = [tf.Variable(scale), tf.Variable([2, 3])]
        self.named = {"a.b/c": tf.Variable(5 * scale), "list": [tf.Variable(b"text")]}
        self.inner = Model(scale, False) if inner else None


def network(resource):
    """A small network, its fetches, and a picture for it."""
    pictures = np.random.default_rng(3).normal(size=(2, 8, 8, 3)).astype(np.float32)
    start = v1.random_normal_initializer(seed=1)
    x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="x")
    w = v1.get_variable("w", [3, 3, 3, 4], initializer=start, use_resource=resource)
    b = v1.get_variable("b", [4], initializer=start, use_resource=resource)
    h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME"), b))
    scale, offset = tf.ones([4]), tf.zeros([4])
    mean, variance = tf.constant([0.1, 0.2, 0.3, 0.4]), tf.ones([4])
    h = v1.nn.fused_batch_norm(h, scale, offset, mean=mean, variance=variance, is_training=False)[0]
    h = tf.reshape(tf.nn.max_pool2d(h, 2, 2, "VALID"), [-1, 16])
    u = v1.get_variable("u", [16, 5], initializer=start, use_resource=resource)
    y = tf.nn.softmax(tf.matmul(h, u), name="y")
    places = tf.cast(tf.stack([tf.argmax(y, 1), tf.argmin(y, 1)], 1), tf.float32)
    tf.concat([y, places, tf.transpose(tf.transpose(y))[:, 1:3]], 1, name="z")
    tf.identity(tf.cond(tf.reduce_sum(y) > 1, lambda: y * 2, lambda: y - 1), name="c")
    return ["y:0", "z:0", "c:0"], pictures


def first_row(shape, dtype=None, partition_info=None):
    """Of a part of a variable: the number of its first row in the whole."""
    return tf.ones(shape) * partition_info.var_offset[0]


def write(folder):
    values = {}
    for kind in ("ref", "resource"):
        with tf.Graph().as_default() as graph, v1.Session() as session:
            fetches, values["x"] = network(kind == "resource")
            session.run(v1.global_variables_initializer())
            for name, value in zip(fetches, session.run(fetches, {"x:0": values["x"]}), strict=True):
                values[f"{kind}/{name}"] = value
            names = [name[:-2] for name in fetches]
            frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)
            with open(f"{folder}/{kind}.pb", "wb") as file:
                file.write(frozen.SerializeToString())
            v1.train.Saver().save(session, f"{folder}/{kind}")
            v1.train.Saver(sharded=True).save(session, f"{folder}/{kind}-sharded")
    with tf.Graph().as_default(), v1.Session() as session:
        parts = v1.fixed_size_partitioner(3)
        v1.get_variable("rows", shape=[7, 5], initializer=first_row, partitioner=parts)
        v1.get_variable("words", initializer=np.array([b"a", b"", b"c" * 300]))
        v1.get_variable("half", initializer=np.array([1.5, 2], np.float16))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, f"{folder}/parts")
        v1.train.Saver({"rows": v1.get_collection("variables")[0]}, write_version=1).save(session, f"{folder}/former")
    np.savez(f"{folder}/values.npz", **values)


def write_objects(folder):
    model, step = Model(2.0), tf.Variable(7, dtype=tf.int64)
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.apply_gradients([(tf.ones([2, 3]), model.w)])
    tf.train.Checkpoint(model=model, step=step, list=[model.w, step], optimizer=optimizer).save(f"{folder}/objects")


def optimizers():
    """Name -> one of TensorFlow 1's."""
    t = v1.train
    return {
        "sgd": t.GradientDescentOptimizer(0.1),
        "momentum": t.MomentumOptimizer(0.1, 0.9),
        "nesterov": t.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
        "adam": t.AdamOptimizer(0.01),
        "rmsprop": t.RMSPropOptimizer(0.01, momentum=0.5),
        "centered": t.RMSPropOptimizer(0.01, centered=True),
        "adagrad": t.AdagradOptimizer(0.1),
        "adadelta": t.AdadeltaOptimizer(1.0),
        "ftrl": t.FtrlOptimizer(0.1),
    }


def write_training(folder):
    """Graphs that train: their files before the first step, and the losses of four steps."""
    losses = {}
    pictures = np.random.default_rng(4).normal(size=(4, 8, 8, 3)).astype(np.float32)
    for number, (name, optimizer) in enumerate(optimizers().items()):
        resource = number % 2 == 0
        start = v1.random_normal_initializer(stddev=0.1, seed=1)
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="x")
            shapes = {"w": [3, 3, 3, 4], "b": [4], "u": [32, 5], "c": [5]}
            made = {k: v1.get_variable(k, s, initializer=start, use_resource=resource) for k, s in shapes.items()}
            h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, made["w"], [1, 2, 2, 1], "SAME"), made["b"]))
            h = tf.reshape(tf.nn.max_pool2d(h, 2, 2, "VALID"), [-1, 16])
            y = tf.matmul(tf.concat([h, tf.tanh(h)], 1), made["u"]) + made["c"]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1, 2, 3], logits=y))
            loss = tf.add(loss, 1e-3 * tf.add_n([tf.nn.l2_loss(w) for w in v1.trainable_variables()]), name="loss")
            step = optimizer.minimize(loss, v1.train.get_or_create_global_step(), name="train")
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, f"{folder}/train-{name}")
            losses[name] = []
            for _ in range(4):
                losses[name].append(session.run(loss, {x: pictures}))
                session.run(step, {x: pictures})
    np.savez(f"{folder}/losses.npz", x=pictures, **losses)


def read(folder):
    answers = {}
    wanted = np.load(f"{folder}/given.npz")
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{folder}/ours.meta")
        saver.restore(session, f"{folder}/ours")
        answers["restored"] = session.run("z:0", {"x:0": wanted["x"]})
    with tf.Graph().as_default(), v1.Session() as session:
        with open(f"{folder}/ours.pb", "rb") as file:
            tf.import_graph_def(v1.GraphDef.FromString(file.read()), name="")
        answers["frozen"] = session.run("z:0", {"x:0": wanted["x"]})
    reader = tf.train.load_checkpoint(f"{folder}/types")
    for name in reader.get_variable_to_shape_map():
        value = reader.get_tensor(name)
        answers[f"types/{name}"] = np.asarray(
            value, "S" if reader.get_variable_to_dtype_map()[name] == tf.string else None
        )
        if reader.get_variable_to_dtype_map()[name] == tf.bfloat16:
            answers[f"types/{name}"] = np.asarray(value, np.float32)
    np.savez(f"{folder}/answers.npz", **answers)


def read_objects(folder):
    model, step = Model(0.0), tf.Variable(0, dtype=tf.int64)
    tf.train.Checkpoint(model=model, step=step).restore(f"{folder}/ours-objects-1").assert_consumed()
    found = [model.w, *model.parts, model.named["a.b/c"], model.inner.w, step]
    np.savez(f"{folder}/objects.npz", **{str(i): v.numpy() for i, v in enumerate(found)})


def schema(folder):
    """Every field and enum value of TensorFlow's messages, a line each."""
    from google.protobuf import descriptor_pool

    for module in (
        "core.util.saved_tensor_slice", "core.util.event", "core.protobuf.tensor_bundle", "core.framework.variable",
        "core.protobuf.trackable_object_graph", "core.protobuf.tensorflow_server", "core.example.example",
        "core.protobuf.saved_model", "core.protobuf.fingerprint", "core.protobuf.queue_runner",
        "python.training.checkpoint_state",
    ):  # fmt: skip
        importlib.import_module(f"tensorflow.{module}_pb2")
    pool = descriptor_pool.Default()
    with open(f"{folder}/names.txt") as file:
        names = file.read().split()
    lines = []
    for name in names:
        message = pool.FindMessageTypeByName(f"tensorflow.{name}")
        for f in message.fields:
            kind = f.message_type or f.enum_type
            oneof = f.containing_oneof.name if f.containing_oneof else ""
            named = kind.full_name if kind else ""
            lines.append(f"{name} {f.name} {f.number} {f.type} {f.is_repeated} {named} {oneof}")
    with open(f"{folder}/schema.txt", "w") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    what, where = sys.argv[1:]
    if not what.endswith("objects"):
        v1.disable_eager_execution()
        v1.enable_control_flow_v2()
    globals()[what](where)
