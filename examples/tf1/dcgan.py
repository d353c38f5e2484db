"""A small DCGAN: a generator of pictures and a judge of them, trained in turns, each on its own variables.

python -m pullback run dcgan.py [steps]
"""

import sys

import numpy as np
import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 60
batch_size, z_dim = 32, 16
images, labels = pictures.load(256, size=16, noise=0.0)


def batch_norm(x, name):
    """By the batch's own statistics, over all but the channels."""
    with tf.variable_scope(name):
        n = x.get_shape().as_list()[-1]
        gamma = tf.get_variable("gamma", [n], initializer=tf.random_normal_initializer(1.0, 0.02, seed=5))
        beta = tf.get_variable("beta", [n], initializer=tf.zeros_initializer())
        mean, variance = tf.nn.moments(x, list(range(len(x.get_shape()) - 1)))
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)


def weights(name, shape, seed):
    return tf.get_variable(name, shape, initializer=tf.truncated_normal_initializer(stddev=0.05, seed=seed))


def generator(z):
    with tf.variable_scope("generator"):
        h = tf.matmul(z, weights("project", [z_dim, 4 * 4 * 16], 1))
        h = tf.nn.relu(batch_norm(tf.reshape(h, [-1, 4, 4, 16]), "bn0"))
        w = weights("deconv1", [5, 5, 8, 16], 2)
        h = tf.nn.conv2d_transpose(h, w, [batch_size, 8, 8, 8], [1, 2, 2, 1], padding="SAME")
        h = tf.nn.relu(batch_norm(h, "bn1"))
        w = weights("deconv2", [5, 5, 1, 8], 3)
        return tf.nn.tanh(tf.nn.conv2d_transpose(h, w, [batch_size, 16, 16, 1], [1, 2, 2, 1], padding="SAME"))


def discriminator(x, reuse=False):
    with tf.variable_scope("discriminator") as scope:
        if reuse:
            scope.reuse_variables()
        h = tf.nn.conv2d(x, weights("conv1", [5, 5, 1, 8], 11), strides=[1, 2, 2, 1], padding="SAME")
        h = tf.nn.leaky_relu(h, alpha=0.2)
        h = tf.nn.conv2d(h, weights("conv2", [5, 5, 8, 16], 12), strides=[1, 2, 2, 1], padding="SAME")
        h = tf.nn.leaky_relu(batch_norm(h, "bn"), alpha=0.2)
        b = tf.get_variable("b", [1], initializer=tf.constant_initializer(0.0))
        return tf.nn.bias_add(tf.matmul(tf.reshape(h, [batch_size, -1]), weights("out", [256, 1], 13)), b)


real = tf.placeholder(tf.float32, [batch_size, 16, 16, 1], name="real_images")
z = tf.placeholder(tf.float32, [None, z_dim], name="z")
G = generator(z)
D_real, D_fake = discriminator(real), discriminator(G, reuse=True)

cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
d_loss = tf.reduce_mean(cross_entropy(logits=D_real, labels=0.9 * tf.ones_like(D_real)))
d_loss += tf.reduce_mean(cross_entropy(logits=D_fake, labels=tf.zeros_like(D_fake)))
g_loss = tf.reduce_mean(cross_entropy(logits=D_fake, labels=tf.ones_like(D_fake)))

t_vars = tf.trainable_variables()
d_vars = [var for var in t_vars if var.name.startswith("discriminator")]
g_vars = [var for var in t_vars if var.name.startswith("generator")]
d_optim = tf.train.AdamOptimizer(0.0005, beta1=0.5).minimize(d_loss, var_list=d_vars)
g_optim = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(g_loss, var_list=g_vars)

rng = np.random.RandomState(2)
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
with tf.Session(config=config) as sess:
    tf.global_variables_initializer().run()
    for step in range(steps):
        batch_images = pictures.batch(images, labels, batch_size, step)[0] * 2 - 1
        batch_z = rng.uniform(-1, 1, [batch_size, z_dim]).astype(np.float32)
        _, d = sess.run([d_optim, d_loss], feed_dict={real: batch_images, z: batch_z})
        _, g = sess.run([g_optim, g_loss], feed_dict={z: batch_z})
        print("step %d  d_loss %.9g  g_loss %.9g" % (step, d, g))
    made = sess.run(G, feed_dict={z: rng.uniform(-1, 1, [batch_size, z_dim])})
    print("made", made.shape, "within %.2f and %.2f" % (made.min(), made.max()))
