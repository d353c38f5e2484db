"""Logistic regression: which of three clouds a point is from, in mini-batches.

python -m pullback run logistic_regression.py [steps]
"""

import sys

import numpy as np
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 150
batch_size = 32

rng = np.random.RandomState(0)
centres = np.array([[2.0, 0.0], [-1.0, 1.5], [-1.0, -1.5]])
kinds = rng.randint(0, 3, 300)
points = (centres[kinds] + rng.normal(0, 0.6, (300, 2))).astype(np.float32)
one_hot = np.eye(3, dtype=np.float32)[kinds]

x = tf.placeholder(tf.float32, [None, 2])
y = tf.placeholder(tf.float32, [None, 3])
W = tf.Variable(tf.random_uniform([2, 3], -0.1, 0.1, seed=1))
b = tf.Variable(tf.zeros([3]))

pred = tf.nn.softmax(tf.matmul(x, W) + b)
cost = tf.reduce_mean(-tf.reduce_sum(y * tf.log(pred), reduction_indices=1))
optimizer = tf.train.GradientDescentOptimizer(0.5).minimize(cost)
correct = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

init = tf.global_variables_initializer()
with tf.Session() as sess:
    sess.run(init)
    for step in range(steps):
        rows = np.arange(step * batch_size, (step + 1) * batch_size) % len(points)
        _, c = sess.run([optimizer, cost], feed_dict={x: points[rows], y: one_hot[rows]})
        print("step %d  loss %.9g" % (step, c))
    print("accuracy %.4f" % accuracy.eval({x: points, y: one_hot}))
