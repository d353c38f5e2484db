"""A regression as they were written in 2016: names from before 1.0, flags, a logger, a program that is called."""

import json

import numpy as np
import tensorflow as tf

flags = tf.app.flags
FLAGS = flags.FLAGS
flags.DEFINE_float("rate", 0.5, "learning rate")
flags.DEFINE_integer("steps", 20, "how many steps")
flags.DEFINE_boolean("quiet", False, "say less")


def main(_):
    if not FLAGS.quiet:
        tf.logging.set_verbosity(tf.logging.INFO)
    tf.logging.info("rate %g", FLAGS.rate)
    data = np.linspace(0, 1, 50).astype(np.float32)
    w = tf.Variable(tf.random_uniform([1], -1.0, 1.0, seed=1))
    b = tf.Variable(tf.zeros([1]))
    y = tf.add(tf.mul(w, data), b)
    loss = tf.reduce_mean(tf.square(tf.sub(y, 0.1 * data + 0.3)), reduction_indices=0)
    train = tf.train.GradientDescentOptimizer(FLAGS.rate).minimize(loss)
    init = tf.initialize_all_variables()
    both = tf.concat(0, [w, b])
    with tf.Session() as sess:
        sess.run(init)
        losses = [float(sess.run([loss, train])[0]) for _ in range(FLAGS.steps)]
        print(json.dumps({"losses": losses, "end": sess.run(both).tolist()}))


if __name__ == "__main__":
    tf.app.run()
