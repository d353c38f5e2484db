"""TensorArrays, scans, folds and vectorized maps: values against loops by hand, gradients against unrolled ones."""

import warnings

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

rng = np.random.default_rng(0)
X, W = rng.normal(size=(4, 2, 3)), rng.normal(size=(3, 3))


def cell(x, h, c, w):
    z = tf.tanh(tf.matmul(x, w) + h * c)
    c = c * tf.sigmoid(z) + z
    return tf.tanh(c) * z, c


def unrolled(x, w):
    h = c = tf.fill([2, 3], tf.constant(0.3, tf.float64))
    rows = []
    for i in range(4):
        h, c = cell(x[i], h, c, w)
        rows.append(h)
    return tf.reduce_sum(tf.stack(rows) ** 2 * x)


def looped(x, w):
    entries = tf.TensorArray(tf.float64, 4).unstack(x)
    start = tf.fill([2, 3], tf.constant(0.3, tf.float64))

    def step(i, state, out):
        h, c = cell(entries.read(i), *state, w)
        return i + 1, (h, c), {"rows": out["rows"].write(i, h)}

    first = (0, (start, start), {"rows": tf.TensorArray(tf.float64, 4)})
    out = tf.while_loop(lambda i, *_: i < 4, step, first)[2]
    return tf.reduce_sum(out["rows"].stack() ** 2 * x)


def scanned(x, w):
    start = tf.fill([2, 3], tf.constant(0.3, tf.float64))
    hs, _ = tf.scan(lambda state, e: cell(e, *state, w), x, (start, start))
    return tf.reduce_sum(hs**2 * x)


def to_second_order(f, wrap=lambda f: f):
    """y, its gradients, and the gradients of their squares."""

    def derivatives(x, w):
        with tf.GradientTape() as outer:
            outer.watch([x, w])
            with tf.GradientTape() as inner:
                inner.watch([x, w])
                y = wrap(f)(x, w)
            first = inner.gradient(y, [x, w])
            size = sum(tf.reduce_sum(g**2) for g in first)
        return [y, *first, *outer.gradient(size, [x, w])]

    return derivatives


