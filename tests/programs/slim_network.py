"""A small network in slim: arg_scope, batch norm, repeat, losses, a train op that counts."""

import json

import numpy as np
import tensorflow as tf

slim = tf.contrib.slim

images = tf.placeholder(tf.float32, [None, 8, 8, 1])
labels = tf.placeholder(tf.int32, [None])
training = tf.placeholder(tf.bool, [])


def network(x, is_training):
    with slim.arg_scope(
        [slim.conv2d, slim.fully_connected],
        weights_regularizer=slim.l2_regularizer(0.001),
        weights_initializer=tf.truncated_normal_initializer(stddev=0.2, seed=7),
        normalizer_fn=slim.batch_norm,
        normalizer_params={"is_training": is_training, "decay": 0.9},
    ):
        x = slim.repeat(x, 2, slim.conv2d, 4, [3, 3], scope="conv")
        x = slim.max_pool2d(x, [2, 2], scope="pool")
        x = slim.flatten(x)
        return slim.fully_connected(x, 2, activation_fn=None, normalizer_fn=None, scope="logits")


logits = network(images, training)
loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
total = tf.losses.get_total_loss()
train_op = slim.learning.create_train_op(total, tf.train.MomentumOptimizer(0.1, 0.9))

rng = np.random.RandomState(0)
kind = rng.randint(0, 2, 32)
data = rng.normal(size=(32, 8, 8, 1)) + kind[:, None, None, None] * np.eye(8)[None, :, :, None]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    fed = {images: data, labels: kind, training: True}
    losses = [float(sess.run(train_op, fed)) for _ in range(15)]
    moved = sess.run(slim.get_variables_by_name("moving_mean")[0])
    print(
        json.dumps(
            {
                "names": [v.op.name for v in slim.get_model_variables()],
                "losses": losses,
                "steps": int(sess.run(slim.get_global_step())),
                "moved": bool(np.abs(moved).sum() > 0),
            }
        )
    )
