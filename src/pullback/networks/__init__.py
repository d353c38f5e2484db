"""tf.keras models: layers cut to a network, trained by fit, saved without code.

Input -> layers called on symbolic tensors -> Model(inputs, outputs)     functional.py replays the calls on values
train_step -> a traced function; in a session's graph of TensorFlow 1, placeholders and a session
"""