@pytest.mark.parametrize("f", [looped, scanned])
def test_a_recurrent_network_in_a_loop_has_the_derivatives_of_the_unrolled_one(f):
    x, w = tf.constant(X), tf.constant(W)
    wanted = to_second_order(unrolled)(x, w)
    ways = [to_second_order(f), tf.function(to_second_order(f)), to_second_order(f, tf.function)]
    for way in ways:
        for ours, theirs in zip(way(x, w), wanted, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_a_recurrent_network_in_a_session():
    with v1.Graph().as_default(), v1.Session() as session:
        x, w = v1.placeholder(tf.float64, [None, 2, 3]), v1.placeholder(tf.float64, [3, 3])
        n = v1.shape(x)[0]
        entries, out = v1.TensorArray(tf.float64, n).unstack(x), v1.TensorArray(tf.float64, 0, dynamic_size=True)
        start = v1.fill([2, 3], v1.constant(0.3, tf.float64))

        def step(i, h, c, out):
            h, c = cell(entries.read(i), h, c, w)
            return i + 1, h, c, out.write(i, h)

        out = v1.while_loop(lambda i, *_: i < n, step, (0, start, start, out))[3]
        y = v1.reduce_sum(out.stack() ** 2 * x)
        first = v1.gradients(y, [x, w])
        second = v1.gradients(sum(v1.reduce_sum(g**2) for g in first), [x, w])
        found = session.run([y, *first, *second], {x: X, w: W})
    for ours, theirs in zip(found, to_second_order(unrolled)(tf.constant(X), tf.constant(W)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def everything(x):
    """Every method of an array, in one number that hangs on x [4, 2]."""
    array = tf.TensorArray(tf.float64, 4, clear_after_read=False).unstack(x)
    a = array.gather([3, 0, 3])
    b = array.scatter([2, 1], x[:2] * x[2:]).write(0, x[1] ** 3).stack()
    c = tf.TensorArray(tf.float64, 3, infer_shape=False).split(x**2, [1, 0, 3])
    d = c.write(1, x[:1] * x[3:]).concat()
    e = array.identity().read(2) * array.read(2)
    size = tf.cast(array.size(), tf.float64)
    return size * tf.reduce_sum(a**2) + tf.reduce_sum(b**3) + tf.reduce_sum(d**2) + tf.reduce_sum(e)


def by_hand(x):
    b = np.stack([x[1] ** 3, x[1] * x[3], x[0] * x[2], x[3]])
    d = np.concatenate([x[:1] ** 2, x[:1] * x[3:], x[1:] ** 2])
    return 4 * (2 * x[3] ** 2 + x[0] ** 2).sum() + (b**3).sum() + (d**2).sum() + (x[2] ** 2).sum()


@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
def test_every_method_of_an_array_and_its_first_two_derivatives(mode):
    x, v = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))

    @mode
    def derivatives(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = everything(x)
            dx = inner.gradient(y, x)
            along = tf.reduce_sum(dx * v)
        return y, dx, outer.gradient(along, x)

    y, dx, dxx = derivatives(tf.constant(x))
    np.testing.assert_allclose(y, by_hand(x), rtol=1e-12)
    step = 1e-4
    more, less = x + step * v, x - step * v
    np.testing.assert_allclose(np.sum(dx.numpy() * v), (by_hand(more) - by_hand(less)) / (2 * step), rtol=1e-6)
    slopes = (derivatives(tf.constant(more))[1] - derivatives(tf.constant(less))[1]) / (2 * step)
    np.testing.assert_allclose(dxx, slopes, rtol=1e-5, atol=1e-5)


def test_an_array_is_a_value():
    empty = tf.TensorArray(tf.float32, 2)
    one = empty.write(0, [1.0, 2.0])
    two = one.write(0, [3.0, 4.0])
    assert [one.read(0).numpy().tolist(), two.read(0).numpy().tolist()] == [[1.0, 2.0], [3.0, 4.0]]
    assert one.stack().numpy().tolist() == [[1.0, 2.0], [0.0, 0.0]]  # what was never written is zero
    assert (empty.element_shape.rank, one.element_shape.as_list(), int(one.size())) == (None, [2], 2)
    grown = tf.TensorArray(tf.int32, 0, dynamic_size=True).write(2, 5)
    assert grown.stack().numpy().tolist() == [0, 0, 5]
    assert one.close() is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: a.write(2, [1.0]), "index 2 is not in the list, which has 2 entries"),
        (lambda a: a.read(-1), "index -1 is not in the list"),
        (lambda a: a.read(0), "never written"),
        (lambda a: a.write(0, [1.0]).write(1, [1.0, 2.0]), r"\[2\] does not fit the array's \[1\]"),
        (lambda a: a.scatter([0, 0], [1.0, 2.0]), "different indices"),
        (lambda a: a.split([1.0, 2.0], [1, 2]), "add up to 2"),
        (lambda a: a.grad("source"), "GradientTape"),
    ],
)
def test_arrays_say_what_does_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call(tf.TensorArray(tf.float32, 2))


def test_arrays_that_cannot_be_made():
    with pytest.raises(ValueError, match="size or flow"):
        tf.TensorArray(tf.float32)
    with pytest.raises(ValueError, match="handle"):
        tf.TensorArray(tf.float32, 1, handle=tf.constant(0))
    with pytest.raises(TypeError, match="int32"):
        tf.TensorArray(tf.float32, 1).write(0, tf.constant(1))


def test_arrays_go_through_functions_and_branches():
    @tf.function
    def twice(array, first):
        return tf.cond(first, lambda: array.write(0, array.read(0) * 2.0), lambda: array.write(1, [7.0]))

    array = tf.TensorArray(tf.float32, 2).unstack([[1.0], [2.0]])
    made = [twice(array, tf.constant(p)).stack().numpy().ravel().tolist() for p in (True, False)]
    assert made == [[2.0, 2.0], [1.0, 7.0]]
    twice(tf.TensorArray(tf.float32, 3).unstack([[5.0], [6.0], [7.0]]), tf.constant(True))
    assert twice.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
