"""A program that is its own test, as TensorFlow's are."""

import tensorflow as tf


class SquareTest(tf.test.TestCase):
    def testValue(self):
        with self.test_session():
            x = tf.constant([1.0, 2.0], name="x")
            self.assertAllClose(tf.square(x).eval(), [1.0, 4.0])

    def testGradient(self):
        with self.cached_session():
            x = tf.constant([1.0, 2.0])
            error = tf.test.compute_gradient_error(x, [2], tf.square(x), [2])
            self.assertLess(error, 1e-2)


if __name__ == "__main__":
    tf.test.main()
