"""Input pipelines: tf.data, queues and readers, parsing of records."""

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "data")
