"""Summaries for TensorBoard: scalars, histograms, pictures and the graph, read back from the file they are in.

python -m pullback run tensorboard.py [steps] [folder]
"""

import glob
import os
import sys
import tempfile

import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 60
log_dir = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="logs-")
pixels, kinds = pictures.load(256)


def variable_summaries(var):
    with tf.name_scope("summaries"):
        mean = tf.reduce_mean(var)
        tf.summary.scalar("mean", mean)
        with tf.name_scope("stddev"):
            stddev = tf.sqrt(tf.reduce_mean(tf.square(var - mean)))
        tf.summary.scalar("stddev", stddev)
        tf.summary.histogram("histogram", var)


def nn_layer(input_tensor, output_dim, layer_name, seed, act=tf.nn.relu):
    with tf.name_scope(layer_name):
        with tf.name_scope("weights"):
            shape = [input_tensor.get_shape().as_list()[-1], output_dim]
            weights = tf.Variable(tf.truncated_normal(shape, stddev=0.1, seed=seed))
            variable_summaries(weights)
        with tf.name_scope("biases"):
            biases = tf.Variable(tf.constant(0.1, shape=[output_dim]))
            variable_summaries(biases)
        with tf.name_scope("Wx_plus_b"):
            preactivate = tf.matmul(input_tensor, weights) + biases
            tf.summary.histogram("pre_activations", preactivate)
        activations = act(preactivate, name="activation")
        tf.summary.histogram("activations", activations)
        return activations


with tf.name_scope("input"):
    x = tf.placeholder(tf.float32, [None, 12, 12, 1], name="x-input")
    y_ = tf.placeholder(tf.int64, [None], name="y-input")
    tf.summary.image("input", x, max_outputs=3)
hidden1 = nn_layer(tf.layers.flatten(x), 32, "layer1", seed=1)
y = nn_layer(hidden1, 4, "layer2", seed=2, act=tf.identity)
with tf.name_scope("cross_entropy"):
    cross_entropy = tf.losses.sparse_softmax_cross_entropy(labels=y_, logits=y)
tf.summary.scalar("cross_entropy", cross_entropy)
with tf.name_scope("train"):
    train_step = tf.train.AdamOptimizer(0.005).minimize(cross_entropy)
with tf.name_scope("accuracy"):
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), y_), tf.float32))
tf.summary.scalar("accuracy", accuracy)
merged = tf.summary.merge_all()

with tf.Session() as sess:
    writer = tf.summary.FileWriter(log_dir, sess.graph)
    tf.global_variables_initializer().run()
    for step in range(steps):
        batch_x, batch_y = pictures.batch(pixels, kinds, 64, step)
        summary, _ = sess.run([merged, train_step], feed_dict={x: batch_x, y_: batch_y})
        writer.add_summary(summary, step)
    writer.close()

(path,) = glob.glob(os.path.join(log_dir, "events.out.tfevents.*"))
for event in tf.train.summary_iterator(path):
    found = {value.tag: value for value in event.summary.value}
    if event.step == 0 and found:
        print("\n".join(sorted(found)))
    if "cross_entropy_1" in found:
        print("step %d  loss %.9g" % (event.step, found["cross_entropy_1"].simple_value))
print("tensorboard --logdir", log_dir)
