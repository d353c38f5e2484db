"""Protocol-buffer messages: TensorFlow's names, of a pool of their own, loaded when they are first used."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.core.errors import DataLossError
from pullback.io import messages
from pullback.io.messages import schema


def test_importing_loads_no_protocol_buffers():
    code = "import sys, pullback.v1 as tf; tf.constant; tf.Session; print('google.protobuf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_public_names():
    assert tf1.GraphDef is messages.GraphDef and tf1.summary.Summary is tf1.Summary
    assert tf.train.Example is tf1.train.Example is messages.Example
    assert tf1.OptimizerOptions.L0 == -1 or tf1.OptimizerOptions.L1 == 0
    assert tf1.RunOptions.FULL_TRACE == 3


def test_bytes_are_the_wire_format():
    event = messages.Event(wall_time=1.0, step=3)
    event.summary.value.add(tag="loss", simple_value=0.5)
    assert event.SerializeToString() == b"\t\0\0\0\0\0\0\xf0?\x10\x03*\r\n\x0b\n\x04loss\x15\0\0\0?"


def test_maps_oneofs_and_enums():
    config = tf1.ConfigProto(allow_soft_placement=True, device_count={"GPU": 0})
    config.gpu_options.allow_growth = True
    assert tf1.ConfigProto.FromString(config.SerializeToString()) == config
    feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2]))
    assert feature.WhichOneof("kind") == "int64_list"
    assert messages.DataType.Value("DT_FLOAT") == 1 and messages.DataType.Name(7) == "DT_STRING"


def test_messages_pickle():
    example = tf.train.Example()
    example.features.feature["a"].bytes_list.value.append(b"x")
    assert pickle.loads(pickle.dumps(example)) == example


def test_the_pool_is_private():
    from google.protobuf import descriptor_pool

    assert schema.pool() is not descriptor_pool.Default()
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("tensorflow.GraphDef")


def test_what_is_no_message():
    with pytest.raises(AttributeError, match="no message or enum 'Grap'"):
        _ = messages.Grap  # type: ignore[attr-defined]
    with pytest.raises(DataLossError, match=r"here\.pb: its 3 bytes are no GraphDef"):
        messages.parsed(messages.GraphDef(), b"\xff\xff\xff", "here.pb")
