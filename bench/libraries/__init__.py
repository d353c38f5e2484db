"""The works in each library's words: `in_<library>` declares makers with `worker.makes`, and has `version()`.

Pullback and TensorFlow share `tensorflow_words`: the same programs run on both.
"""
