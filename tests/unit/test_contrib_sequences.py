"""`tf.contrib.seq2seq`, `legacy_seq2seq`, `crf` and `rnn`, against the formulas written out in NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

seq2seq, legacy, crf, rnn = tf.contrib.seq2seq, tf.contrib.legacy_seq2seq, tf.contrib.crf, tf.contrib.rnn
RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        yield


def run(*fetches: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(list(fetches))
    return found[0] if len(found) == 1 else found


def assert_close(ours: Any, theirs: Any, bound: float) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def names() -> list[str]:
    return [v.op.name for v in tf.global_variables()]


MEMORY = RNG.standard_normal((2, 4, 3)).astype("f")
QUERY = RNG.standard_normal((2, 5)).astype("f")
LENGTHS = np.array([4, 2])


class TestAttention:
    def test_luong_is_softmax_of_products_and_blind_beyond_the_length(self) -> None:
        mechanism = seq2seq.LuongAttention(5, MEMORY, LENGTHS, scale=True)
        alignments, state = mechanism(tf.constant(QUERY), None)
        found, kernel, after = run(alignments, mechanism.memory_layer.kernel, state)
        keys = (MEMORY * (np.arange(4)[None, :, None] < LENGTHS[:, None, None])) @ kernel
        scores = np.einsum("btu,bu->bt", keys, QUERY)
        scores[1, 2:] = -np.inf
        assert_close(found, softmax(scores), 1e-5)
        assert np.array_equal(found, after)
        assert names() == ["memory_layer/kernel", "luong_attention/attention_g"]

    def test_bahdanau_is_a_small_network(self) -> None:
        mechanism = seq2seq.BahdanauAttention(6, MEMORY)
        alignments, _ = mechanism(tf.constant(QUERY), None)
        found, w, q, v = run(alignments, *tf.global_variables())
        assert names() == [
            "memory_layer/kernel",
            "bahdanau_attention/query_layer/kernel",
            "bahdanau_attention/attention_v",
        ]
        assert_close(found, softmax((v * np.tanh(MEMORY @ w + (QUERY @ q)[:, None])).sum(-1)), 1e-5)

    def test_normalized_bahdanau_begins_with_a_v_of_length_root_one_over_units(self) -> None:
        mechanism = seq2seq.BahdanauAttention(6, MEMORY, normalize=True)
        alignments, _ = mechanism(tf.constant(QUERY), None)
        found, *values = run(alignments, *tf.global_variables())
        by = {n.rpartition("attention/")[2]: value for n, value in zip(names(), values, strict=True)}
        w, q, v = by["memory_layer/kernel"], by["query_layer/kernel"], by["attention_v"]
        g, b = by["attention_g"], by["attention_b"]
        assert g == np.float32(np.sqrt(1 / 6)) and not b.any()
        unit = g * v / np.linalg.norm(v)
        assert_close(found, softmax((unit * np.tanh(MEMORY @ w + (QUERY @ q)[:, None])).sum(-1)), 1e-5)

    def test_monotonic_modes_are_the_sum_over_ways(self) -> None:
        p, before = RNG.uniform(0.1, 0.8, (2, 5)), softmax(RNG.standard_normal((2, 5)))
        want = np.zeros((2, 5))
        for i in range(5):
            for k in range(i + 1):
                want[:, i] += p[:, i] * before[:, k] * np.prod(1 - p[:, k:i], 1)
        recursive, parallel = (seq2seq.monotonic_attention(p, before, mode) for mode in ("recursive", "parallel"))
        for found in run(recursive, parallel):
            assert_close(found, want, 1e-9)
        chosen, at = np.array([[0.0, 1, 0, 1, 1]]), np.array([[0.0, 0, 1, 0, 0]])
        assert run(seq2seq.monotonic_attention(chosen, at, "hard")).tolist() == [[0, 0, 0, 1, 0]]
        with pytest.raises(ValueError, match="'recursive', 'parallel' or 'hard'"):
            seq2seq.monotonic_attention(p, before, "soft")

    @pytest.mark.parametrize("kind", ["LuongMonotonicAttention", "BahdanauMonotonicAttention"])
    def test_monotonic_mechanisms_begin_at_the_first_place(self, kind: str) -> None:
        mechanism = getattr(seq2seq, kind)(5, MEMORY, score_bias_init=-1.0)
        first = mechanism.initial_state(2, tf.float32)
        alignments, _ = mechanism(tf.constant(QUERY), first)
        start, found, bias = run(first, alignments, tf.global_variables()[-1])
        assert start.tolist() == [[1, 0, 0, 0]] * 2 and bias == -1
        assert found.shape == (2, 4) and (found.sum(1) <= 1 + 1e-6).all()
        assert names()[-1] == f"{kind[:-18].lower()}_monotonic_attention/attention_score_bias"

    def test_a_query_of_another_depth_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="queries have depth 5, keys 7"):
            seq2seq.LuongAttention(7, MEMORY)(tf.constant(QUERY), None)

    def test_hardmax_and_tile_batch(self) -> None:
        assert run(seq2seq.hardmax([[1.0, 3, 3], [2, 0, 1]])).tolist() == [[0, 1, 0], [1, 0, 0]]
        tiled = seq2seq.tile_batch((tf.constant([[1], [2]]), tf.constant([5, 6])), 2)
        assert [x.tolist() for x in run(*tiled)] == [[[1], [1], [2], [2]], [5, 5, 6, 6]]


def attending(width: int = 1, **options: Any) -> Any:
    memory = seq2seq.tile_batch(tf.constant(MEMORY), width)
    return seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(5), seq2seq.LuongAttention(5, memory), attention_layer_size=6, **options
    )


class TestAttentionWrapper:
    def test_a_step_joins_the_last_attention_and_asks_the_memory(self) -> None:
        cell = attending(alignment_history=True)
        state = cell.zero_state(2, tf.float32)
        x = tf.constant(QUERY)
        with tf.variable_scope("step"):
            output, state = cell(x, state)
        assert names()[1:] == [
            f"step/attention_wrapper/{n}"
            for n in ("gru_cell/gates/kernel", "gru_cell/gates/bias", "gru_cell/candidate/kernel",
                      "gru_cell/candidate/bias", "attention_layer/kernel")
        ]  # fmt: skip
        found, h, a, time, history = run(
            output, state.cell_state, state.alignments, state.time, state.alignment_history.stack()
        )
        assert time == 1 and np.array_equal(history[0], a) and found.shape == (2, 6)
        assert cell.output_size == 6 and cell.state_size.attention == 6
        assert h.shape == (2, 5)

    def test_several_mechanisms_give_their_attentions_end_to_end(self) -> None:
        mechanisms = [seq2seq.LuongAttention(5, MEMORY), seq2seq.BahdanauAttention(4, MEMORY)]
        cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(5), mechanisms, output_attention=False)
        output, state = cell(tf.constant(QUERY), cell.zero_state(2, tf.float32))
        found, attention, a, b = run(output, state.attention, *state.alignments)
        want = np.concatenate([np.einsum("bt,btd->bd", x, MEMORY) for x in (a, b)], 1)
        assert_close(attention, want, 1e-5)
        assert found.shape == (2, 5)

    def test_clone_replaces_fields_and_refuses_other_shapes(self) -> None:
        state = attending().zero_state(2, tf.float32)
        assert state.clone(attention=tf.ones([2, 6])).cell_state is state.cell_state
        with pytest.raises(ValueError, match="in place of"):
            state.clone(attention=tf.ones([2, 5]))


def decoder(helper: Any, cell: Any = None, layer: Any = None) -> Any:
    cell = cell or tf.nn.rnn_cell.GRUCell(4)
    return seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32), layer)


class TestDecoding:
    INPUTS = RNG.standard_normal((2, 3, 4)).astype("f")

    def test_training_is_dynamic_rnn(self) -> None:
        cell = tf.nn.rnn_cell.GRUCell(4)
        helper = seq2seq.TrainingHelper(self.INPUTS, [3, 2])
        outputs, state, lengths = seq2seq.dynamic_decode(decoder(helper, cell), impute_finished=True)
        other, last = tf.nn.dynamic_rnn(cell, self.INPUTS, [3, 2], dtype=tf.float32, scope="decoder")
        a, b, s, t, n, ids = run(outputs.rnn_output, other, state, last, lengths, outputs.sample_id)
        assert np.array_equal(a, b) and np.array_equal(s, t) and n.tolist() == [3, 2]
        assert np.array_equal(ids[0], a[0].argmax(-1)) and ids[1, 2] == 0

    def test_gradients_flow_through_the_loop(self) -> None:
        helper = seq2seq.TrainingHelper(self.INPUTS, [3, 2])
        outputs, _, _ = seq2seq.dynamic_decode(decoder(helper))
        gradients = tf.gradients(tf.reduce_sum(outputs.rnn_output**2), tf.trainable_variables())
        assert all(np.abs(g).max() > 0 for g in run(*gradients))

    def test_greedy_feeds_the_likeliest_word_until_the_end_or_the_limit(self) -> None:
        table = np.eye(4, dtype="f")[[1, 2, 3, 0]]  # the word after w is w + 1
        identity = Echo()
        helper = seq2seq.GreedyEmbeddingHelper(tf.constant(table), [0, 2], end_token=3)
        outputs, _, lengths = seq2seq.dynamic_decode(decoder(helper, identity))
        ids, n = run(outputs.sample_id, lengths)
        assert n.tolist() == [3, 1] and ids[0].tolist() == [1, 2, 3] and ids[1, 0] == 3
        helper = seq2seq.GreedyEmbeddingHelper(lambda i: tf.gather(table, i), [0, 0], end_token=3)
        assert run(seq2seq.dynamic_decode(decoder(helper, identity), maximum_iterations=2)[2]).tolist() == [2, 2]

    def test_scheduled_sampling_feeds_the_truth_at_0_and_answers_at_1(self) -> None:
        cell, table = Echo(), np.eye(4, dtype="f")
        truth = table[[[0, 1, 2], [3, 3, 1]]]

        def fed(p: float) -> Any:
            helper = seq2seq.ScheduledEmbeddingTrainingHelper(truth, [3, 3], tf.constant(50 * table[::-1].copy()), p)
            return seq2seq.dynamic_decode(decoder(helper, cell))[0]

        never, always = fed(0.0), fed(1.0)
        a, ids, b, drawn = run(never.rnn_output, never.sample_id, always.rnn_output, always.sample_id)
        assert np.array_equal(a, truth) and (ids == -1).all()
        assert np.array_equal(b[:, 1], 50 * table[::-1][drawn[:, 0]])
        helper = seq2seq.ScheduledOutputTrainingHelper(truth, [3, 3], 1.0, next_inputs_fn=lambda y: 2 * y)
        found = run(seq2seq.dynamic_decode(decoder(helper, cell))[0].rnn_output)
        assert np.array_equal(found, truth[:, :1] * np.array([1, 2, 4])[:, None])

    def test_custom_and_inference_helpers(self) -> None:
        custom = seq2seq.CustomHelper(
            initialize_fn=lambda: (tf.constant([False, False]), tf.ones([2, 4])),
            sample_fn=lambda time, outputs, state: tf.fill([2], time),
            next_inputs_fn=lambda time, outputs, state, sample_ids: (sample_ids >= 2, outputs + 1, state),
        )
        outputs, _, _ = seq2seq.dynamic_decode(decoder(custom, Echo()), output_time_major=True)
        found, ids = run(outputs.rnn_output, outputs.sample_id)
        assert found[:, 0, 0].tolist() == [1, 2, 3] and ids[:, 1].tolist() == [0, 1, 2]
        free = seq2seq.InferenceHelper(
            lambda y: y, [4], tf.float32, tf.ones([2, 4]), lambda y: tf.reduce_all(y > 3, 1), lambda y: 2 * y
        )
        assert run(seq2seq.dynamic_decode(decoder(free, Echo()))[0].sample_id)[0, :, 0].tolist() == [1, 2, 4]

    def test_mistakes(self) -> None:
        with pytest.raises(TypeError, match="type Decoder"):
            seq2seq.dynamic_decode(3)
        with pytest.raises(ValueError, match="sequence_length to be a vector"):
            seq2seq.TrainingHelper(self.INPUTS, 3)
        with pytest.raises(TypeError, match="must be a Helper"):
            seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), 3, None)
        helper = seq2seq.TrainingHelper(self.INPUTS, [3, 2])
        with pytest.raises(ValueError, match="must be a scalar"):
            seq2seq.dynamic_decode(decoder(helper), maximum_iterations=[2])


class Echo(tf.nn.rnn_cell.RNNCell):
    """Gives what it is given."""

    state_size = output_size = 4

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs, state


class Chain(tf.nn.rnn_cell.RNNCell):
    """Logits that hang on the last word alone."""

    state_size, output_size = 1, 3
    LOGITS = np.array([[0.1, 1.0, 0.9], [2.0, 0.0, -1.0], [0.3, 0.2, 1.5]], "f")

    def call(self, inputs: Any, state: Any) -> Any:
        return tf.matmul(inputs, self.LOGITS), state + 1


class TestBeamSearch:
    def found(self, width: int, steps: int, **options: Any) -> Any:
        cell = Chain()
        state = seq2seq.tile_batch(cell.zero_state(2, tf.float32), width)
        beams = seq2seq.BeamSearchDecoder(cell, tf.eye(3), [0, 1], 2, state, width, **options)
        outputs, last, _ = seq2seq.dynamic_decode(beams, maximum_iterations=steps)
        return run(outputs.predicted_ids, last.log_probs, last.lengths, outputs.beam_search_decoder_output.scores)

    @staticmethod
    def all_answers(start: int, steps: int) -> list[tuple[float, tuple[int, ...]]]:
        """Every sequence that ends with 2, or is cut off, by its log probability."""
        log = np.log(softmax(Chain.LOGITS.astype("f8")))
        answers: dict[tuple[int, ...], float] = {}
        for words in itertools.product(range(3), repeat=steps):
            cut = words[: words.index(2) + 1] if 2 in words else words
            answers[cut] = sum(log[a, b] for a, b in zip((start, *cut), cut, strict=False))
        return sorted(((p, w) for w, p in answers.items()), reverse=True)

    def test_a_wide_beam_finds_the_likeliest_of_all_answers(self) -> None:
        ids, log_probs, _, _ = self.found(width=9, steps=3)
        for example, start in enumerate((0, 1)):
            for beam, (p, words) in enumerate(self.all_answers(start, 3)[:4]):
                assert tuple(ids[example, : len(words), beam]) == words
                assert (ids[example, len(words) :, beam] == 2).all()
                assert_close(log_probs[example, beam], p, 1e-5)

    def test_length_penalty_divides_scores_and_leaves_out_an_end_just_found(self) -> None:
        ids, log_probs, lengths, scores = self.found(width=9, steps=3, length_penalty_weight=1.0)
        just_ended = (ids[0, 2] == 2) & (ids[0, 1] != 2)
        assert just_ended.any()
        assert_close(scores[0, -1], log_probs[0] / ((5 + lengths[0] - just_ended) / 6), 1e-5)

    def test_one_beam_is_greedy(self) -> None:
        ids, *_ = self.found(width=1, steps=5)
        assert ids[0, :, 0].tolist() == [1, 0, 1, 0, 1]

    def test_attention_history_comes_in_the_order_of_the_final_beams(self) -> None:
        width = 3
        cell = attending(width, alignment_history=True)
        state = cell.zero_state(2 * width, tf.float32)
        layer = tf.layers.Dense(7, use_bias=False)
        table = tf.constant(RNG.standard_normal((7, 2)).astype("f"))
        beams = seq2seq.BeamSearchDecoder(cell, table, [1, 2], 0, state, width, layer, coverage_penalty_weight=0.1)
        outputs, last, _ = seq2seq.dynamic_decode(beams, maximum_iterations=4)
        ids, history = run(outputs.predicted_ids, last.cell_state.alignment_history)
        steps = ids.shape[1]
        assert ids.shape == (2, steps, width) and history.shape == (steps, 2 * width, 4)
        assert_close(history.sum(-1), np.ones((steps, 2 * width)), 1e-5)

    def test_gather_tree_walks_back_and_ends(self) -> None:
        ids = np.array([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]]], "i4")
        parents = np.array([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]]], "i4")
        assert run(seq2seq.gather_tree(ids, parents, [3], 10))[:, 0].tolist() == [[2, 2, 2], [6, 5, 6], [7, 8, 9]]
        assert run(seq2seq.gather_tree(ids, parents, [2], 10))[:, 0].tolist() == [[1, 2, 2], [4, 5, 6], [10, 10, 10]]
        assert run(seq2seq.gather_tree(ids, parents, [3], 6))[:, 0].tolist() == [[2, 2, 2], [6, 5, 6], [6, 8, 6]]


class TestSequenceLoss:
    LOGITS = RNG.standard_normal((2, 3, 5)).astype("f")
    TARGETS = np.array([[0, 1, 4], [2, 2, 0]])
    WEIGHTS = np.array([[1, 1, 0.5], [1, 0, 0]], "f")

    def losses(self) -> Any:
        return -np.log(np.take_along_axis(softmax(self.LOGITS), self.TARGETS[..., None], 2))[..., 0] * self.WEIGHTS

    def test_means_and_sums(self) -> None:
        def found(**options: Any) -> Any:
            return run(seq2seq.sequence_loss(self.LOGITS, self.TARGETS, self.WEIGHTS, **options))

        each, w = self.losses(), self.WEIGHTS
        kept = {"average_across_timesteps": False, "average_across_batch": False}
        assert_close(found(), each.sum() / w.sum(), 1e-5)
        assert_close(found(**kept), each, 1e-5)
        assert_close(found(average_across_batch=False), each.sum(1) / w.sum(1), 1e-5)
        assert_close(found(average_across_timesteps=False), each.sum(0) / np.maximum(w.sum(0), 1e-12), 1e-5)
        summed = found(**kept, sum_over_timesteps=True, sum_over_batch=True)
        assert_close(summed, each.sum() / np.count_nonzero(w), 1e-5)
        with pytest.raises(ValueError, match="logits must have 3 axes"):
            seq2seq.sequence_loss(self.LOGITS[0], self.TARGETS, self.WEIGHTS)

    def test_of_lists(self) -> None:
        lists = [list(x.swapaxes(0, 1)) for x in (self.LOGITS, self.TARGETS, self.WEIGHTS)]
        each, w = self.losses(), self.WEIGHTS
        assert_close(run(legacy.sequence_loss_by_example(*lists)), each.sum(1) / w.sum(1), 1e-5)
        assert_close(run(legacy.sequence_loss(*lists, average_across_timesteps=False)), each.sum() / 2, 1e-5)
        with pytest.raises(ValueError, match="must be the same"):
            legacy.sequence_loss(lists[0], lists[1], lists[2][:1])


class TestLegacy:
    def test_words_in_words_out(self) -> None:
        words = [tf.constant([1, 2]), tf.constant([0, 3])]
        outputs, _ = legacy.embedding_rnn_seq2seq(words, words, tf.nn.rnn_cell.BasicLSTMCell(3), 4, 5, 2)
        assert [x.shape for x in run(*outputs)] == [(2, 5)] * 2
        made = names()
        assert "embedding_rnn_seq2seq/embedding_rnn_decoder/embedding" in made
        assert "embedding_rnn_seq2seq/rnn/basic_lstm_cell/kernel" in made

    def test_feed_previous_gives_the_likeliest_word_back(self) -> None:
        def loop(previous: Any, i: int) -> Any:
            return tf.one_hot(tf.argmax(previous, 1), 4)

        outputs, _ = legacy.rnn_decoder([tf.eye(4)[:2], None], tf.zeros([2, 4]), Echo(), loop)
        assert np.array_equal(run(outputs[1]), np.eye(4)[:2])

    def test_tied_has_one_set_of_weights(self) -> None:
        steps = [tf.ones([2, 3])] * 2
        legacy.tied_rnn_seq2seq(steps, steps, tf.nn.rnn_cell.BasicRNNCell(3))
        legacy.basic_rnn_seq2seq(steps, steps, tf.nn.rnn_cell.BasicRNNCell(3))
        assert [n for n in names() if n.endswith("kernel")] == [
            "combined_tied_rnn_seq2seq/tied_rnn_seq2seq/basic_rnn_cell/kernel",
            "basic_rnn_seq2seq/rnn/basic_rnn_cell/kernel",
            "basic_rnn_seq2seq/rnn_decoder/basic_rnn_cell/kernel",
        ]


class TestCrf:
    INPUTS = RNG.standard_normal((3, 4, 3))
    TRANSITIONS = RNG.standard_normal((3, 3))
    LENGTHS = np.array([4, 2, 1])
    TAGS = np.array([[0, 1, 2, 2], [1, 1, 0, 0], [2, 0, 0, 0]])

    def scores(self, example: int) -> dict[tuple[int, ...], float]:
        n, x, a = self.LENGTHS[example], self.INPUTS[example], self.TRANSITIONS
        return {
            y: sum(x[t, y[t]] for t in range(n)) + sum(a[y[t], y[t + 1]] for t in range(n - 1))
            for y in itertools.product(range(3), repeat=int(n))
        }

    def test_likelihood_is_over_all_tag_sequences(self) -> None:
        found, _ = crf.crf_log_likelihood(self.INPUTS, self.TAGS, self.LENGTHS, self.TRANSITIONS)
        want = []
        for i, n in enumerate(self.LENGTHS):
            scores = self.scores(i)
            want.append(scores[tuple(self.TAGS[i, :n])] - np.log(sum(np.exp(list(scores.values())))))
        assert_close(run(found), np.array(want), 1e-12)

    def test_decode_finds_the_best_and_equals_viterbi(self) -> None:
        tags, best = run(*crf.crf_decode(self.INPUTS, self.TRANSITIONS, self.LENGTHS))
        for i, n in enumerate(self.LENGTHS):
            scores = self.scores(i)
            want = max(scores, key=scores.__getitem__)
            assert tuple(tags[i, :n]) == want and not tags[i, n:].any()
            assert_close(best[i], scores[want], 1e-12)
            listed, score = crf.viterbi_decode(self.INPUTS[i, :n], self.TRANSITIONS)
            assert tuple(listed) == want
            assert_close(score, scores[want], 1e-12)

    def test_a_bitmap_allows_several_tags(self) -> None:
        bitmap = np.ones((3, 4, 3), bool)
        whole = crf.crf_multitag_sequence_score(self.INPUTS, bitmap, self.LENGTHS, self.TRANSITIONS)
        found, norm = run(whole, crf.crf_log_norm(self.INPUTS, self.LENGTHS, self.TRANSITIONS))
        assert_close(found, norm, 1e-12)

    def test_transitions_are_a_variable_and_learn(self) -> None:
        found, transitions = crf.crf_log_likelihood(tf.constant(self.INPUTS, tf.float32), self.TAGS, self.LENGTHS)
        assert names() == ["transitions"]
        assert np.abs(run(tf.gradients(found, transitions)[0])).max() > 0


class TestCells:
    def test_projections(self) -> None:
        cell = rnn.InputProjectionWrapper(rnn.OutputProjectionWrapper(tf.nn.rnn_cell.BasicRNNCell(3), 2), 4)
        y, state = cell(tf.constant(QUERY), tf.zeros([2, 3]))
        found, h, *v = run(y, state, *tf.global_variables())
        by = dict(
            zip(
                [n.split("_wrapper/", 1)[1] if n.count("wrapper") == 1 else n.split("/", 1)[1] for n in names()],
                v,
                strict=True,
            )
        )
        x = QUERY @ by["kernel"]
        want = np.tanh(x @ by["output_projection_wrapper/basic_rnn_cell/kernel"][:4])
        assert_close(h, want, 1e-5)
        assert_close(found, want @ by["output_projection_wrapper/kernel"], 1e-5)

    def test_embedding(self) -> None:
        cell = rnn.EmbeddingWrapper(Echo(), 6, 4)
        y, _ = cell(tf.constant([[5], [1]]), tf.zeros([2, 4]))
        found, table = run(y, tf.global_variables()[0])
        assert np.array_equal(found, table[[5, 1]])

    def test_layer_normalised_lstm(self) -> None:
        cell = rnn.LayerNormBasicLSTMCell(4)
        c, h = RNG.standard_normal((2, 2, 4)).astype("f")
        _, state = cell(tf.constant(QUERY), (tf.constant(c), tf.constant(h)))
        (new_c, new_h), kernel = run(state, tf.global_variables()[0])

        def normal(x: Any) -> Any:
            return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)

        def sigmoid(x: Any) -> Any:
            return 1 / (1 + np.exp(-x))

        i, j, f, o = map(normal, np.split(np.concatenate([QUERY, h], 1) @ kernel, 4, 1))
        want = normal(c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j))
        assert_close(new_c, want, 1e-4)
        assert_close(new_h, np.tanh(want) * sigmoid(o), 1e-4)
        assert names()[0] == "layer_norm_basic_lstm_cell/kernel"
        assert names()[1] == "layer_norm_basic_lstm_cell/input/gamma"

    def test_stacks_of_both_directions(self) -> None:
        x = RNG.standard_normal((2, 3, 4)).astype("f")

        def cells() -> Any:
            return [tf.nn.rnn_cell.GRUCell(n) for n in (2, 3)]

        outputs, fw, _ = rnn.stack_bidirectional_dynamic_rnn(cells(), cells(), x, dtype=tf.float32)
        steps, _, _ = rnn.stack_bidirectional_rnn(cells(), cells(), tf.unstack(x, axis=1), dtype=tf.float32, scope="s")
        found, last, state = run(outputs, steps[-1], fw[1])
        assert found.shape == (2, 3, 6) and last.shape == (2, 6) and np.array_equal(found[:, -1, :3], state)
        with pytest.raises(ValueError, match="same depth"):
            rnn.stack_bidirectional_dynamic_rnn(cells(), cells()[:1], x, dtype=tf.float32)
