"""A variational autoencoder: pictures to the mean and spread of a code, a draw from it, and back to pictures.

python -m pullback run vae.py [steps]
"""

import sys

import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 150
batch_size, n_input, n_hidden, n_z = 64, 144, 48, 4
images, labels = pictures.load(512, noise=0.02)
flat = images.reshape(-1, n_input)


def xavier_init(fan_in, fan_out, seed):
    high = (6.0 / (fan_in + fan_out)) ** 0.5
    return tf.random_uniform((fan_in, fan_out), minval=-high, maxval=high, dtype=tf.float32, seed=seed)


def dense(x, fan_in, fan_out, seed, activation=tf.identity):
    W = tf.Variable(xavier_init(fan_in, fan_out, seed))
    b = tf.Variable(tf.zeros([fan_out], dtype=tf.float32))
    return activation(tf.matmul(x, W) + b)


x = tf.placeholder(tf.float32, [None, n_input])
with tf.name_scope("recognize"):
    h = dense(x, n_input, n_hidden, 1, tf.nn.softplus)
    z_mean = dense(h, n_hidden, n_z, 2)
    z_log_sigma_sq = dense(h, n_hidden, n_z, 3)
eps = tf.random_normal((batch_size, n_z), 0, 1, dtype=tf.float32, seed=4)
z = tf.add(z_mean, tf.multiply(tf.sqrt(tf.exp(z_log_sigma_sq)), eps), name="z")
with tf.name_scope("generate"):
    h = dense(z, n_z, n_hidden, 5, tf.nn.softplus)
    x_reconstr_mean = dense(h, n_hidden, n_input, 6, tf.nn.sigmoid)

reconstr_loss = -tf.reduce_sum(x * tf.log(1e-10 + x_reconstr_mean) + (1 - x) * tf.log(1e-10 + 1 - x_reconstr_mean), 1)
latent_loss = -0.5 * tf.reduce_sum(1 + z_log_sigma_sq - tf.square(z_mean) - tf.exp(z_log_sigma_sq), 1)
cost = tf.reduce_mean(reconstr_loss + latent_loss)
optimizer = tf.train.AdamOptimizer(learning_rate=0.003).minimize(cost)

sess = tf.InteractiveSession()
sess.run(tf.global_variables_initializer())
for step in range(steps):
    batch_x, _ = pictures.batch(flat, labels, batch_size, step)
    _, loss, latent = sess.run((optimizer, cost, tf.reduce_mean(latent_loss)), feed_dict={x: batch_x})
    print("step %d  loss %.9g  latent_loss %.9g" % (step, loss, latent))
sess.close()
