"""A program of 2018: iris flowers by a ready-made estimator, as its tutorial had them, with made-up measurements."""

import numpy as np
import tensorflow as tf

tf.logging.set_verbosity(tf.logging.ERROR)
print(tf.keras.__version__)

rng = np.random.RandomState(0)
KIND = rng.randint(0, 3, 150)
LENGTH = (KIND + rng.normal(0, 0.1, 150)).astype(np.float32)
COLOR = np.array([["white", "blue", "violet"][k] for k in KIND])


def columns():
    length = tf.feature_column.numeric_column(key="length")
    color = tf.feature_column.categorical_column_with_hash_bucket("color", hash_bucket_size=20)
    return [
        length,
        tf.feature_column.bucketized_column(length, boundaries=[0.5, 1.5]),
        tf.feature_column.indicator_column(color),
        tf.feature_column.embedding_column(color, dimension=3),
    ]


def train_input_fn():
    dataset = tf.data.Dataset.from_tensor_slices(({"length": LENGTH, "color": COLOR}, KIND))
    return dataset.shuffle(150, seed=1).repeat().batch(30)


def eval_input_fn():
    return tf.data.Dataset.from_tensor_slices(({"length": LENGTH, "color": COLOR}, KIND)).batch(30)


classifier = tf.estimator.DNNClassifier(feature_columns=columns(), hidden_units=[10, 10], n_classes=3)
classifier.train(input_fn=train_input_fn, steps=60)
print("accuracy {accuracy:0.2f}".format(**classifier.evaluate(input_fn=eval_input_fn)))
first = next(classifier.predict(input_fn=eval_input_fn))
print("kind", first["class_ids"][0], "of", KIND[0])
