"""Queues: records in files, a queue of file names, a reader, a queue of batches, and threads that keep them full.

python -m pullback run input_pipeline.py [steps]
"""

import os
import sys
import tempfile

import numpy as np
import pictures
import tensorflow as tf

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 60
batch_size = 32


def write_records(folder, count, files):
    """TFRecord files of examples: the pixels as bytes, the label as a number."""
    images, labels = pictures.load(count)
    names = []
    for part in range(files):
        names.append(os.path.join(folder, "part-%d.tfrecords" % part))
        with tf.python_io.TFRecordWriter(names[-1]) as writer:
            for image, label in zip(images[part::files], labels[part::files]):
                pixels = np.uint8(image * 255).tobytes()
                feature = {
                    "image_raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
    return names


def read_and_decode(filename_queue):
    reader = tf.TFRecordReader()
    _, serialized = reader.read(filename_queue)
    features = tf.parse_single_example(
        serialized,
        features={"image_raw": tf.FixedLenFeature([], tf.string), "label": tf.FixedLenFeature([], tf.int64)},
    )
    image = tf.decode_raw(features["image_raw"], tf.uint8)
    image.set_shape([144])
    return tf.cast(image, tf.float32) * (1.0 / 255) - 0.5, tf.cast(features["label"], tf.int32)


with tempfile.TemporaryDirectory() as folder:
    names = write_records(folder, 256, files=3)
    epochs = -(-steps * batch_size // 256)
    filename_queue = tf.train.string_input_producer(names, num_epochs=epochs, shuffle=False)
    image, label = read_and_decode(filename_queue)
    # One thread, so that the order is always the same; shuffle_batch and more threads are for real training.
    images, labels = tf.train.batch([image, label], batch_size, num_threads=1, capacity=200)

    W = tf.Variable(tf.truncated_normal([144, 4], stddev=0.05, seed=1))
    b = tf.Variable(tf.zeros([4]))
    logits = tf.nn.xw_plus_b(images, W, b)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    train_op = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True).minimize(loss)

    with tf.Session() as sess:
        sess.run(tf.group(tf.global_variables_initializer(), tf.local_variables_initializer()))
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess=sess, coord=coord)
        step = 0
        try:
            while not coord.should_stop():
                _, value = sess.run([train_op, loss])
                if step < steps:
                    print("step %d  loss %.9g" % (step, value))
                step += 1
        except tf.errors.OutOfRangeError:
            print("the files were read %d times: %d batches" % (epochs, step))
        finally:
            coord.request_stop()
        coord.join(threads)
