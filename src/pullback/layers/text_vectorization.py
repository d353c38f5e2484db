"""TextVectorization: strings to rows of word numbers, or to vectors of counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers.adapted import batches_of
from pullback.layers.base import described
from pullback.layers.categories import OfCategories
from pullback.layers.vocabularies import StringLookup, documents
from pullback.ops.array.gather import gather
from pullback.ops.array.joining import concat
from pullback.ops.array.masks import boolean_mask
from pullback.ops.array.ordering import argsort
from pullback.ops.array.padding import pad
from pullback.ops.array.shape import squeeze
from pullback.ops.array.sizes import shape_
from pullback.ops.math.arithmetic import Equal, Maximum
from pullback.ops.ragged import RaggedTensor
from pullback.ops.strings.elementwise import lower, regex_replace
from pullback.ops.strings.joining import join, split
from pullback.ops.strings.unicode import unicode_split

_PUNCTUATION = r"""[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']"""
_STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)


def ngrams(words: RaggedTensor, widths: tuple[int, ...]) -> RaggedTensor:
    """Runs of neighbouring words, joined by spaces: in each row those of the first width, then of the next."""
    rows, values = words.value_rowids(), words.flat_values
    runs, of = [], []
    for width in widths:
        most = shape_(values, out_type=int64)[0]
        count = Maximum()(most - (width - 1), 0)
        run = join([values[i : i + count] for i in range(width)], " ")
        whole = Equal()(rows[:count], rows[most - count :])
        runs.append(boolean_mask(run, whole))
        of.append(boolean_mask(rows[:count], whole))
    rows = concat(of, 0)
    order = argsort(rows, stable=True)
    return RaggedTensor.from_value_rowids(gather(concat(runs, 0), order), gather(rows, order), words.nrows())


@public("keras.layers.TextVectorization", "keras.layers.experimental.preprocessing.TextVectorization")
class TextVectorization(OfCategories):
    """Strings [B] or [B,1] made even and cut into words, which are looked up: int64 [B,T], padded by 0, or [B,depth].

    Args:
      max_tokens: the most ids, those for padding (0) and unknown words (1) included.
      standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of strings.
      split: "whitespace", "character", None, or a function from strings to ragged words.
      ngrams: join up to so many neighbouring words; or a tuple of how many.
      output_mode: "int", "multi_hot", "count" or "tf_idf". output_sequence_length: cut and pad rows of ids to it.
      pad_to_max_tokens, vocabulary, idf_weights, sparse, encoding: as of StringLookup. ragged: do not pad rows of ids.
    Raises:
      ValueError: arguments do not fit each other.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        output_mode = output_mode.replace("-", "_")
        wrong = (
            (not callable(standardize) and standardize not in _STANDARDS, f"standardize is {standardize!r}"),
            (not callable(split) and split not in ("whitespace", "character", None), f"split is {split!r}"),
            (output_mode not in ("int", "multi_hot", "count", "tf_idf"), f"output_mode is {output_mode!r}"),
            (ragged and output_mode != "int", 'ragged needs output_mode "int"'),
            (output_sequence_length is not None and output_mode != "int", 'output_sequence_length needs mode "int"'),
        )
        for is_wrong, text in wrong:
            if is_wrong:
                raise ArgumentError(f"TextVectorization: {text}").locate()
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self.output_mode, self.output_sequence_length, self.ragged = output_mode, output_sequence_length, ragged
        self.lookup = StringLookup(
            max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            encoding=encoding,
        )

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The words in the order of their ids."""
        return self.lookup.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Takes these words, as StringLookup does."""
        self.lookup.set_vocabulary(vocabulary, idf_weights)

    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return self.lookup.vocabulary_size()

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Finds the vocabulary in strings: an array or list, or a Dataset of batches."""
        whole = data if hasattr(data, "element_spec") or hasattr(data, "numpy") else np.asarray(data)
        batches = (interpreter.as_tensor(batch) for batch in batches_of(whole, batch_size, steps))
        self.lookup.adapt_documents(d for batch in batches for d in documents(self._words(batch)))

    def _words(self, inputs: Tensor) -> Any:
        """The words of strings: ragged, or as they came where nothing splits."""
        x: Any = inputs
        kind = self.standardize if isinstance(self.standardize, str) else ""
        x = lower(x) if "lower" in kind else x
        x = regex_replace(x, _PUNCTUATION, "") if "punctuation" in kind else x
        x = self.standardize(x) if callable(self.standardize) else x
        if self.split is not None:
            rank = x.spec.rank or 0
            if rank > 1 and x.spec.shape[-1] != 1:
                raise ArgumentError(
                    f"TextVectorization: strings to split must be [batch] or [batch,1], but have shape {x.shape}"
                ).locate()
            x = squeeze(x, [-1]) if rank > 1 else x
            x = (
                self.split(x)
                if callable(self.split)
                else unicode_split(x, "UTF-8")
                if self.split == "character"
                else split(x)
            )
        if self.ngrams is None:
            return x
        widths = tuple(range(1, self.ngrams + 1)) if isinstance(self.ngrams, int) else tuple(self.ngrams)
        rows = x if isinstance(x, RaggedTensor) else RaggedTensor.from_tensor(x)
        return ngrams(rows, widths)

    def call(self, inputs: Any) -> Any:
        ids = self.lookup.call(self._words(inputs))
        if self.output_mode != "int":
            return ids
        length = self.output_sequence_length
        if isinstance(ids, RaggedTensor):
            if self.ragged:
                return ids if length is None else ids[:, :length]
            ids = ids.to_tensor(default_value=0)
        if length is None:
            return ids
        cut = ids[..., :length]
        rank = cut.spec.rank or 1
        out = pad(cut, [*[[0, 0]] * (rank - 1), [0, length - shape_(cut)[-1]]])
        out.set_shape((*(cut.spec.shape or ())[:-1], length))
        return out

    def get_config(self) -> dict[str, Any]:
        inner = self.lookup.get_config()
        mine = ("standardize", "split", "ngrams", "output_mode", "output_sequence_length", "ragged")
        its = ("max_tokens", "pad_to_max_tokens", "vocabulary", "idf_weights", "sparse", "encoding")
        return {
            **super().get_config(), **{k: described(getattr(self, k)) for k in mine}, **{k: inner[k] for k in its},
        }  # fmt: skip
