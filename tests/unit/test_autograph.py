"""Conversion itself: which functions are converted, from what source, onto which lines, and how often."""

from __future__ import annotations

import functools
import inspect
import traceback

import numpy as np
import pytest

import pullback as tf
from pullback.autograph import cache


def called(f, *args, **options):
    """What a function gives as tf.function."""
    return tf.function(f, **options)(*map(tf.constant, args)).numpy()


def line_of(f, offset):
    return inspect.getsourcelines(f)[1] + offset


def magnitude(x):
    if x > 0:
        return x
    return -x


class TestSource:
    def test_lambdas_on_one_line_are_told_apart(self):
        fs = [lambda x: x if x > 0 else -x, lambda x: 2 * x if x > 0 else 0 * x]
        assert [called(f, -3) for f in fs] == [3, 0]
        assert [called(f, 3) for f in fs] == [3, 6]

    def test_a_lambda_over_several_lines_is_converted(self):
        f = lambda x: (  # noqa: E731
            x if x > 0 else -x
        )
        assert called(f, -3) == 3

    def test_a_function_without_source_runs_as_it_stands_and_says_so(self):
        names: dict = {}
        exec("def f(x):\n  if x > 0: return x\n  return -x", names)
        with pytest.raises(TypeError, match="no source to convert"):
            called(names["f"], 1)

    def test_source_that_is_not_what_was_compiled_is_not_used(self, tmp_path):
        file = tmp_path / "changed.py"
        file.write_text("def other(a, b):\n    return a if a > 0 else b\n", encoding="utf-8")
        names: dict = {}
        exec(compile("def f(x):\n    return x + 1\n", str(file), "exec"), names)
        assert cache.converted_code(names["f"].__code__) is None
        assert called(names["f"], 1) == 2

    def test_a_decorated_function_is_converted_under_its_decorator(self):
        def doubled(f):
            @functools.wraps(f)
            def inside(x):
                return 2 * f(x)

            return inside

        @doubled
        def f(x):
            if x > 0:
                return x
            return -x

        assert called(f, -3) == 6

    def test_strings_of_several_lines_keep_their_words(self):
        def f(x):
            text = """one
    two
three"""
            return tf.strings.length(text) if x > 0 else 0

        assert called(f, 1) == len("one\n    two\nthree")


class TestLines:
    def test_operations_are_of_the_lines_and_functions_that_the_user_wrote(self):
        def f(x):
            while x < 10.0:
                x = x + 1.0
            return x * 3.0

        graph = tf.function(f).get_concrete_function(tf.constant(1.0)).graph
        (loop,) = [op for op in graph.get_operations() if op.type == "While"]
        (add,) = [op for op in loop.op.body.nodes if op.type.startswith("Add")]
        (product,) = [op for op in graph.get_operations() if op.type == "Mul"]
        assert [op.traceback[-1][1] for op in (loop, add, product)] == [line_of(f, n) for n in (1, 2, 3)]
        assert {op.traceback[-1][2] for op in (loop, add, product)} == {"f"}

    def test_an_error_in_a_branch_names_the_users_line(self):
        def f(x):
            if x > 0:
                y = tf.reshape(x, [3])
            else:
                y = x
            return y

        with pytest.raises(ValueError) as raised:
            called(f, 1)
        assert f"test_autograph.py:{line_of(f, 2)}" in str(raised.value)

    def test_a_traceback_shows_the_users_lines(self):
        def f(x):
            for i in tf.range(x):
                if i > 2:
                    raise KeyError("here")
            return x

        with pytest.raises(KeyError) as raised:
            called(f, 1)
        shown = [(e.name, e.line) for e in traceback.extract_tb(raised.value.__traceback__) if e.filename == __file__]
        assert shown[-1] == ("f", 'raise KeyError("here")')
        assert ("f", "if i > 2:") in shown


class TestCache:
    def test_a_code_object_is_converted_once(self):
        assert cache.converted_code(magnitude.__code__) is cache.converted_code(magnitude.__code__)

    def test_closures_of_one_code_keep_their_own_values(self):
        def scaled(k):
            def f(x):
                return x * k if x > 0 else x

            return f

        assert [called(scaled(k), 2) for k in (3, 5)] == [6, 10]

    def test_a_converted_function_sees_later_values_of_globals_and_cells(self):
        k = 1

        def f(x):
            return x * k if x > 0 else x

        assert called(f, 2) == 2
        k = 7
        assert called(f, 2) == 14

    def test_a_function_without_control_flow_or_calls_is_left_alone(self):
        def f(x):
            return x * 2 + 1

        assert cache.converted(f) is f

    def test_a_converted_function_is_not_converted_again(self):
        made = cache.converted(magnitude)
        assert made is not magnitude
        assert cache.converted(made) is made

    def test_what_is_dropped_is_forgotten(self):
        def counted():
            return len(cache._found)

        names: dict = {}
        exec("def f(x): return g(x)", names)
        before = counted()
        cache.converted(names["f"])
        assert counted() == before + 1
        names.clear()
        assert counted() == before


