"""A denoising convolutional autoencoder: convolutions down to a code, conv2d_transpose back up to pixels.

python -m pullback run autoencoder.py [steps]
"""

import sys

import numpy as np
import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 120
clean, labels = pictures.load(256, noise=0.0)


def lrelu(x, leak=0.2):
    return tf.maximum(leak * x, x)


ae_inputs = tf.placeholder(tf.float32, (None, 12, 12, 1), name="noisy")
ae_targets = tf.placeholder(tf.float32, (None, 12, 12, 1), name="clean")

# Down: every convolution halves the picture; the filters are kept, as the way up starts from their shapes.
current, shapes, channels = ae_inputs, [], 1
for layer, n_output in enumerate([8, 16]):
    W = tf.get_variable(
        "W%d" % layer,
        [3, 3, channels, n_output],
        initializer=tf.random_uniform_initializer(-0.25, 0.25, seed=layer + 1),
    )
    b = tf.get_variable("b%d" % layer, [n_output], initializer=tf.zeros_initializer())
    shapes.append(current.get_shape().as_list())
    current = lrelu(tf.nn.conv2d(current, W, strides=[1, 2, 2, 1], padding="SAME") + b)
    channels = n_output
code = tf.identity(current, name="code")

# Up: the transposes, in turned order, each to the size that its convolution came from.
for layer, shape in enumerate(shapes[::-1]):
    W = tf.get_variable(
        "V%d" % layer,
        [3, 3, shape[3], channels],
        initializer=tf.truncated_normal_initializer(stddev=0.15, seed=layer + 11),
    )
    b = tf.get_variable("c%d" % layer, [shape[3]], initializer=tf.constant_initializer(0.0))
    output_shape = tf.stack([tf.shape(ae_inputs)[0], shape[1], shape[2], shape[3]])
    current = tf.nn.conv2d_transpose(current, W, output_shape, strides=[1, 2, 2, 1], padding="SAME") + b
    if shape[3] > 1:
        current = lrelu(current)
    channels = shape[3]
restored = tf.nn.sigmoid(current)

loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=ae_targets, logits=current))
error = tf.losses.mean_squared_error(ae_targets, restored)
train_op = tf.train.AdamOptimizer(0.01).minimize(loss)

rng = np.random.RandomState(1)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print("code", code.get_shape().as_list(), "restored", restored.get_shape().as_list())
    for step in range(steps):
        target, _ = pictures.batch(clean, labels, 32, step)
        noisy = np.clip(target + rng.normal(0, 0.3, target.shape), 0, 1)
        _, value = sess.run([train_op, loss], feed_dict={ae_inputs: noisy, ae_targets: target})
        print("step %d  loss %.9g" % (step, value))
    noisy = np.clip(clean + rng.normal(0, 0.3, clean.shape), 0, 1)
    wrong = sess.run(error, feed_dict={ae_inputs: noisy, ae_targets: clean})
    print("error %.4f  all black would have %.4f" % (wrong, np.mean(clean**2)))
