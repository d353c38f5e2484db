"""Neural-network ops: convolution, pooling, activations, biases, softmax and losses."""
