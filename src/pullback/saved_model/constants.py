"""Names that saved models agree on: files, tags, signatures."""

from __future__ import annotations

from pullback.core.names import public_value

ASSETS_DIRECTORY, VARIABLES_DIRECTORY, DEBUG_DIRECTORY = "assets", "variables", "debug"
VARIABLES_FILENAME = "variables"
SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT = "saved_model.pb", "saved_model.pbtxt"
DEBUG_INFO_FILENAME_PB = "saved_model_debug_info.pb"
SAVED_MODEL_SCHEMA_VERSION = 1
ASSETS_KEY, MAIN_OP_KEY, LEGACY_INIT_OP_KEY = "saved_model_assets", "saved_model_main_op", "legacy_init_op"
# The signature by which newer files name what runs after the variables are restored.
INIT_OP_SIGNATURE_KEY = "__saved_model_init_op"
FINGERPRINT_FILENAME = "fingerprint.pb"

SERVING, TRAINING, GPU, TPU = "serve", "train", "gpu", "tpu"

DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default"
PREDICT_INPUTS = CLASSIFY_INPUTS = REGRESS_INPUTS = "inputs"
PREDICT_OUTPUTS = REGRESS_OUTPUTS = "outputs"
PREDICT_METHOD_NAME, CLASSIFY_METHOD_NAME = "tensorflow/serving/predict", "tensorflow/serving/classify"
REGRESS_METHOD_NAME = "tensorflow/serving/regress"
CLASSIFY_OUTPUT_CLASSES, CLASSIFY_OUTPUT_SCORES = "classes", "scores"

for _place, _names in {
    "constants": (
        "ASSETS_DIRECTORY ASSETS_KEY DEBUG_DIRECTORY DEBUG_INFO_FILENAME_PB LEGACY_INIT_OP_KEY MAIN_OP_KEY "
        "SAVED_MODEL_FILENAME_PB SAVED_MODEL_FILENAME_PBTXT SAVED_MODEL_SCHEMA_VERSION VARIABLES_DIRECTORY "
        "VARIABLES_FILENAME"
    ),
    "tag_constants": "GPU SERVING TPU TRAINING",
    "signature_constants": (
        "CLASSIFY_INPUTS CLASSIFY_METHOD_NAME CLASSIFY_OUTPUT_CLASSES CLASSIFY_OUTPUT_SCORES "
        "DEFAULT_SERVING_SIGNATURE_DEF_KEY PREDICT_INPUTS PREDICT_METHOD_NAME PREDICT_OUTPUTS REGRESS_INPUTS "
        "REGRESS_METHOD_NAME REGRESS_OUTPUTS"
    ),
}.items():
    for _name in _names.split():
        _only_v1 = _name in ("LEGACY_INIT_OP_KEY", "MAIN_OP_KEY")
        _earlier = (f"saved_model.{_name}", f"saved_model.{_place}.{_name}")
        public_value(_name, *(() if _only_v1 else (f"saved_model.{_name}",)), v1=_earlier)
