"""`tf.contrib.slim.nets`: networks of images, with the names that TF-slim's published checkpoints have.

A network gives (net, end_points): the last layer, and what is on the way by scope. Use it within its arg scope:

    with slim.arg_scope(resnet_v1.resnet_arg_scope()):
        net, end_points = resnet_v1.resnet_v1_50(images, 1000, is_training=False)
"""
