"""tf.estimator: models as functions, trained, evaluated and asked by a class that keeps them in a folder; and
ready-made ones over feature columns. The namespace tf.estimator is here too: names come from `_names`."""

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "estimator")
