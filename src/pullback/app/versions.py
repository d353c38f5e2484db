"""The version that a program which asks is told: that of the TensorFlow whose names it was written for.

Programs compare `tf.__version__` to choose between names. In TensorFlow 1's namespace it is that of 1.15, whose names
and meanings `pullback.v1` has; in TensorFlow 2's that of 2.15, whose names `pullback` has. `pullback.__version__` is
our own. `tf.keras.__version__` is that of the Keras in it.
"""

from __future__ import annotations

import platform

from pullback.core.names import public_value

VERSION_1 = "1.15.0"
VERSION_2 = "2.15.0"
KERAS_VERSION_1, KERAS_VERSION_2 = "2.2.4-tf", "2.15.0"
GIT_VERSION_1, GIT_VERSION_2 = f"v{VERSION_1}-pullback", f"v{VERSION_2}-pullback"
COMPILER_VERSION = platform.python_compiler()
GRAPH_DEF_VERSION_1, GRAPH_DEF_VERSION_2 = 134, 1645
GRAPH_DEF_VERSION_MIN_CONSUMER = GRAPH_DEF_VERSION_MIN_PRODUCER = 0
public_value("VERSION_2", "version.VERSION", v1=None)
public_value("VERSION_1", v1=("version.VERSION", "VERSION"))
public_value("KERAS_VERSION_2", "keras.__version__", v1=None)
public_value("KERAS_VERSION_1", v1="keras.__version__")
public_value("GIT_VERSION_2", "version.GIT_VERSION", v1=None)
public_value("GIT_VERSION_1", v1=("version.GIT_VERSION", "GIT_VERSION"))
public_value("COMPILER_VERSION", "version.COMPILER_VERSION", v1=("version.COMPILER_VERSION", "COMPILER_VERSION"))
public_value("GRAPH_DEF_VERSION_2", "version.GRAPH_DEF_VERSION", v1=None)
public_value("GRAPH_DEF_VERSION_1", v1=("version.GRAPH_DEF_VERSION", "GRAPH_DEF_VERSION"))
for _name in ("GRAPH_DEF_VERSION_MIN_CONSUMER", "GRAPH_DEF_VERSION_MIN_PRODUCER"):
    public_value(_name, f"version.{_name}", v1=(f"version.{_name}", _name))
