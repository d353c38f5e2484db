"""`keras.applications`: networks of images by name, with the layers' names of Keras, so its weights fit."""