class TestWhatIsLeftAlone:
    def test_autograph_off_converts_nothing(self):
        with pytest.raises(TypeError, match="autograph is off"):
            called(magnitude, 1, autograph=False)

    def test_do_not_convert_holds_for_what_is_called_too(self):
        @tf.autograph.experimental.do_not_convert
        def outer(x):
            return magnitude(x)

        def f(x):
            return outer(x)

        with pytest.raises(TypeError, match="Python bool"):
            called(f, 1)
        assert tf.autograph.experimental.do_not_convert()(magnitude)(-2) == 2

    def test_generators_and_their_loops_stay_pythons(self):
        def pairs(n):
            for i in range(n):
                if i % 2 == 0:
                    yield i

        def f(x):
            s = x
            for i in pairs(5):
                s += i
            return s

        assert called(f, 1) == 7

    def test_numpy_and_the_standard_library_run_as_they_stand(self):
        def f(x):
            return x * int(np.sum(list(functools.reduce(lambda a, b: [*a, b], [1, 2], []))))

        assert called(f, 2) == 6

    def test_a_comprehension_over_python_values_stays_pythons(self):
        def f(x):
            return tf.add_n([x * i for i in range(4) if i != 2])

        assert called(f, 2) == 8


class TestStatements:
    def test_with_and_try_keep_their_meaning_around_jumps(self):
        left = []

        class Noted:
            def __enter__(self):
                return 5

            def __exit__(self, *_):
                left.append("left")

        def f(x):
            for i in tf.range(10):
                with Noted() as n:
                    if i > 3:
                        break
                    x += n
            try:
                if x > 10:
                    return x
            finally:
                left.append("finally")
            return -x

        assert called(f, 1) == 21
        assert "finally" in left

    def test_loops_of_python_end_by_conditions_on_tensors(self):
        def f(x):
            s = 0
            for i in [1, 2, 3]:
                if x < i:
                    break
                s += i
            while True:
                s += 1
                if s > 10:
                    break
            return s

        assert [called(f, n) for n in (2, 0)] == [11, 11]

    def test_a_loop_without_end_returns_from_within(self):
        def f(x):
            while True:
                x += 3
                if x > 10:
                    return x * 2

        assert called(f, 0) == 24

    def test_else_of_a_loop_runs_unless_it_was_broken_off(self):
        def f(n):
            for i in tf.range(n):
                if i > 2:
                    break
            else:
                n = n + 100
            return n

        assert [called(f, n) for n in (3, 5)] == [103, 5]

    def test_a_condition_that_binds_a_name(self):
        def f(x):
            while (y := x * 2) < 20:
                x = x + y
            return x

        assert called(f, 1) == 27

    def test_comparisons_in_a_chain_ask_each_operand_once(self):
        asked = []

        def noted(v):
            asked.append(v)
            return v

        def f(x):
            return 0 < noted(x) < 5 < 10

        assert called(f, 3)
        assert not called(f, 7)
        assert len(asked) == 2

    def test_match_runs_on_pythons_values_with_conditions_on_tensors_inside(self):
        def f(x, how="double"):
            match how:
                case "double":
                    if x > 0:
                        return x * 2
                case _:
                    pass
            return -x

        assert [called(f, n) for n in (3, -3)] == [6, 3]

    def test_global_names_are_variables_of_branches(self):
        def f(x):
            global SEEN
            SEEN = 0
            if x > 0:
                SEEN = 7
            return SEEN

        assert [called(f, n) for n in (1, -1)] == [7, 0]

    def test_assert_on_a_tensor_is_checked_when_it_runs(self):
        @tf.function
        def f(x):
            assert x > 0, "x must be positive"
            return x

        assert f(tf.constant(1)).numpy() == 1
        with pytest.raises(tf.errors.InvalidArgumentError, match="x must be positive"):
            f(tf.constant(-1))

    def test_a_list_that_grows_in_a_loop_is_refused_with_the_way_out(self):
        def f(n):
            made = []
            for i in tf.range(n):
                made.append(i)  # noqa: PERF402
            return tf.stack(made)

        with pytest.raises(ValueError, match="TensorArray, not a list"):
            called(f, 3)

    def test_a_number_that_became_an_integer_is_named(self):
        def f(n):
            total = 0
            while n > 0:
                total = total + 0.5
                n -= 1
            return total

        with pytest.raises(TypeError, match="'total' entered the loop as a Python number"):
            called(f, 3)

    def test_unpacking_rows_of_known_length(self):
        def f(x):
            s = 0
            for a, b in x:
                s += a * b
            return s

        assert called(f, [[1, 2], [3, 4]]) == 14

    def test_rows_of_a_ragged_tensor(self):
        @tf.function
        def f(x):
            s = 0
            for row in x:
                s += tf.reduce_max(row)
            return s

        assert f(tf.ragged.constant([[1, 2], [7], [3, 5, 4]])).numpy() == 14


