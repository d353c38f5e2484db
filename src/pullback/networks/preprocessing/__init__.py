"""keras.preprocessing: pictures turned, shifted and normalised as they are read, batch by batch."""
