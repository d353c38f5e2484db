"""One training program on every number of threads, with and without wide vectors, and on NumPy alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from machine_code import SOURCE, in_fresh_python

pytest.importorskip("llvmlite")

# A convolutional network with pooling, dropout, batch norm and Adam; prints what it ends with.
TRAINING = """
import hashlib, json, sys
import numpy as np
import pullback.v1 as tf

def network(seed=0):
    x = tf.placeholder(tf.float32, [None, 14, 14, 3], "x")
    labels = tf.placeholder(tf.int64, [None], "labels")
    rng = np.random.default_rng(seed)

    def weights(name, *shape):
        start = (rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype("f4")
        return tf.get_variable(name, initializer=start)

    h = tf.nn.relu(tf.nn.conv2d(x, weights("w1", 3, 3, 3, 20), 1, "SAME") + weights("b1", 20))
    h, at = tf.nn.max_pool_with_argmax(h, 2, 2, "SAME")
    h = tf.nn.conv2d(h, weights("w2", 5, 5, 20, 33), 2, "VALID")
    mean, variance = tf.nn.moments(h, [0, 1, 2])
    h = tf.nn.batch_normalization(h, mean, variance, weights("offset", 33), None, 1e-3)
    h = tf.tanh(tf.reshape(h, [-1, 2 * 2 * 33]))
    logits = tf.matmul(h, weights("w3", 2 * 2 * 33, 10))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    return x, labels, loss, tf.train.AdamOptimizer(3e-3).minimize(loss)

x, labels, loss, step = network()
rng = np.random.default_rng(1)
images, classes = rng.normal(size=(24, 14, 14, 3)).astype("f4"), rng.integers(0, 10, 24)
session = tf.Session()
session.run(tf.global_variables_initializer())

def train(steps):
    return [float(session.run([loss, step], {x: images, labels: classes})[0]) for _ in range(steps)]

def digest():
    values = session.run(tf.global_variables())
    return hashlib.sha256(b"".join(v.tobytes() for v in values)).hexdigest()
"""
REPORT = """
losses = train(12)
values = [float(np.abs(v).sum()) for v in session.run(tf.trainable_variables())]
print(json.dumps({"digest": digest(), "losses": losses, "values": values, "llvm": "llvmlite.binding" in sys.modules}))
"""


def trained(before: str = "", **environment: str) -> dict:
    return json.loads(in_fresh_python(before + TRAINING + REPORT, **environment))


@pytest.fixture(scope="module")
def usual():
    return trained(PULLBACK_NUM_THREADS="2")


@pytest.mark.parametrize("threads", ["1", "8"])
def test_the_number_of_threads_changes_no_bit(usual, threads):
    assert trained(PULLBACK_NUM_THREADS=threads) == usual


def test_learning_happens(usual):
    assert usual["llvm"] and usual["losses"][-1] < 0.5 * usual["losses"][0]


@pytest.mark.slow
def test_narrower_vectors(usual):
    """Only the order of sums is another."""
    found = trained(PULLBACK_ISA="avx2") if "avx2" in _isas() else pytest.skip("this processor has no AVX2")
    assert np.allclose(found["losses"], usual["losses"], rtol=1e-3, atol=1e-4)
    assert np.allclose(found["values"], usual["values"], rtol=1e-3)
    assert trained(PULLBACK_ISA="avx2", PULLBACK_NUM_THREADS="1")["digest"] == found["digest"]


def _isas() -> list[str]:
    from pullback.native import machine

    features = machine.binding().get_host_cpu_features()
    return ["avx2"] * bool(features.get("avx2") and features.get("fma"))


@pytest.mark.slow
def test_planned_at_once_or_never(usual):
    at_once, never = trained(PULLBACK_PLAN_AFTER="0"), trained(PULLBACK_ENGINE="blas")
    for found in (at_once, never):
        assert np.allclose(found["losses"], usual["losses"], rtol=1e-3, atol=1e-4)


WITHOUT = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "llvmlite":
            raise ImportError("No module named 'llvmlite'")

for name in [n for n in sys.modules if n.partition(".")[0] == "llvmlite"]:
    del sys.modules[name]
sys.meta_path.insert(0, Blocker())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *args: None if name == "llvmlite" else found(name, *args)
"""


@pytest.mark.slow
def test_numpy_alone(usual):
    """Where llvmlite is not installed."""
    found = trained(WITHOUT)
    assert not found["llvm"]
    assert np.allclose(found["losses"], usual["losses"], rtol=1e-3, atol=1e-4)
    said = in_fresh_python(WITHOUT + "import pullback.engines.base as b, pullback; print(sorted(b.ENGINES))")
    assert said.strip() == "['blas', 'reference']"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_forked_in_the_middle_trains_on():
    """Parent and child go on alike, each by itself."""
    code = """
import os, warnings
warnings.simplefilter("ignore")
train(5)
reads, writes = os.pipe()
child = os.fork()
train(5)
if not child:
    os.write(writes, digest().encode())
    os._exit(0)
found = os.read(reads, 64).decode()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), found == digest())
"""
    assert in_fresh_python(TRAINING + code, PULLBACK_NUM_THREADS="4").split() == ["0", "True"]


INTERRUPTED = """
import time
work = tf.placeholder(tf.float32, [None, None])
y = work
for _ in range(30):
    y = tf.matmul(tf.tanh(y), work)
total = tf.reduce_sum(y)
given = np.full((700, 700), 1e-3, "f4")
wanted = [session.run(total, {work: given}) for _ in range(2)][1]
train(3)
state = digest()
print("ready", flush=True)
count = 0
try:
    while True:
        session.run(total, {work: given})
except KeyboardInterrupt:
    print("interrupted", flush=True)
assert session.run(total, {work: given}) == wanted
assert digest() == state
print(train(2)[-1] > 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_in_a_long_step():
    """It arrives when the native call returns; the next step is right."""
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING + INTERRUPTED],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PULLBACK_NUM_THREADS": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said + out) == (0, "ready\ninterrupted\nTrue\n"), errors


MEMORY = """
import numpy as np
import pullback.v1 as tf

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

w = tf.get_variable("w", initializer=np.ones((8, 8), "f4") / 64)
p = tf.placeholder(tf.float32, [4, 8])
loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(p, w)) - 0.5))
step = tf.train.MomentumOptimizer(1e-3, 0.9).minimize(loss)
x = np.random.default_rng(0).normal(size=(4, 8)).astype("f4")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for i in range({warm}):
        session.run([loss, step], {{p: x}})
    before = resident()
    for i in range({steps}):
        session.run([loss, step], {{p: x}})
    print(resident() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
@pytest.mark.parametrize("steps", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_memory_stays_flat(steps):
    grown = int(in_fresh_python(MEMORY.format(warm=2_000, steps=steps), timeout=600))
    assert grown < 1 << 20, f"{grown} bytes more after {steps} steps"


@pytest.mark.slow
def test_programs_come_and_go():
    """New functions and graphs, each planned, used and dropped: what they took is free again."""
    code = """
        import gc
        import numpy as np
        import pullback as tf
        from pullback.core.config import config
        config.plan_after = 0

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        x = tf.constant(np.ones((64, 1000), "f4"))
        sizes = []
        for i in range(240):
            f = tf.function(lambda x: tf.reduce_sum(tf.exp(x) * x, 0))
            f(x), f(x)
            if i % 80 == 79:
                gc.collect()
                sizes.append(resident())
        print(sizes[-1] - sizes[0])
    """
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("no /proc")
    assert int(in_fresh_python(textwrap.dedent(code))) < 4 << 20
