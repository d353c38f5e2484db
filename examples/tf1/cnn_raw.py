"""A convolutional network from tf.nn's ops: two convolutions, two poolings, a dense layer with dropout.

python -m pullback run cnn_raw.py [steps]
"""

import sys

import numpy as np
import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
images, labels = pictures.load(256)
one_hot = np.eye(4, dtype=np.float32)[labels]


def weight_variable(shape, seed):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1, seed=seed), name="weights")


def bias_variable(shape):
    return tf.Variable(tf.constant(0.1, shape=shape), name="biases")


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


x = tf.placeholder(tf.float32, [None, 12, 12, 1])
y_ = tf.placeholder(tf.float32, [None, 4])
keep_prob = tf.placeholder(tf.float32)

with tf.name_scope("conv1"):
    h_conv1 = tf.nn.relu(tf.nn.bias_add(conv2d(x, weight_variable([5, 5, 1, 8], 1)), bias_variable([8])))
    h_pool1 = max_pool_2x2(h_conv1)
with tf.name_scope("conv2"):
    h_conv2 = tf.nn.relu(conv2d(h_pool1, weight_variable([3, 3, 8, 16], 2)) + bias_variable([16]))
    h_pool2 = max_pool_2x2(h_conv2)
with tf.name_scope("fc1"):
    h_pool2_flat = tf.reshape(h_pool2, [-1, 3 * 3 * 16])
    h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, weight_variable([3 * 3 * 16, 32], 3)) + bias_variable([32]))
    h_fc1_drop = tf.nn.dropout(h_fc1, keep_prob, seed=7)
with tf.name_scope("fc2"):
    logits = tf.matmul(h_fc1_drop, weight_variable([32, 4], 4)) + bias_variable([4])

cross_entropy = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=logits))
train_step = tf.train.AdamOptimizer(2e-3).minimize(cross_entropy)
correct_prediction = tf.equal(tf.argmax(logits, 1), tf.argmax(y_, 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

sess = tf.InteractiveSession()
tf.global_variables_initializer().run()
for step in range(steps):
    batch_x, batch_y = pictures.batch(images, one_hot, 32, step)
    _, value = sess.run([train_step, cross_entropy], {x: batch_x, y_: batch_y, keep_prob: 0.5})
    print("step %d  loss %.9g" % (step, value))
print("accuracy %.4f" % accuracy.eval({x: images, y_: one_hot, keep_prob: 1.0}))
sess.close()
