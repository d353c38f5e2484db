"""Training that stops, is saved, and goes on from the saved files: once with its code, once from the files alone.

python -m pullback run save_and_restore.py [steps]
"""

import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 90
rng = np.random.RandomState(0)
data_x = rng.uniform(-1, 1, (64, 3)).astype(np.float32)
data_y = np.sin(data_x.sum(1, keepdims=True))


def build():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    with tf.variable_scope("layer1"):
        w = tf.get_variable("w", [3, 10], initializer=tf.truncated_normal_initializer(stddev=0.5, seed=1))
        b = tf.get_variable("b", [10], initializer=tf.zeros_initializer())
        hidden = tf.nn.sigmoid(tf.matmul(x, w) + b)
    with tf.variable_scope("layer2"):
        w = tf.get_variable("w", [10, 1], initializer=tf.truncated_normal_initializer(stddev=0.5, seed=2))
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        output = tf.add(tf.matmul(hidden, w), b, name="output")
    loss = tf.reduce_mean(tf.squared_difference(output, y), name="loss")
    global_step = tf.Variable(0, trainable=False, name="global_step")
    train_op = tf.train.AdagradOptimizer(0.3).minimize(loss, global_step=global_step, name="train")
    tf.add_to_collection("train_op", train_op)
    return train_op, loss, global_step


def train(sess, train_op, loss, count):
    for _ in range(count):
        step = sess.run("global_step:0")
        _, value = sess.run([train_op, loss], feed_dict={"x:0": data_x, "y:0": data_y})
        print("step %d  loss %.9g" % (step, value))


with tempfile.TemporaryDirectory() as folder:
    prefix = os.path.join(folder, "model.ckpt")

    # From the beginning.
    train_op, loss, global_step = build()
    saver = tf.train.Saver(max_to_keep=2)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        train(sess, train_op, loss, steps // 3)
        print("saved", os.path.basename(saver.save(sess, prefix, global_step=global_step)))

    # With the code that built it.
    tf.reset_default_graph()
    train_op, loss, global_step = build()
    saver = tf.train.Saver(max_to_keep=2)
    with tf.Session() as sess:
        ckpt = tf.train.get_checkpoint_state(folder)
        saver.restore(sess, ckpt.model_checkpoint_path)
        train(sess, train_op, loss, steps // 3)
        print("saved", os.path.basename(saver.save(sess, prefix, global_step=global_step)))

    # From the files alone.
    tf.reset_default_graph()
    latest = tf.train.latest_checkpoint(folder)
    with tf.Session() as sess:
        saver = tf.train.import_meta_graph(latest + ".meta")
        saver.restore(sess, latest)
        graph = tf.get_default_graph()
        train(sess, tf.get_collection("train_op")[0], graph.get_tensor_by_name("loss:0"), steps - 2 * (steps // 3))

    for name, shape in tf.train.list_variables(latest):
        print(name, list(shape))
    reader = tf.train.NewCheckpointReader(latest)
    print("steps when saved", reader.get_tensor("global_step"))
