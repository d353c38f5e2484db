"""StringLookup, IntegerLookup: the places of words and numbers in a vocabulary, and back.

    ids: [mask] [unknown 1 ... num_oov_indices] [term 1, term 2, ...]          the mask's only in the mode "int"

The vocabulary is given, read from a file (a term a line), or found by `adapt`: the most frequent terms first, of
equally frequent ones the greatest first.
"""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, int64, string
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import EagerTensor, Tensor
from pullback.layers import phase
from pullback.layers.adapted import batches_of
from pullback.layers.categories import MODES, OfCategories, encoded, mode_of
from pullback.ops.array.gather import gather
from pullback.ops.math.arithmetic import Equal, FloorMod, Greater, Less, LogicalOr
from pullback.ops.math.select import Cast, Select
from pullback.ops.ragged import RaggedTensor
from pullback.ops.sparse.functions import from_dense
from pullback.ops.strings.hashing import to_hash_bucket_strong
from pullback.ops.strings.numbers import as_string
from pullback.ops.strings.vocabulary import VocabularyIds

_MODES = (*MODES, "tf_idf")


class _Lookup(OfCategories):
    """Base: the vocabulary and what is made of places in it.

    Args:
      max_tokens: the most ids there may be, those of unknown terms and the mask included.
      num_oov_indices: how many ids unknown terms share, by their hash; 0: there must be none.
      mask_token: a term of id 0. oov_token: stands for unknown terms in the vocabulary, and when ids are turned back.
      vocabulary: the terms, or a path of a file of them. idf_weights: theirs, in the mode "tf_idf".
      invert: from ids to terms.
      output_mode: "int", "one_hot", "multi_hot", "count", or "tf_idf": counts times log(1 + documents / (1 + documents
        with the term)). pad_to_max_tokens: vectors have max_tokens entries. sparse: give a SparseTensor.
      salt: a number or two, keys of the hash of unknown terms.
    Raises:
      ValueError: arguments do not fit each other, or the vocabulary holds a term twice, a reserved one or too many.
    """

    settings = (
        "max_tokens", "num_oov_indices", "mask_token", "oov_token", "invert", "output_mode", "pad_to_max_tokens",
        "sparse", "salt",
    )  # fmt: skip
    terms_dtype: Any = string

    def keep(
        self, max_tokens: Any, num_oov_indices: int, mask_token: Any, oov_token: Any, vocabulary: Any, idf_weights: Any,
        invert: bool, output_mode: str, pad_to_max_tokens: bool, sparse: bool, salt: Any,
    ) -> None:  # fmt: skip
        """Keeps the arguments, once they are found to fit."""
        kind = type(self).__name__
        self.output_mode = mode_of(str(output_mode).replace("-", "_"), _MODES, kind, sparse)
        wrong = (
            (max_tokens is not None and max_tokens <= 1, f"max_tokens must be above 1, not {max_tokens}"),
            (pad_to_max_tokens and max_tokens is None, "pad_to_max_tokens needs max_tokens"),
            (num_oov_indices < 0, f"num_oov_indices must not be negative, but is {num_oov_indices}"),
            (invert and output_mode != "int", 'invert needs output_mode "int"'),
            (invert and num_oov_indices > 1, "invert needs num_oov_indices of 0 or 1"),
            (idf_weights is not None and output_mode != "tf_idf", 'idf_weights are for output_mode "tf_idf"'),
        )
        for is_wrong, text in wrong:
            if is_wrong:
                raise ArgumentError(f"{kind}: {text}").locate()
        self.max_tokens, self.num_oov_indices, self.invert = max_tokens, num_oov_indices, invert
        self.mask_token, self.oov_token = mask_token, oov_token
        self.pad_to_max_tokens, self.sparse = pad_to_max_tokens, sparse
        keys = [salt, salt] if isinstance(salt, int) else salt
        self.salt = None if keys is None else list(keys)
        self._terms: tuple[Any, ...] = ()
        self.idf_weights: Any = None
        self._given = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def in_type(self, terms: Any) -> list[Any]:
        """Terms as they are kept: words as str, numbers as int."""
        return [v.decode("utf-8", "surrogateescape") if isinstance(v, bytes) else str(v) for v in terms]

    # --- the vocabulary --------------------------------------------------------------------------------------------

    @property
    def _first_unknown(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _first_term(self) -> int:
        return self._first_unknown + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The terms in the order of their ids, those for the mask and for what is unknown first."""
        if not include_special_tokens:
            return list(self._terms)
        return [*[self.mask_token] * self._first_unknown, *[self.oov_token] * self.num_oov_indices, *self._terms]

    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return self._first_term + len(self._terms)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Takes these terms (or those of a file), which may begin with the special ones.

        Raises:
          ValueError: a term stands twice or is reserved, there are more than max_tokens, or in the mode "tf_idf" the
            weights are not as many.
        """
        terms = self.in_type(_lines(vocabulary) if isinstance(vocabulary, str) else _plain(vocabulary))
        special = [*[self.mask_token] * self._first_unknown, *[self.oov_token] * self.num_oov_indices]
        whole = bool(special) and terms[: len(special)] == special
        terms = terms[len(special) :] if whole else terms
        kind = type(self).__name__
        twice = [t for t, n in collections.Counter(terms).items() if n > 1]
        if twice:
            raise ArgumentError(f"{kind}: the vocabulary holds {twice[:5]} more than once").locate()
        reserved = [
            t for t in (self.mask_token, self.oov_token if self.invert else None) if t is not None and t in terms
        ]
        if reserved:
            raise ArgumentError(
                f"{kind}: the vocabulary holds the reserved term {reserved[0]!r}; leave it out, or begin with {special}"
            ).locate()
        if self.max_tokens is not None and len(special) + len(terms) > self.max_tokens:
            raise ArgumentError(
                f"{kind}: a vocabulary of {len(special) + len(terms)} ids is larger than max_tokens={self.max_tokens}"
            ).locate()
        self._terms = tuple(terms)
        self._given = True
        if self.output_mode == "tf_idf":
            self._take_weights(idf_weights, len(terms), whole)

    def _take_weights(self, weights: Any, terms: int, whole: bool) -> None:
        wanted = terms + (self._first_term if whole else 0)
        if weights is None or len(weights) != wanted:
            raise ArgumentError(
                f'{type(self).__name__}: output_mode "tf_idf" needs idf_weights for each of {wanted} terms'
            ).locate()
        values = np.asarray(weights, np.float64)
        if not whole:
            values = np.concatenate([np.full(self._first_term, values.mean() if terms else 0.0), values])
        self.idf_weights = values

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Finds the vocabulary in data: an array or list of terms, or a Dataset; what was found before is forgotten.

        Raises:
          ValueError: a vocabulary was given.
        """
        if self._given:
            raise ArgumentError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via `vocabulary` or set_vocabulary"
            ).locate()
        whole = data if hasattr(data, "element_spec") or hasattr(data, "numpy") else np.asarray(data)
        self.adapt_documents(d for batch in batches_of(whole, batch_size, steps) for d in documents(batch))

    def adapt_documents(self, found: Any) -> None:
        """As `adapt`, from documents: lists of terms."""
        counts: collections.Counter[Any] = collections.Counter()
        within: collections.Counter[Any] = collections.Counter()
        total = 0
        for terms in found:
            counts.update(terms)
            within.update(set(terms))
            total += 1
        special = {t.encode() if isinstance(t, str) else t for t in (self.mask_token, self.oov_token)}
        kept = sorted((t for t in counts if t not in special), key=lambda t: (counts[t], t), reverse=True)
        kept = kept[: None if self.max_tokens is None else max(self.max_tokens - self._first_term, 0)]
        self._terms = tuple(self.in_type(kept))
        if self.output_mode == "tf_idf":
            weights = np.log(1 + total / (1 + np.array([within[t] for t in kept], np.float64)))
            mean = weights.mean() if kept else 0.0
            self.idf_weights = np.concatenate([np.full(self._first_term, mean), weights])

    # --- the call --------------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        if self.invert:
            return self.on_values(self._terms_of, inputs)
        ids = self.on_values(self._ids, inputs)
        if self.output_mode == "int":
            return ids
        depth = int(self.max_tokens or 0) if self.pad_to_max_tokens else self.vocabulary_size()
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        kind = phase.floatx()
        if self.output_mode != "tf_idf":
            return encoded(ids, mode, depth, kind, self.sparse)
        weights = np.zeros(depth, as_dtype(kind).numpy)
        weights[: len(self.idf_weights)] = self.idf_weights
        made = encoded(ids, mode, depth, kind) * weights
        return from_dense(made) if self.sparse else made

    def _ids(self, given: Tensor) -> Tensor:
        x = given if given.dtype is self.terms_dtype else Cast(self.terms_dtype)(given)
        known = VocabularyIds(self._terms, 0, -1)(x)
        missing = Less()(known, 0)
        ids = known + self._first_term
        if self.mask_token is not None:
            masked = Equal()(x, self.mask_token)
            ids = Select()(masked, ids * 0 - int(self.output_mode != "int"), ids)
            missing = missing & ~masked
        if self.num_oov_indices:
            return Select()(missing, self._bucket(x) + self._first_unknown, ids)
        if isinstance(missing, EagerTensor) and np.asarray(missing).any():
            wrong = np.asarray(x)[np.asarray(missing)][:5].tolist()
            raise ArgumentError(
                f"{type(self).__name__}: with num_oov_indices=0 all inputs must be in the vocabulary, but {wrong} are "
                "not; consider num_oov_indices=1"
            ).locate()
        return Select()(missing, ids * 0 - 1, ids)

    def _bucket(self, x: Tensor) -> Tensor:
        """Which of the ids of unknown terms each one has. [...] int64"""
        if self.salt is not None:
            text = x if x.dtype is string else as_string(x)
            return to_hash_bucket_strong(text, self.num_oov_indices, self.salt)
        if x.dtype is not string:
            return FloorMod()(x, self.num_oov_indices)
        return VocabularyIds((), self.num_oov_indices)(x)

    def _terms_of(self, given: Tensor) -> Tensor:
        ids = given if given.dtype is int64 else Cast(int64)(given)
        front, terms = self._first_term, [self.oov_token, *self._terms]
        place = ids - (front - 1)
        outside = LogicalOr()(Less()(place, 1), Greater()(place, len(self._terms)))
        table = interpreter.as_tensor(np.array(terms, object if self.terms_dtype is string else np.int64))
        found = gather(table, Select()(outside, place * 0, place))
        if self.mask_token is None:
            return found
        masked = gather(interpreter.as_tensor(np.array([self.mask_token], table.dtype.numpy)), ids * 0)
        return Select()(Equal()(ids, 0), masked, found)

    def get_config(self) -> dict[str, Any]:
        weights = None if self.idf_weights is None else [float(w) for w in self.idf_weights]
        terms = None if not self._terms and not self._given else list(self.get_vocabulary())
        return {**super().get_config(), "vocabulary": terms, "idf_weights": weights}


def documents(batch: Any) -> Any:
    """The terms of each row of a batch; a vector's entries are one row."""
    if isinstance(batch, RaggedTensor):
        return batch.to_list()
    array = np.asarray(batch)
    rows = array.reshape(1, -1) if array.ndim < 2 else array.reshape(len(array), -1)
    return [[t.encode() if isinstance(t, str) else t for t in row] for row in rows.tolist()]


def _plain(vocabulary: Any) -> list[Any]:
    found = vocabulary.numpy() if hasattr(vocabulary, "numpy") else vocabulary
    return list(np.asarray(found).ravel().tolist()) if isinstance(found, np.ndarray) else list(found)


def _lines(path: str) -> list[str]:
    """The lines of a file of terms."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().removesuffix("\n").split("\n")


@public("keras.layers.StringLookup", "keras.layers.experimental.preprocessing.StringLookup")
class StringLookup(_Lookup):
    __doc__ = "Words to their places in a vocabulary.\n" + str(_Lookup.__doc__).partition("\n")[2]

    settings = ("encoding",)

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if str(encoding).lower().replace("_", "-") not in ("utf-8", "utf8"):
            raise ArgumentError(f"StringLookup: encoding must be 'utf-8', not {encoding!r}").locate()
        self.encoding = encoding
        self.keep(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt,
        )  # fmt: skip


@public("keras.layers.IntegerLookup", "keras.layers.experimental.preprocessing.IntegerLookup")
class IntegerLookup(_Lookup):
    __doc__ = "Whole numbers to their places in a vocabulary.\n" + str(_Lookup.__doc__).partition("\n")[2]

    settings = ("vocabulary_dtype", "oov_method")
    terms_dtype = int64

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if str(vocabulary_dtype) not in ("int64", "int32") or oov_method not in ("floormod", "farmhash"):
            raise ArgumentError(
                "IntegerLookup: vocabulary_dtype must be 'int64' or 'int32' and oov_method 'floormod' or 'farmhash', "
                f"not {vocabulary_dtype!r} and {oov_method!r}"
            ).locate()
        self.vocabulary_dtype, self.oov_method = vocabulary_dtype, oov_method
        self.keep(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt,
        )  # fmt: skip

    def in_type(self, terms: Any) -> list[Any]:
        return [int(t) for t in terms]

    def _bucket(self, x: Tensor) -> Tensor:
        if self.oov_method == "farmhash" and self.salt is None:
            return VocabularyIds((), self.num_oov_indices)(as_string(x))
        return super()._bucket(x)
