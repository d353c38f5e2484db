"""`tf.contrib`, as far as programs of TensorFlow 1 lean on it: layers and slim, framework, eager, losses, metrics, opt.

Written in TensorFlow 1's own words, over `pullback.v1`: variables have contrib's names (`weights`, `biases`, `beta`,
`gamma`, `moving_mean`, `moving_variance`), so its checkpoints fit.
"""
