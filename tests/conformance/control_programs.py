"""Functions of expressions, calls and objects with control flow on tensors, laid out as in control_cases.py."""

from __future__ import annotations

from typing import Any

from conformance.control_cases import Cases, collector


def values(tf: Any) -> Cases:
    found, case = collector()

    @case(((True, False), [False, True, False]), ((True, True), [True, True, False]))
    def logic(a, b):
        return a and b, a or b, not a

    @case(((0, 5), False), ((2, 4), True))
    def guarded_division(a, b):
        return a != 0 and b // a == 2

    @case(((7,), [8, 3.5]))
    def numbers(x):
        return int(x) + 1, float(x) / 2.0

    @case((([1, 2, 3],), 3))
    def length(x):
        return len(x)

    @case((([3, 1, 2],), [1, 2, 3]))
    def in_order(x):
        return sorted(x)

    @case(((2,), True))
    def identity_with_none(x):
        return x is not None and not x is None  # noqa: E714

    @case(((5,), [True, False]))
    def equality(x):
        return x == 5, x != 5

    @case(((5,), 15))
    def comprehension(x):
        return sum([x * i for i in range(3)])

    @case(((3,), [0, 3, 6]))
    def python_list(n):
        made = []
        for i in range(3):
            made.append(n * i)  # noqa: PERF401
        return tf.stack(made)

    @case(((3,), 3), ((-3,), 0))
    def not_in_a_condition(x):
        y = 0
        if not x < 0 and not x == 100:  # noqa: SIM201
            y = x
        return y

    return found


def calls(tf: Any) -> Cases:
    found, case = collector()

    def positive(x):
        if x > 0:
            return x
        return 0

    def twice(f, x):
        return f(f(x))

    def with_default(x, by=2, *, offset=1):
        if x > 0:
            x = x * by
        return x + offset

    def decorated(f):
        def inside(*args):
            if args[0] > 100:
                y = tf.constant(100)
            else:
                y = f(*args)
            return y

        return inside

    @decorated
    def incremented(x):
        if x > 50:
            x = x + 1
        return x + 1

    def factorial(n, depth=5):
        return 1 if depth == 0 else (n * factorial(n - 1, depth - 1) if n > 1 else tf.ones_like(n))

    @case(((3,), 3), ((-3,), 0))
    def other_function(x):
        return positive(x)

    @case(((3,), 3), ((-3,), 0))
    def function_as_argument(x):
        return twice(positive, x)

    @case(((3,), [7, 16]), ((-3,), [-2, -2]))
    def defaults(x):
        return with_default(x), with_default(x, by=5)

    @case(((300,), 100), ((60,), 62), ((5,), 6))
    def decorator(x):
        return incremented(x)

    @case(((4,), 24), ((1,), 1))
    def recursion(n):
        return factorial(n)

    @case(((5,), 10), ((-5,), 5))
    def inner_function(x):
        def doubled(y):
            if y > 0:
                return y * 2
            return -y

        return doubled(x)

    @case(((5,), 10), ((-5,), 5))
    def inner_lambda(x):
        g = lambda y: y * 2 if y > 0 else -y  # noqa: E731
        return g(x)

    @case(((5,), 7), ((-5,), 0))
    def closure_with_nonlocal(x):
        total = 0

        def add(n):
            nonlocal total
            total = total + n

        if x > 0:
            add(x)
            add(2)
        return total

    @case((([1, -2, 3],), [1, 0, 3]))
    def mapped(x):
        return tf.map_fn(positive, x)

    @case((([1, -2, 3],), [1, 1, 4]))
    def scanned(x):
        return tf.scan(lambda a, v: a + (v if v > 0 else 0), x)

    @case((([1, -2, 3],), [1, 0, 3]))
    def dataset_map(x):
        made = tf.TensorArray(tf.int32, 3)
        i = 0
        for v in tf.data.Dataset.from_tensor_slices(x).map(positive):
            made = made.write(i, v)
            i += 1  # noqa: SIM113
        return made.stack()

    return found


def objects(tf: Any) -> Cases:
    found, case = collector()

    class Base:
        def scaled(self, x):
            return x * 2

    class Counter(Base):
        def __init__(self):
            self.total = 0
            self.__hidden = 3

        def add(self, x):
            if x > 0:
                self.total = self.total + x
            return self.total

        def scaled(self, x):
            if x > self.__hidden:
                y = super().scaled(x)
            else:
                y = x
            return y

        def __call__(self, x):
            return self.scaled(x) if x > 0 else x

    @case(((3,), 6))
    def attribute_in_a_loop(n):
        c = Counter()
        for i in tf.range(n):
            c.total = c.total + i + 1
        return c.total

    @case(((3,), 3), ((-3,), 0))
    def attribute_in_a_branch(x):
        return Counter().add(x)

    @case(((5,), 10), ((2,), 2))
    def method_of_the_base(x):
        return Counter().scaled(x)

    @case(((5,), 10), ((-2,), -2))
    def callable_object(x):
        c = Counter()
        return c(x)

    @case(((4,), 6))
    def item_in_a_loop(n):
        d = {"a": 0}
        for i in tf.range(n):
            d["a"] = d["a"] + i
        return d["a"]

    variable = tf.Variable(0)

    @case(((3,), 3), ((-3,), 7))
    def assigned_variable(x):
        variable.assign(0)
        if x > 0:
            variable.assign_add(x)
        else:
            variable.assign(7)
        return variable.read_value()

    @case(((3,), 12))
    def variable_in_a_condition(x):
        variable.assign(x)
        while variable < 10:
            variable.assign_add(3)
        return variable.read_value()

    return found
