"""A multilayer perceptron with two hidden layers and dropout, on pictures of four things.

python -m pullback run mlp.py [steps]
"""

import sys

import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 150
batch_size, n_input, n_hidden, n_classes = 64, 144, 48, 4

images, labels = pictures.load(512)
flat = images.reshape(-1, n_input)

X = tf.placeholder("float", [None, n_input])
Y = tf.placeholder(tf.int32, [None])
keep_prob = tf.placeholder_with_default(1.0, [])

weights = {
    "h1": tf.Variable(tf.truncated_normal([n_input, n_hidden], stddev=0.1, seed=1)),
    "h2": tf.Variable(tf.truncated_normal([n_hidden, n_hidden], stddev=0.2, seed=2)),
    "out": tf.Variable(tf.truncated_normal([n_hidden, n_classes], stddev=0.2, seed=3)),
}
biases = {
    "b1": tf.Variable(tf.constant(0.1, shape=[n_hidden])),
    "b2": tf.Variable(tf.constant(0.1, shape=[n_hidden])),
    "out": tf.Variable(tf.zeros([n_classes])),
}


def multilayer_perceptron(x):
    layer_1 = tf.nn.relu(tf.add(tf.matmul(x, weights["h1"]), biases["b1"]))
    layer_1 = tf.nn.dropout(layer_1, keep_prob, seed=4)
    layer_2 = tf.nn.relu(tf.add(tf.matmul(layer_1, weights["h2"]), biases["b2"]))
    layer_2 = tf.nn.dropout(layer_2, keep_prob, seed=5)
    return tf.matmul(layer_2, weights["out"]) + biases["out"]


logits = multilayer_perceptron(X)
cross_entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=Y))
decay = tf.add_n([tf.nn.l2_loss(w) for w in weights.values()])
loss_op = cross_entropy + 1e-4 * decay
train_op = tf.train.AdamOptimizer(learning_rate=0.003).minimize(loss_op)
accuracy = tf.reduce_mean(tf.cast(tf.nn.in_top_k(logits, Y, 1), tf.float32))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(steps):
        batch_x, batch_y = pictures.batch(flat, labels, batch_size, step)
        _, c = sess.run([train_op, loss_op], feed_dict={X: batch_x, Y: batch_y, keep_prob: 0.8})
        print("step %d  loss %.9g" % (step, c))
    print("accuracy %.4f" % sess.run(accuracy, {X: flat, Y: labels}))
