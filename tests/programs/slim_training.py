"""A classifier trained and evaluated with slim, from TFRecords: `python slim_training.py FOLDER`."""

import json
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.contrib.slim.nets import inception
from tensorflow.contrib.slim.python.slim.data import dataset, dataset_data_provider
from tensorflow.contrib.slim.python.slim.learning import train_step

slim = tf.contrib.slim

folder = sys.argv[1]
data, logs, eval_logs = (os.path.join(folder, name) for name in ("data", "train", "eval"))
BATCH, STEPS, SAMPLES = 8, 20, 48
tf.logging.set_verbosity(tf.logging.INFO)


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def write_records():
    rng = np.random.RandomState(0)
    tf.gfile.MakeDirs(data)
    with tf.Graph().as_default(), tf.Session() as sess:
        pixels = tf.placeholder(tf.uint8, [None, None, 3])
        encoded = tf.image.encode_png(pixels)
        for shard in range(2):
            path = os.path.join(data, f"shapes_train_{shard:05}-of-00002.tfrecord")
            with tf.python_io.TFRecordWriter(path) as writer:
                for i in range(SAMPLES // 2):
                    label = i % 2
                    image = rng.randint(0, 100, (12, 12, 3))
                    image[:, :6] += 120 * label
                    image[:, 6:] += 120 * (1 - label)
                    made = {
                        "image/encoded": feature(sess.run(encoded, {pixels: image.astype(np.uint8)})),
                        "image/format": feature(b"png"),
                        "image/class/label": feature(label),
                    }
                    writer.write(tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString())


def get_split():
    keys_to_features = {
        "image/encoded": tf.FixedLenFeature((), tf.string, default_value=""),
        "image/format": tf.FixedLenFeature((), tf.string, default_value="png"),
        "image/class/label": tf.FixedLenFeature([], tf.int64, default_value=tf.zeros([], dtype=tf.int64)),
    }
    items_to_handlers = {
        "image": slim.tfexample_decoder.Image(),
        "label": slim.tfexample_decoder.Tensor("image/class/label"),
    }
    return dataset.Dataset(
        data_sources=os.path.join(data, "shapes_train_*.tfrecord"),
        reader=tf.TFRecordReader,
        decoder=slim.tfexample_decoder.TFExampleDecoder(keys_to_features, items_to_handlers),
        num_samples=SAMPLES,
        items_to_descriptions={"image": "A color image.", "label": "Which half is bright."},
        num_classes=2,
    )


def load_batch(split, is_training):
    provider = dataset_data_provider.DatasetDataProvider(
        split, num_readers=2, shuffle=is_training, common_queue_capacity=20 * BATCH, common_queue_min=2 * BATCH
    )
    image, label = provider.get(["image", "label"])
    image = tf.image.convert_image_dtype(image, tf.float32)
    image = tf.image.resize_image_with_crop_or_pad(image, 12, 12)
    images, labels = tf.train.batch([image, label], batch_size=BATCH, num_threads=2, capacity=5 * BATCH)
    queue = slim.prefetch_queue.prefetch_queue([images, slim.one_hot_encoding(labels, split.num_classes)], capacity=2)
    return queue.dequeue()


def network(images, is_training):
    with (
        slim.arg_scope(
            [slim.conv2d, slim.fully_connected],
            weights_regularizer=slim.l2_regularizer(0.0001),
            weights_initializer=tf.truncated_normal_initializer(stddev=0.1, seed=3),
        ),
        slim.arg_scope([slim.batch_norm, slim.dropout], is_training=is_training),
    ):
        net = slim.conv2d(images, 8, [3, 3], normalizer_fn=slim.batch_norm, normalizer_params={"decay": 0.8})
        net = slim.max_pool2d(net, [2, 2], scope="pool1")
        net = slim.dropout(slim.flatten(net), 0.9)
        return slim.fully_connected(net, 2, activation_fn=None, scope="logits")


def look():
    """The first pictures, as the walkthrough shows them."""
    with tf.Graph().as_default():
        provider = slim.dataset_data_provider.DatasetDataProvider(get_split(), shuffle=False)
        image, label, key = provider.get(["image", "label", "record_key"])
        with tf.Session() as sess, slim.queues.QueueRunners(sess):
            found = [sess.run([image, label, key]) for _ in range(4)]
    return [[list(i.shape), int(k), os.path.basename(key.decode()).partition(":")[0]] for i, k, key in found]


def train():
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        global_step = slim.get_or_create_global_step()
        images, labels = load_batch(get_split(), True)
        logits = network(images, True)
        tf.losses.softmax_cross_entropy(labels, logits)
        total_loss = tf.losses.get_total_loss()
        tf.summary.scalar("losses/total_loss", total_loss)
        for variable in slim.get_model_variables():
            slim.summaries.add_histogram_summary(variable)
        slim.model_analyzer.analyze_vars(slim.get_model_variables())
        rate = tf.train.exponential_decay(0.05, global_step, 10, 0.9, staircase=True)
        optimizer = tf.train.RMSPropOptimizer(rate, decay=0.9, momentum=0.9, epsilon=1.0)
        train_op = slim.learning.create_train_op(
            total_loss, optimizer, clip_gradient_norm=5.0, summarize_gradients=True
        )
        steps = []

        def noting_step(sess, *args):
            loss, should_stop = train_step(sess, *args)
            steps.append(float(loss))
            return loss, should_stop

        final = slim.learning.train(
            train_op,
            logdir=logs,
            train_step_fn=noting_step,
            number_of_steps=STEPS,
            log_every_n_steps=5,
            save_summaries_secs=1,
            trace_every_n_steps=10,
        )
    return steps, float(final)


def evaluate():
    with tf.Graph().as_default():
        step = slim.get_or_create_global_step()
        images, labels = load_batch(get_split(), False)
        classes = tf.argmax(labels, 1)
        predictions = tf.argmax(network(images, False), 1)
        names_to_values, names_to_updates = slim.metrics.aggregate_metric_map(
            {
                "Accuracy": slim.metrics.streaming_accuracy(predictions, classes),
                "Count": slim.metrics.streaming_mean(tf.ones([BATCH])),
            }
        )
        for name, value in names_to_values.items():
            op = tf.summary.scalar(f"eval/{name}", value, collections=[])
            tf.add_to_collection(tf.GraphKeys.SUMMARIES, tf.Print(op, [value], name))
        return slim.evaluation.evaluate_once(
            master="",
            checkpoint_path=tf.train.latest_checkpoint(logs),
            logdir=eval_logs,
            num_evals=SAMPLES // BATCH,
            eval_op=list(names_to_updates.values()),
            final_op={"step": step, **names_to_values},
            variables_to_restore=slim.get_variables_to_restore(),
        )


def tags(path):
    found = set()
    for name in os.listdir(path):
        if "tfevents" in name:
            for event in tf.train.summary_iterator(os.path.join(path, name)):
                found.update(value.tag for value in event.summary.value)
    return sorted(found)


write_records()
seen = look()
losses, last = train()
told = evaluate()
print(
    json.dumps(
        {
            "seen": seen,
            "losses": losses,
            "last": last,
            "evaluated": {name: float(value) for name, value in told.items()},
            "files": sorted(os.listdir(logs)),
            "train tags": tags(logs),
            "eval tags": tags(eval_logs),
            "inception": inception.inception_v1.default_image_size,
        }
    )
)
