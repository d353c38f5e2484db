"""`tf.linalg.LinearOperator*`: matrices by their structure, which multiply and solve without being written out."""
