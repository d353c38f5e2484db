"""Guided backprop by gradient_override_map, with names from inside TensorFlow."""

import json

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_nn_ops


@ops.RegisterGradient("GuidedReluOfThisProgram")
def _guided(op, grad):
    return tf.where(grad > 0.0, gen_nn_ops._relu_grad(grad, op.outputs[0]), tf.zeros(tf.shape(grad)))


graph = tf.get_default_graph()
x = tf.placeholder(tf.float32, [None, 4], name="x")
with graph.gradient_override_map({"Relu": "GuidedReluOfThisProgram"}):
    guided = tf.nn.relu(x)
plain = tf.nn.relu(x)
weight = tf.constant([1.0, -1.0, 2.0, -2.0])
with tf.Session(graph=graph) as sess:
    fed = {x: [[1.0, 2.0, -3.0, -4.0]]}
    print(
        json.dumps(
            {
                "guided": sess.run(tf.gradients(guided * weight, x)[0], fed).tolist(),
                "plain": sess.run(tf.gradients(plain * weight, x)[0], fed).tolist(),
                "types": [op.type for op in graph.get_operations() if op.type == "Relu"],
            }
        )
    )
