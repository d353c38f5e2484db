"""Linear regression: a line through points, by gradient descent.

python -m pullback run linear_regression.py [steps]
"""

import sys

import numpy as np
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 200
learning_rate = 0.05

# Points near the line y = 3 x - 1.
rng = np.random.RandomState(0)
train_x = rng.uniform(-2, 2, 64).astype(np.float32)
train_y = (3 * train_x - 1 + rng.normal(0, 0.1, 64)).astype(np.float32)

X = tf.placeholder(tf.float32, name="x")
Y = tf.placeholder(tf.float32, name="y")
W = tf.Variable(tf.random_normal([], seed=1), name="weight")
b = tf.Variable(tf.random_normal([], seed=2), name="bias")

prediction = tf.add(tf.multiply(X, W), b)
loss = tf.reduce_sum(tf.pow(prediction - Y, 2)) / (2 * len(train_x))
train_op = tf.train.GradientDescentOptimizer(learning_rate).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(steps):
        _, value = sess.run([train_op, loss], feed_dict={X: train_x, Y: train_y})
        print("step %d  loss %.9g" % (step, value))
    print("weight %.4f  bias %.4f" % (W.eval(), sess.run(b)))
