"""The gradients of a convolution by themselves, as the articles print them."""

import json

import tensorflow as tf

found = {}
with tf.Session() as sess:
    for padding, size in (("VALID", 2), ("SAME", 3)):
        sigma = tf.reshape(tf.range(1.0, size * size + 1), [1, size, size, 1])
        kernel = tf.constant([[1.0, 2.0], [3.0, 4.0]], shape=[2, 2, 1, 1])
        x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], shape=[1, 3, 3, 1])
        dx = tf.nn.conv2d_backprop_input([1, 3, 3, 1], kernel, sigma, [1, 1, 1, 1], padding)
        dw = tf.nn.conv2d_backprop_filter(x, [2, 2, 1, 1], sigma, [1, 1, 1, 1], padding)
        y = tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding)
        same_dx, same_dw = tf.gradients(y, [x, kernel], grad_ys=sigma)
        found[padding] = [v.ravel().tolist() for v in sess.run([dx, same_dx, dw, same_dw])]
print(json.dumps(found))
