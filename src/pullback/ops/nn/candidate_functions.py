"""The public functions of candidate sampling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import int64, resource
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.nn import candidates as c
from pullback.ops.random.functions import next_counter
from pullback.ops.random.seeds import eager_stream

Sampled = tuple[Tensor, Tensor, Tensor]


def _names(name: str) -> Any:
    return public(f"random.{name}", f"nn.{name}")


def _drawn(op: Any, true_classes: Any, seed: Any, name: str | None, default: str) -> Sampled:
    classes = interpreter.as_tensor(true_classes, int64)
    key, counter = next_counter(op, seed, (op.num_sampled,), c.WORDS_EACH)
    return tuple(op(classes, key, counter, name=name or default))  # type: ignore[return-value]


@public("random.uniform_candidate_sampler", v1=("random.uniform_candidate_sampler", "nn.uniform_candidate_sampler"))
def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Any = None,
    name: str | None = None,
) -> Sampled:
    """Classes drawn from [0, range_max), all equally likely.

    Args:
      true_classes: int64 [B, num_true].
      num_sampled: how many are drawn. unique: no class twice.
      seed: the op seed.
    Returns:
      (sampled_candidates int64 [num_sampled], true_expected_count float32 [B, num_true], sampled_expected_count
      float32 [num_sampled]).
    Raises:
      ArgumentError: more different classes are wanted than there are. ShapeError: true_classes do not fit.
    """
    op = c.UniformCandidateSampler(num_true, num_sampled, bool(unique), range_max)
    return _drawn(op, true_classes, seed, name, "UniformCandidateSampler")


@public(
    "random.log_uniform_candidate_sampler",
    v1=("random.log_uniform_candidate_sampler", "nn.log_uniform_candidate_sampler"),
)
def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Any = None,
    name: str | None = None,
) -> Sampled:
    """Classes drawn with probability log((c + 2) / (c + 1)) / log(range_max + 1), for classes sorted by frequency.

    Args, Returns, Raises: as `uniform_candidate_sampler`.
    """
    op = c.LogUniformCandidateSampler(num_true, num_sampled, bool(unique), range_max)
    return _drawn(op, true_classes, seed, name, "LogUniformCandidateSampler")


@_names("learned_unigram_candidate_sampler")
def learned_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Any = None,
    name: str | None = None,
) -> Sampled:
    """Classes drawn as often as they were true classes in earlier calls (of this operation, in a graph), each once
    more. Args, Returns, Raises: as `uniform_candidate_sampler`."""
    op = c.LearnedUnigramCandidateSampler(num_true, num_sampled, bool(unique), range_max)
    classes = interpreter.as_tensor(true_classes, int64)
    key, counter = next_counter(op, seed, (num_sampled,), c.WORDS_EACH)
    counts = Resource("LearnedUnigramCandidateSampler counts", Spec((range_max,), int64))
    here: Any = interpreter.current()
    if isinstance(here, Graph):
        handle: Any = here.constant(counts, Spec((), resource, counts.spec), "counts")
    else:
        counts = eager_stream((op, "counts"), counts)
        handle = EagerTensor(counts.handle_spec, counts)
    return tuple(op(classes, handle, key, counter, name=name or "LearnedUnigramCandidateSampler"))  # type: ignore[return-value]


@_names("fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Any = (),
    seed: Any = None,
    name: str | None = None,
) -> Sampled:
    """Classes drawn with probability proportional to unigrams[c] ** distortion.

    Args: as `uniform_candidate_sampler`, and
      vocab_file: a text file, a line a class, whose last comma-separated field is the count; or
      unigrams: the counts. Give one of the two.
      distortion: 0 makes all classes equally likely.
      num_reserved_ids: so many first classes are never drawn; counts begin behind them.
      num_shards, shard: must be 1 and 0: parts of the classes for parts of a computation are not there.
    Raises:
      ArgumentError: both or neither of vocab_file and unigrams are given, their number is not range_max, or there are
      shards.
    """
    if num_shards != 1 or shard != 0:
        raise ArgumentError("fixed_unigram_candidate_sampler: shards are not supported; leave them out").locate()
    if bool(vocab_file) == bool(len(unigrams)):
        raise ArgumentError("fixed_unigram_candidate_sampler: give vocab_file or unigrams").locate()
    counts = _counts(vocab_file) if vocab_file else [float(n) for n in unigrams]
    weights = tuple([0.0] * num_reserved_ids + [n**distortion for n in counts])
    op = c.FixedUnigramCandidateSampler(num_true, num_sampled, bool(unique), range_max, weights)
    return _drawn(op, true_classes, seed, name, "FixedUnigramCandidateSampler")


def _counts(path: str) -> list[float]:
    """The last field of each line.

    Raises:
      ArgumentError: one is no number.
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    try:
        return [float(line.rpartition(",")[2]) for line in lines if line.strip()]
    except ValueError as error:
        raise ArgumentError(
            f"fixed_unigram_candidate_sampler: {path}: {error}; lines end in a count"
        ).locate() from None


@_names("all_candidate_sampler")
def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: Any = None, name: str | None = None
) -> Sampled:
    """Every class in [0, num_sampled). unique and seed have no meaning: nothing is drawn."""
    op = c.AllCandidateSampler(num_true, num_sampled, bool(unique))
    return tuple(op(interpreter.as_tensor(true_classes, int64), name=name or "AllCandidateSampler"))  # type: ignore[return-value]


@public("nn.compute_accidental_hits")
def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: Any = None, name: str | None = None
) -> Sampled:
    """Where sampled candidates are true classes.

    Args:
      true_classes: int64 [B, num_true]. sampled_candidates: int64 [S].
      seed: has no meaning: nothing is drawn.
    Returns:
      (indices int32 [k], of the example; ids int64 [k], the candidate's place; weights float32 [k], the least float).
    """
    classes, sampled = (interpreter.as_tensor(t, int64) for t in (true_classes, sampled_candidates))
    return tuple(c.ComputeAccidentalHits(num_true)(classes, sampled, name=name or "ComputeAccidentalHits"))  # type: ignore[return-value]