def test_an_array_alone_is_a_loop_variable(mode):
    squares = mode(
        lambda: tf.while_loop(
            lambda a: a.size() < 4,
            lambda a: [a.write(a.size(), a.size() ** 2)],
            [tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=[])],
        )[0].stack()
    )
    assert squares().numpy().tolist() == [0, 1, 4, 9]


@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_scan_is_its_loop(mode, reverse, started):
    x, k = rng.normal(size=(5, 2)), 0.7
    start = np.array([2.0, 3.0]) if started else None
    y = mode(lambda x: tf.scan(lambda a, e: a * k + e * e, x, start, reverse=reverse))(tf.constant(x))
    order = range(4, -1, -1) if reverse else range(5)
    rows, carried = {}, start
    for i in order:
        carried = x[i] if carried is None else carried * k + x[i] ** 2
        rows[i] = carried
    np.testing.assert_allclose(y, np.stack([rows[i] for i in range(5)]), rtol=1e-12)
    fold = tf.foldr if reverse else tf.foldl
    folded = mode(lambda x: fold(lambda a, e: a * k + e * e, x, start))(tf.constant(x))
    np.testing.assert_allclose(folded, carried, rtol=1e-12)


def test_scan_over_nests_of_other_shapes_than_the_result():
    @tf.function
    def fibonacci(n):
        return tf.scan(lambda a, _: (a[1], a[0] + a[1]), tf.zeros([n]), (0, 1))

    assert [t.numpy().tolist() for t in fibonacci(6)] == [[1, 1, 2, 3, 5, 8], [1, 2, 3, 5, 8, 13]]
    made = tf.foldl(lambda a, e: a + e["x"] * e["y"], {"x": tf.constant([1, 2]), "y": tf.constant([3, 4])}, 0)
    assert int(made) == 11


def test_scan_and_fold_have_gradients_and_can_be_constants():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.scan(lambda a, e: a * e, x)
        z = tf.foldr(lambda a, e: a * e, x, back_prop=False)
    assert tape.gradient(y, x).numpy().tolist() == [9.0, 4.0, 2.0]
    assert tape.gradient(z, x) is None


def test_scans_say_what_does_not_fit():
    with pytest.raises(ValueError, match="scalar"):
        tf.scan(lambda a, e: a, tf.constant(1.0))
    with pytest.raises(ValueError, match="no entry"):
        tf.foldl(lambda a, e: a, tf.zeros([0]))
    with pytest.raises(ValueError, match="same leading axis"):
        tf.scan(lambda a, e: a, (tf.zeros([2]), tf.zeros([3])), 0.0)
    with pytest.raises(ValueError, match="returns 2 tensors, but 1"):
        tf.scan(lambda a, e: (a, e), tf.zeros([2]), 0.0)
    assert tf.scan(lambda a, e: a + e, tf.zeros([0]), 0.0).shape == [0]


@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
def test_vectorized_map_is_map(mode):
    x = tf.constant(X)
    y = mode(lambda x: tf.vectorized_map(lambda e: (tf.reduce_sum(e, 0) ** 2, tf.constant(2.0)), x))(x)
    np.testing.assert_allclose(y[0], X.sum(1) ** 2, rtol=1e-12)
    assert y[1].numpy().tolist() == [2.0] * 4
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = mode(lambda x: tf.vectorized_map(lambda e: e[0] * e[1], (x, x[:1])))(x)
    dx = 1 * X[:1] + np.concatenate([X.sum(0, keepdims=True), 0 * X[1:]])
    np.testing.assert_allclose(tape.gradient(y, x), dx, rtol=1e-12)


def test_vectorized_map_says_what_runs_entry_by_entry():
    loop = lambda e: tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * e), (0, e))[1]  # noqa: E731
    x = tf.constant([1.0, 2.0])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert tf.vectorized_map(loop, x).numpy().tolist() == [1.0, 8.0]
        tf.vectorized_map(loop, x, warn=False)
    assert ["While run entry by entry" in str(w.message) for w in told] == [True]
    with pytest.raises(ValueError, match="While knows no way"):
        tf.vectorized_map(loop, x, fallback_to_while_loop=False)


