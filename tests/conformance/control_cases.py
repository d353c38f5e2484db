"""Functions of branches, loops and jumps on tensors: {name: (function, pairs of arguments and the value that Python's
meaning gives them)}. See control_runs.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Cases = dict[str, tuple[Callable[..., Any], tuple[tuple[tuple[Any, ...], Any], ...]]]


def collector() -> tuple[Cases, Callable[..., Any]]:
    found: Cases = {}

    def case(*pairs: Any) -> Callable[..., Any]:
        def add(f: Callable[..., Any]) -> Callable[..., Any]:
            found[f.__name__] = f, pairs
            return f

        return add

    return found, case


def branches(tf: Any) -> Cases:
    found, case = collector()

    @case(((3,), 3), ((-3,), 3))
    def absolute(x):
        if x > 0:
            y = x
        else:
            y = -x
        return y

    @case(((3,), 4), ((-3,), -3))
    def without_else(x):
        if x > 0:
            x = x + 1
        return x

    @case(((5,), 1), ((0,), 0), ((-5,), -1))
    def elif_chain(x):
        if x > 0:
            s = 1
        elif x < 0:
            s = -1
        else:
            s = 0
        return s

    @case(((5,), 25), ((1,), 2), ((-1,), -2))
    def nested(x):
        if x > 0:
            if x > 3:
                y = x * x
            else:
                y = x * 2
        else:
            y = x * 2
        return y

    @case(((2,), [4, 6]), ((-2,), [6, 4]))
    def two_names(x):
        a, b = 4, 6
        if x < 0:
            a, b = b, a
        return a, b

    @case(((2,), 10), ((-2,), -1))
    def temporary_in_a_branch(x):
        if x > 0:
            t = x + 3
            y = t * 2
        else:
            y = -1
        return y

    @case(((2,), {"a": 2, "b": 3}), ((-2,), {"a": 0, "b": 1}))
    def dictionary(x):
        if x > 0:
            d = {"a": x, "b": x + 1}
        else:
            d = {"a": 0, "b": 1}
        return d

    @case(((2.5,), 2.5), ((-1.0,), 0.0))
    def conditional_expression(x):
        return x if x > 0.0 else 0.0

    @case(((4,), 8), ((-4,), 4))
    def nested_conditional_expressions(x):
        return (x * 2 if x > 3 else x) if x > 0 else -x

    @case(((4,), 5), ((-4,), 7))
    def python_condition_inside(x):
        flag = True
        if x > 0:
            if flag:
                y = 5
            else:
                y = 6
        else:
            y = 7
        return y

    @case(((4,), 1), ((-4,), 0))
    def words(x):
        if x > 0:
            w = "yes"
        else:
            w = "no"
        return tf.cast(tf.equal(w, "yes"), tf.int32)

    return found


def loops(tf: Any) -> Cases:
    found, case = collector()

    @case(((10,), 55), ((0,), 0))
    def fibonacci(n):
        a, b = 0, 1
        for _ in tf.range(n):
            a, b = b, a + b
        return a

    @case(((27,), 111), ((1,), 0))
    def collatz(n):
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    @case(((48, 36), 12), ((7, 5), 1))
    def greatest_divisor(a, b):
        while b != 0:
            a, b = b, a % b
        return a

    @case((([1, 2, 3],), 6), (([5],), 5))
    def sum_of_entries(x):
        s = 0
        for v in x:
            s += v
        return s

    @case((([[1.0, 2.0], [3.0, 4.0]],), [4.0, 6.0]))
    def sum_of_rows(x):
        s = tf.zeros([2])
        for row in x:
            s += row
        return s

    @case(((4,), [0, 1, 4, 9]))
    def array(n):
        a = tf.TensorArray(tf.int32, 0, dynamic_size=True)
        for i in tf.range(n):
            a = a.write(i, i * i)
        return a.stack()

    @case(((3,), 9))
    def nested_loops(n):
        s = 0
        for i in tf.range(n):
            for _ in tf.range(i + 1):
                s += 1
            j = 0
            while j < i:
                s += 1
                j += 1
        return s

    @case(((2, 11, 3), 2 + 5 + 8), ((9, 0, -4), 9 + 5 + 1))
    def range_of_tensors(start, limit, step):
        s = 0
        for i in range(start, limit, step):
            s += i
        return s

    @case(((4,), 6))
    def python_range(n):
        s = 0
        for i in range(4):
            s += i * n
        return s // n

    @case(((4,), 3))
    def value_after_the_loop(n):
        i = -1
        for i in tf.range(n):  # noqa: B007
            pass
        return i

    @case(((4,), 6))
    def first_set_in_the_loop(n):
        for i in tf.range(n):
            y = i * 2
        return y

    @case(((2.0,), 1.4142135))
    def newton(x):
        y = x
        while tf.abs(y * y - x) > 1e-6:
            y = 0.5 * (y + x / y)
        return y

    @case((([3],), [3] * 8))
    def growing(x):
        for _ in tf.range(3):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(x, tf.TensorShape([None]))])
            x = tf.concat([x, x], 0)
        return x

    @case(((30,), 28), ((1,), 0))
    def at_most(x):
        while x > 0:
            tf.autograph.experimental.set_loop_options(maximum_iterations=2)
            x -= 1
        return x

    @case(((5,), 10))
    def dataset(n):
        s = tf.constant(0, tf.int64)
        for x in tf.data.Dataset.range(tf.cast(n, tf.int64)):
            s += x
        return s

    @case(((7,), 3), ((2,), 1))
    def dataset_until(n):
        s = tf.constant(0, tf.int64)
        for x in tf.data.Dataset.range(tf.cast(n, tf.int64)):
            if x == 3:
                break
            s += x
        return s

    @case(((3,), [4, 2]))
    def dictionary_in_a_loop(n):
        d = {"a": 1, "b": 2}
        while n > 0:
            d = {"a": d["a"] + 1, "b": d["b"]}
            n -= 1
        return d["a"], d["b"]

    @case((([True, False, True],), 2))
    def count_true(x):
        n = 0
        for v in x:
            if v:
                n += 1
        return n

    @case(((3,), 2))
    def none_before_the_loop(n):
        last = None
        for i in tf.range(n):
            last = i
        return last

    return found


def jumps(tf: Any) -> Cases:
    found, case = collector()

    @case(((3,), 9), ((-3,), 3))
    def early_return(x):
        if x > 0:
            return x * x
        return -x

    @case(((9,), 2), ((3,), 1), ((-3,), 0))
    def several_returns(x):
        if x > 5:
            return 2
        if x > 0:
            return 1
        return 0

    @case(((12,), 15), ((3,), 5))
    def break_in_while(n):
        s = 0
        i = 0
        while i < n:
            if i > 5:
                break
            s += i
            i += 1
        return s + (2 if n < 5 else 0)

    @case(((6,), 9))
    def continue_in_for(n):
        s = 0
        for i in tf.range(n):
            if i % 2 == 0:
                continue
            s += i
        return s

    @case(((10,), 4), ((2,), 1))
    def break_and_continue(n):
        s = 0
        for i in tf.range(n):
            if i % 2 == 0:
                continue
            if i > 4:
                break
            s += i
        return s

    @case((([3, 1, 4, 1, 5], 4), 2), (([3, 1], 9), 2))
    def search(x, wanted):
        at = 0
        while at < tf.size(x) and x[at] != wanted:
            at += 1
        return at

    @case(((4,), 6))
    def break_of_the_inner_loop(n):
        s = 0
        for i in tf.range(n):
            for j in tf.range(n):
                if j >= i:
                    break
                s += 1
        return s

    @case(((3,), 1), ((8,), 2))
    def return_in_both(x):
        if x < 5:
            y = x - 2
            return y
        else:
            return 2

    return found
