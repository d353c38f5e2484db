"""Two layers of LSTM over sequences of different lengths, by dynamic_rnn: does a noisy sequence rise or fall?

python -m pullback run lstm.py [steps]
"""

import sys

import numpy as np
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 120
max_length, n_hidden, n_classes, batch_size = 12, 16, 2, 32


def sequences(count, seed=0):
    """(values [count,max_length,1], zeros past each length; one-hot labels; lengths)."""
    rng = np.random.RandomState(seed)
    lengths = rng.randint(4, max_length + 1, count).astype(np.int32)
    slopes = rng.choice([-1.0, 1.0], count)
    values = slopes[:, None] * np.linspace(0, 1, max_length) + rng.normal(0, 0.15, (count, max_length))
    values *= np.arange(max_length) < lengths[:, None]
    return values[..., None].astype(np.float32), np.eye(2, dtype=np.float32)[(slopes > 0).astype(int)], lengths


x = tf.placeholder(tf.float32, [None, max_length, 1])
y = tf.placeholder(tf.float32, [None, n_classes])
seqlen = tf.placeholder(tf.int32, [None])

with tf.variable_scope("rnn", initializer=tf.random_uniform_initializer(-0.2, 0.2, seed=3)):
    cells = [
        tf.nn.rnn_cell.BasicLSTMCell(n_hidden, forget_bias=1.0),
        tf.nn.rnn_cell.LSTMCell(n_hidden, use_peepholes=True),
    ]
    cell = tf.nn.rnn_cell.MultiRNNCell(cells)
    outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=seqlen, dtype=tf.float32)

# The output at each sequence's own last step.
rows = tf.range(0, tf.shape(outputs)[0]) * max_length + (seqlen - 1)
last = tf.gather(tf.reshape(outputs, [-1, n_hidden]), rows)
W = tf.Variable(tf.random_normal([n_hidden, n_classes], stddev=0.3, seed=4))
b = tf.Variable(tf.zeros([n_classes]))
logits = tf.matmul(last, W) + b

cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
tvars = tf.trainable_variables()
grads, norm = tf.clip_by_global_norm(tf.gradients(cost, tvars), 1.0)
train_op = tf.train.RMSPropOptimizer(0.02).apply_gradients(zip(grads, tvars))
accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(y, 1)), tf.float32))

values, classes, lengths = sequences(256)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for var in tvars:
        print(var.name, var.get_shape().as_list())
    for step in range(steps):
        rows = np.arange(step * batch_size, (step + 1) * batch_size) % len(values)
        fed = {x: values[rows], y: classes[rows], seqlen: lengths[rows]}
        _, loss = sess.run([train_op, cost], feed_dict=fed)
        print("step %d  loss %.9g" % (step, loss))
    print("accuracy %.4f" % sess.run(accuracy, {x: values, y: classes, seqlen: lengths}))
    same = sess.run(tf.reduce_max(tf.abs(last - state[1].h)), {x: values, seqlen: lengths})
    print("last outputs are the final state:", same < 1e-6)
