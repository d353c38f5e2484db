"""tf.layers, tf.keras.layers and recurrent networks: variables and ops bundled as objects, thin over ops.

base.Layer            what every layer is: built once by its first inputs, then called
  keras layers        Dense, Conv2D, LSTM, ...; variables named by the layer, training by argument or learning phase
  scoped.Layer        tf.layers and rnn_cell: the same classes, their variables made by `get_variable`
"""
