"""Saved models: graphs, signatures, variables and files in one folder, which programs in any language load.

    saved_model.pb      graphs by tags, signatures; objects and their functions (TensorFlow 2)
    variables/          a tensor bundle
    assets/             files that the graphs read

`builder` and `loader` are TensorFlow 1's two sides, `saving` and `loading` TensorFlow 2's. Also the public namespace
`saved_model`.
"""

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "saved_model")
