"""Word vectors by skip-gram and noise-contrastive estimation, from sentences of a made-up language.

Its words are of three topics, and a sentence keeps to one. Nearest neighbours should be of the word's own topic.

python -m pullback run word2vec.py [steps]
"""

import collections
import sys

import numpy as np
import tensorflow as tf

num_steps = int(sys.argv[1]) if len(sys.argv) > 1 else 400
batch_size, embedding_size, skip_window, num_sampled = 64, 12, 2, 8

rng = np.random.RandomState(0)
topics = {
    "sea": ["wave", "boat", "fish", "sail", "salt", "shore"],
    "wood": ["tree", "leaf", "bird", "moss", "root", "deer"],
    "town": ["street", "house", "bell", "shop", "lamp", "square"],
}
words = []
for _ in range(400):
    words += [*rng.choice(topics[rng.choice(sorted(topics))], 6), "."]

# The most frequent word has number 0: the sampler draws small numbers more often.
counts = collections.Counter(words).most_common()
dictionary = {word: number for number, (word, _) in enumerate(sorted(counts, key=lambda c: (-c[1], c[0])))}
reverse_dictionary = {number: word for word, number in dictionary.items()}
data = [dictionary[word] for word in words]
vocabulary_size = len(dictionary)


def generate_batch(start):
    """Words and their neighbours, two of each word's at random."""
    centres = (start + np.arange(batch_size // 2)) % (len(data) - 2 * skip_window) + skip_window
    inputs, targets = [], []
    for centre in centres:
        for offset in rng.choice([-2, -1, 1, 2], 2, replace=False):
            inputs.append(data[centre])
            targets.append([data[centre + offset]])
    return np.array(inputs, np.int32), np.array(targets, np.int32)


graph = tf.Graph()
with graph.as_default():
    train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
    train_labels = tf.placeholder(tf.int32, shape=[batch_size, 1])
    with tf.device("/cpu:0"):
        embeddings = tf.Variable(tf.random_uniform([vocabulary_size, embedding_size], -1.0, 1.0, seed=1))
        embed = tf.nn.embedding_lookup(embeddings, train_inputs)
        nce_weights = tf.Variable(
            tf.truncated_normal([vocabulary_size, embedding_size], stddev=1.0 / np.sqrt(embedding_size), seed=2)
        )
        nce_biases = tf.Variable(tf.zeros([vocabulary_size]))
    sampled = tf.nn.log_uniform_candidate_sampler(
        true_classes=tf.cast(train_labels, tf.int64),
        num_true=1,
        num_sampled=num_sampled,
        unique=True,
        range_max=vocabulary_size,
        seed=3,
    )
    loss = tf.reduce_mean(
        tf.nn.nce_loss(
            weights=nce_weights,
            biases=nce_biases,
            labels=train_labels,
            inputs=embed,
            num_sampled=num_sampled,
            num_classes=vocabulary_size,
            sampled_values=sampled,
        )
    )
    optimizer = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keep_dims=True))
    normalized_embeddings = embeddings / norm
    similarity = tf.matmul(normalized_embeddings, normalized_embeddings, transpose_b=True)
    init = tf.global_variables_initializer()

with tf.Session(graph=graph) as session:
    init.run()
    for step in range(num_steps):
        batch_inputs, batch_labels = generate_batch(step * batch_size // 2)
        feed_dict = {train_inputs: batch_inputs, train_labels: batch_labels}
        _, loss_val = session.run([optimizer, loss], feed_dict=feed_dict)
        print("step %d  loss %.9g" % (step, loss_val))
    sim = similarity.eval()
    right = 0
    for members in topics.values():
        for word in members:
            nearest = (-sim[dictionary[word]]).argsort()[1:4]
            right += sum(reverse_dictionary[number] in members for number in nearest)
    print("neighbours of the word's own topic %.4f" % (right / (3 * 18)))
