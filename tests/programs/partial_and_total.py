"""stop_gradients, stop_gradient, grad_ys: total against partial derivatives."""

import json

import tensorflow as tf

a = tf.constant(0.0)
b = 2 * a
total = tf.gradients(a + b, [a, b])
partial = tf.gradients(a + b, [a, b], stop_gradients=[a, b])

w1 = tf.get_variable("w1", shape=[3])
w2 = tf.get_variable("w2", shape=[3])
w3 = tf.get_variable("w3", shape=[3])
w4 = tf.get_variable("w4", shape=[3])
z1 = w1 + w2 + w3
z2 = w3 + w4
grads = tf.gradients([z1, z2], [w1, w2, w3, w4], grad_ys=[[-2.0, -3.0, -4.0], [-2.0, -3.0, -4.0]])

x = tf.Variable([1.4, 2.5, -0.5])
straight = x + tf.stop_gradient(tf.round(x) - x)
(through,) = tf.gradients(tf.square(straight), x)

with tf.Session() as sess:
    tf.global_variables_initializer().run()
    print(
        json.dumps(
            {
                "total": [float(v) for v in sess.run(total)],
                "partial": [float(v) for v in sess.run(partial)],
                "grads": [v.tolist() for v in sess.run(grads)],
                "straight": sess.run(straight).tolist(),
                "through": through.eval().tolist(),
            }
        )
    )