def test_exclusive_cases_are_checked_when_they_run():
    branches = [lambda: tf.constant(1), lambda: tf.constant(2)]
    pick = tf.function(lambda a, b: tf.case([(a, branches[0]), (b, branches[1])], lambda: tf.constant(3), True))
    yes, no = tf.constant(True), tf.constant(False)
    assert [int(pick(*p)) for p in ((yes, no), (no, yes), (no, no))] == [1, 2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"exclusive.*test_loops"):
        pick(yes, yes)
    with v1.Graph().as_default(), v1.Session() as session:
        a, b = v1.placeholder(tf.bool, []), v1.placeholder(tf.bool, [])
        y = v1.case([(a, branches[0]), (b, branches[1])], exclusive=True)
        assert session.run(y, {a: True, b: False}) == 1
        with pytest.raises(tf.errors.InvalidArgumentError, match="exclusive"):
            session.run(y, {a: True, b: True})


def test_assertions_stand_in_program_order():
    v = tf.Variable(0)

    @tf.function
    def count(most):
        def step(i):
            v.assign_add(1)
            tf.debugging.Assert(i < most, ["too far:", i])
            v.assign_add(10)
            return i + 1

        return tf.while_loop(lambda i: i < 5, step, [0])

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"too far:\] \[2\]"):
        count(tf.constant(2))
    assert int(v) == 23


@tf.custom_gradient
def cube(x):
    return x * x * x, lambda dy: dy * 3.0 * x * x


def softened(x):
    return tf.tanh(x) * x


@pytest.mark.parametrize(
    ("ours", "plain"),
    [(cube, lambda x: x * x * x), (tf.recompute_grad(softened), softened)],
    ids=["custom", "recompute"],
)
@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
def test_rules_of_ones_own_inside_loops(ours, plain, mode):
    def looped(f):
        return lambda x, w: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, f(a) * w + x), (0, x))[1]

    x, w = tf.constant(0.7, tf.float64), tf.constant(0.5, tf.float64)
    wanted = to_second_order(looped(plain))(x, w)
    np.testing.assert_allclose(mode(to_second_order(looped(ours)))(x, w), wanted, rtol=1e-12)


def test_recompute_grad_runs_twice_and_reaches_variables():
    w, runs = tf.Variable(2.0), []

    @tf.recompute_grad
    def f(x):
        runs.append(1)
        return x * w * w

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert ([float(g) for g in tape.gradient(y, [x, w])], len(runs)) == ([4.0, 12.0], 2)


def test_recompute_grad_in_a_session():
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float64, [None])
        rows = []
        for f in (softened, v1.recompute_grad(softened)):
            dx = v1.gradients(f(x) * x, x)[0]
            rows += [dx, v1.gradients(dx, x)[0]]
        plain, plainer, ours, second = session.run(rows, {x: X[0, 0]})
    np.testing.assert_allclose([ours, second], [plain, plainer], rtol=1e-12)


def test_jacobians_of_loops_over_arrays():
    def products(x):
        entries, out = tf.TensorArray(tf.float64, 3).unstack(x), tf.TensorArray(tf.float64, 3)
        step = lambda i, a, out: (i + 1, a * entries.read(i), out.write(i, a * entries.read(i)))  # noqa: E731
        return tf.while_loop(lambda i, *_: i < 3, step, (0, tf.ones([], tf.float64), out))[2].stack()

    x = tf.constant([2.0, 3.0, 5.0], tf.float64)
    for f in (products, tf.function(products)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert tape.jacobian(y, x).numpy().tolist() == [[1, 0, 0], [3, 2, 0], [15, 10, 6]]
    batched = tf.vectorized_map(products, tf.stack([x, 2.0 * x]), warn=False)
    assert batched.numpy().tolist() == [[2, 6, 30], [4, 24, 240]]
    assert tf.vectorized_map(products, tf.zeros([0, 3], tf.float64), warn=False).shape[0] == 0
