"""Summaries: what TensorBoard shows. TensorFlow 1's are tensors of serialised messages, TensorFlow 2's are written."""
