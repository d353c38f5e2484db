"""A convolutional network from tf.layers, with scopes that are used twice: once for training, once for testing.

python -m pullback run cnn_layers.py [steps]
"""

import sys

import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
images, labels = pictures.load(320)
test_images, test_labels = images[256:], labels[256:]
images, labels = images[:256], labels[:256]


def conv_net(x, n_classes, dropout, reuse, is_training):
    with tf.variable_scope("ConvNet", reuse=reuse):
        drawn = [tf.glorot_uniform_initializer(seed=n) for n in range(1, 5)]
        conv1 = tf.layers.conv2d(x, 8, 5, activation=tf.nn.relu, kernel_initializer=drawn[0], name="conv1")
        conv1 = tf.layers.max_pooling2d(conv1, 2, 2)
        conv2 = tf.layers.conv2d(
            conv1, 16, 3, padding="same", activation=tf.nn.relu, kernel_initializer=drawn[1], name="conv2"
        )
        conv2 = tf.layers.average_pooling2d(conv2, 2, 2)
        fc1 = tf.layers.flatten(conv2)
        fc1 = tf.layers.dense(fc1, 32, kernel_initializer=drawn[2], name="fc1")
        fc1 = tf.layers.dropout(fc1, rate=dropout, training=is_training, seed=9)
        return tf.layers.dense(fc1, n_classes, kernel_initializer=drawn[3], name="out")


x = tf.placeholder(tf.float32, [None, 12, 12, 1])
y = tf.placeholder(tf.int32, [None])
logits_train = conv_net(x, 4, 0.25, reuse=False, is_training=True)
logits_test = conv_net(x, 4, 0.25, reuse=True, is_training=False)

loss = tf.losses.sparse_softmax_cross_entropy(labels=y, logits=logits_train)
global_step = tf.train.get_or_create_global_step()
learning_rate = tf.train.exponential_decay(0.1, global_step, decay_steps=50, decay_rate=0.8)
train_op = tf.train.MomentumOptimizer(learning_rate, 0.9).minimize(loss, global_step=global_step)
accuracy, update = tf.metrics.accuracy(labels=y, predictions=tf.argmax(logits_test, axis=1))

with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    print([v.name for v in tf.trainable_variables()])
    for step in range(steps):
        batch_x, batch_y = pictures.batch(images, labels, 32, step)
        _, value = sess.run([train_op, loss], feed_dict={x: batch_x, y: batch_y})
        print("step %d  loss %.9g" % (step, value))
    sess.run(update, feed_dict={x: test_images, y: test_labels})
    print("accuracy %.4f" % sess.run(accuracy))