class TestPublic:
    def test_to_graph_gives_a_function_for_any_graph(self):
        f = tf.autograph.to_graph(magnitude)
        assert f(-3) == 3
        assert f(tf.constant(-3)).numpy() == 3
        with pytest.raises(ValueError, match="doesn't expose a __code__"):
            tf.autograph.to_graph(len)

    def test_to_graph_in_tensorflow_1(self):
        import pullback.v1 as tf1

        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.int32, [])
            y = tf1.autograph.to_graph(magnitude)(x)
            assert session.run(y, {x: -4}) == 4

    def test_equality_stays_what_it_is_in_tensorflow_1(self):
        import pullback.v1 as tf1

        with pytest.raises(ValueError, match=r"tf\.equal"):
            tf1.autograph.to_graph(
                magnitude, experimental_optional_features=tf1.autograph.experimental.Feature.EQUALITY_OPERATORS
            )

    def test_to_code_shows_what_a_function_becomes(self):
        code = tf.autograph.to_code(magnitude)
        assert "ag__.branch(x > 0, ag__then, ag__else" in code
        compile(code, "shown", "exec")

    def test_print_becomes_print_at_run_time_where_it_is_asked_for(self, capsys):
        def f(x):
            print("x is", x)
            return x

        traced = tf.function(f, experimental_autograph_options=tf.autograph.experimental.Feature.BUILTIN_FUNCTIONS)
        for n in (3, 4):
            traced(tf.constant(n))
        assert capsys.readouterr().out == "x is 3\nx is 4\n"
        called(f, 3)
        assert "Tensor(" in capsys.readouterr().out

    def test_names_of_operations_stand_under_functions_where_it_is_asked_for(self):
        feature = tf.autograph.experimental.Feature.NAME_SCOPES
        f = tf.function(lambda x: magnitude(x), experimental_autograph_options=feature)
        names = [op.name for op in f.get_concrete_function(tf.constant(1)).graph.get_operations()]
        assert "magnitude/Greater" in names

    def test_lists_are_refused(self):
        with pytest.raises(ValueError, match="TensorArray"):
            tf.function(magnitude, experimental_autograph_options=tf.autograph.experimental.Feature.LISTS)

    def test_verbosity_tells_what_is_converted(self, capsys):
        try:
            tf.autograph.set_verbosity(3)
            called(lambda x: x if x > 0 else -x, 1)
        finally:
            tf.autograph.set_verbosity(0)
        assert "ag__.either(x > 0" in capsys.readouterr().err

    def test_trace_prints_while_tracing(self, capsys):
        tf.autograph.trace("a", 1)
        assert capsys.readouterr().out == "a 1\n"


def halvings(n, so_far=0):
    if so_far > 3:
        return so_far
    return halvings(n, so_far + 1) if n > 0 else 0


class Tree:
    def __init__(self, depth):
        self.depth = depth
        self.__leaf = 1

    def leaves(self, x):
        if self.depth == 0:
            y = x if x > self.__leaf else -x
        else:
            y = Tree(self.depth - 1).leaves(x) + Tree(self.depth - 1).leaves(x)
        return y

    @classmethod
    def of_two(cls, x):
        return cls(1).leaves(x) if x > 0 else x

    @staticmethod
    def clipped(x):
        return 5 if x > 5 else x


class TestNames:
    def test_a_function_of_the_module_calls_itself(self):
        assert [called(halvings, n) for n in (1, -1)] == [4, 0]

    def test_a_method_names_its_class_and_its_private_names(self):
        assert [called(lambda x: Tree(2).leaves(x), n) for n in (3, -3)] == [12, 12]

    def test_class_and_static_methods(self):
        assert [called(Tree.of_two, n) for n in (3, -3)] == [6, -3]
        assert [called(Tree.clipped, n) for n in (9, 2)] == [5, 2]

    def test_a_partial_is_converted(self):
        assert called(functools.partial(lambda k, x: x * k if x > 0 else x, 4), 2) == 8

    def test_groups_of_exceptions_and_imports_inside_branches(self):
        def f(x):
            try:
                if x > 0:
                    import math

                    y = x * math.floor(2.5)
                else:
                    y = x
            except* KeyError:
                y = -x
            return y

        assert [called(f, n) for n in (3, -3)] == [6, -3]

    def test_an_unused_name_of_one_branch_is_no_mistake(self):
        def f(x):
            if x > 0:
                unused = x * 2
                x = unused + 1
            for unused in tf.range(2):
                x += unused
            return x

        assert [called(f, n) for n in (3, -3)] == [8, -2]

    def test_names_of_comprehensions_are_their_own(self):
        def f(x):
            for i in tf.range(x):
                x += i
            return x + sum([i for i in range(3)])

        assert called(f, 0) == 3
