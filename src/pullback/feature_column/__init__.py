"""tf.feature_column: how named features, as datasets and Examples give them, become what models take.

    features {name: tensor} --> column.transform --> dense(...)  [B, ...]  --> input_layer, DenseFeatures
                                                 --> ids(...) SparseTensor --> linear_model, indicators, embeddings

A column is a frozen value that says which features it reads and what it makes of them. It holds no tensors and no
variables, so one column serves any number of graphs. The namespace tf.feature_column is here too.
"""

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "feature_column")
