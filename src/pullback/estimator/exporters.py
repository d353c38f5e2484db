"""Exporters: which of the models that `train_and_evaluate` evaluates are written as saved models."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable
from typing import Any

from pullback.core.names import public
from pullback.io.events import summary_iterator


@public("estimator.Exporter")
class Exporter:
    """Base. A subclass has a `name`, which is its folder's, and `export`."""

    @property
    def name(self) -> str:
        """The exporter's name: its exports stand in export/<name> below the model's folder."""
        raise NotImplementedError(f"{type(self).__name__} must give its `name`")

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        """Writes what it finds worth writing; returns its path, or None.

        Args:
          export_path: the folder of this exporter. checkpoint_path: of the model. eval_result: its metrics by name.
          is_the_final_export: training has ended.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `export`")


class _Writing(Exporter):
    """Writes by Estimator.export_saved_model."""

    def __init__(self, name: str, serving_input_receiver_fn: Any, assets_extra: Any, as_text: bool) -> None:
        self._name, self._receiver = name, serving_input_receiver_fn
        self._assets, self._text = assets_extra, as_text

    @property
    def name(self) -> str:
        return self._name

    def _write(self, estimator: Any, folder: Any, checkpoint: Any) -> Any:
        return estimator.export_saved_model(folder, self._receiver, self._assets, self._text, checkpoint)


@public("estimator.FinalExporter")
class FinalExporter(_Writing):
    """Writes the last model only. Arguments as of LatestExporter."""

    def __init__(
        self, name: str, serving_input_receiver_fn: Any, assets_extra: Any = None, as_text: bool = False
    ) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        return self._write(estimator, export_path, checkpoint_path) if is_the_final_export else None


class _Keeping(_Writing):
    """Writes, and keeps the last so many; None: all."""

    def __init__(self, name: str, receiver: Any, assets_extra: Any, as_text: bool, keep: int | None) -> None:
        super().__init__(name, receiver, assets_extra, as_text)
        if keep is not None and keep <= 0:
            raise ValueError(f"`exports_to_keep`, if provided, must be a positive number. Got {keep}")
        self._keep = keep

    def _write(self, estimator: Any, folder: Any, checkpoint: Any) -> Any:
        made = super()._write(estimator, folder, checkpoint)
        if self._keep is not None:
            times = sorted((name for name in os.listdir(os.fsdecode(folder)) if name.isdigit()), key=int)
            for name in times[: -self._keep]:
                shutil.rmtree(os.path.join(os.fsdecode(folder), name))
        return made


@public("estimator.LatestExporter")
class LatestExporter(_Keeping):
    """Writes every model that is evaluated.

    Args:
      name: the folder's name. serving_input_receiver_fn, assets_extra, as_text: as of Estimator.export_saved_model.
      exports_to_keep: how many stay, the newest; None: all.
    Raises:
      ValueError: exports_to_keep is not positive.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        return self._write(estimator, export_path, checkpoint_path)


def _loss_smaller(best_eval_result: Any, current_eval_result: Any) -> bool:
    """Whether the current loss is below the best.

    Raises:
      ValueError: one has none.
    """
    for what, result in (("best_eval_result", best_eval_result), ("current_eval_result", current_eval_result)):
        if not result or "loss" not in result:
            raise ValueError(f"{what} cannot be empty or no loss is found in it.")
    return best_eval_result["loss"] > current_eval_result["loss"]


@public("estimator.BestExporter")
class BestExporter(_Keeping):
    """Writes a model when it is better than every one before.

    Args:
      event_file_pattern: files of earlier evaluations, below the model's folder, whose best is to be beaten too, so
        that training that is taken up again goes on with it; None: none.
      compare_fn: compare_fn(best_eval_result=, current_eval_result=) -> whether the current one is better.
      others: as of LatestExporter.
    Raises:
      ValueError: compare_fn is missing, or exports_to_keep is not positive.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Any = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Callable[..., bool] = _loss_smaller,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        if compare_fn is None:
            raise ValueError("`compare_fn` must not be None.")
        self._pattern, self._better = event_file_pattern, compare_fn
        self._best: Any = None
        self._folder: str | None = None

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        if self._pattern and self._folder != estimator.model_dir:
            self._folder = estimator.model_dir
            self._best = self._earlier(os.path.join(estimator.model_dir, self._pattern), eval_result["global_step"])
        if self._best is not None and not self._better(best_eval_result=self._best, current_eval_result=eval_result):
            return None
        self._best = eval_result
        return self._write(estimator, export_path, checkpoint_path)

    def _earlier(self, pattern: str, before: int) -> Any:
        """The best of the evaluations in these files of steps before that one; None where there is none."""
        best = None
        for path in sorted(glob.glob(pattern)):
            for event in summary_iterator(path):
                found = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
                if found and event.step < before:
                    better = best is None or self._better(best_eval_result=best, current_eval_result=found)
                    best = found if better else best
        return best
