"""TensorFlow's protocol-buffer messages: `messages.GraphDef`, `messages.Event`, ..., made on first use.

    event = messages.Event(wall_time=time.time(), step=3)
    event.summary.value.add(tag="loss", simple_value=0.5)
    event.SerializeToString()

The `.proto` files here say field names and numbers; the `protobuf` package does the rest and is loaded with the first
class. Enums by their names too: `messages.DataType.Value("DT_FLOAT")`. Readers of files from elsewhere parse with
`parsed`, whose error says what was wrong with which file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pullback.core.errors import DataLossError
from pullback.core.names import public_value

_BOTH = ("BytesList", "ClusterDef", "Example", "Feature", "FeatureList", "FeatureLists", "Features", "FloatList")
for _name in (*_BOTH, "Int64List", "JobDef", "SequenceExample", "ServerDef"):
    public_value(_name, f"train.{_name}")
for _name in ("AttrValue", "ConfigProto", "Event", "GPUOptions", "GraphDef", "GraphOptions", "HistogramProto",
              "LogMessage", "MetaGraphDef", "NameAttrList", "NodeDef", "OptimizerOptions", "RunMetadata", "RunOptions",
              "SessionLog", "Summary", "SummaryMetadata", "TensorInfo"):  # fmt: skip
    public_value(_name, v1=_name)
public_value("SaverDef", v1="train.SaverDef")
for _name in ("ProjectorConfig", "EmbeddingInfo", "SpriteMetadata"):
    public_value(_name, v1=f"contrib.tensorboard.plugins.projector.{_name}")
for _name in ("Event", "SessionLog", "Summary", "SummaryDescription", "TaggedRunMetadata"):
    public_value(_name, v1=f"summary.{_name}")


def parsed(message: Any, data: bytes, where: str) -> Any:
    """The message (an empty one of the right class), filled from its serialised form.

    Raises:
      DataLossError: the bytes are no such message; names `where` they come from.
    """
    from google.protobuf.message import DecodeError

    try:
        message.ParseFromString(data)
    except DecodeError as error:
        kind = type(message).__name__
        raise DataLossError(
            f"{where}: its {len(data)} bytes are no {kind} message ({error}); the file is damaged or of another kind"
        ).locate() from None
    return message


if not TYPE_CHECKING:

    def __getattr__(name):
        """The class or enum of this name, made once."""
        if name.startswith("_") or not name[0].isupper():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pullback.io.messages import schema

        try:
            found = schema.message_class(name)
            found.__module__ = __name__
        except KeyError:
            try:
                found = schema.enum_of(name)
            except KeyError:
                raise AttributeError(f"module {__name__!r} has no message or enum {name!r}") from None
        globals()[name] = found
        return found

else:

    def __getattr__(name: str) -> Any: ...
