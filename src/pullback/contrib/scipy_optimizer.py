"""`tf.contrib.opt.ScipyOptimizerInterface`: minimisation of a graph's loss by scipy, outside the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib


@contrib("opt", "ExternalOptimizerInterface")
class ExternalOptimizerInterface:
    """Base of optimizers that see the variables as one vector. A subclass says `_minimize`.

    Args:
      loss: scalar. var_list: what is varied; the trainable variables by default.
      equalities: tensors to be kept 0. inequalities: tensors to be kept at 0 or above.
      var_to_bounds: {variable: (lower, upper)}, each a number or an array of the variable's shape.
      optimizer_kwargs: for the optimizer.
    """

    def __init__(
        self,
        loss: Any,
        var_list: Any = None,
        equalities: Any = None,
        inequalities: Any = None,
        var_to_bounds: Any = None,
        **optimizer_kwargs: Any,
    ) -> None:
        self._loss = loss
        self._equalities, self._inequalities = list(equalities or []), list(inequalities or [])
        self._vars = tf.trainable_variables() if var_list is None else list(var_list)
        self._bounds = None if var_to_bounds is None else self._packed_bounds(var_to_bounds)
        self.optimizer_kwargs = optimizer_kwargs
        self._loss_grads = self._flat_gradient(loss)
        self._equality_grads = [self._flat_gradient(t) for t in self._equalities]
        self._inequality_grads = [self._flat_gradient(t) for t in self._inequalities]
        self._given = [tf.placeholder(v.dtype.base_dtype, v.shape) for v in self._vars]
        self._assign = tf.group(*[v.assign(p) for v, p in zip(self._vars, self._given, strict=True)])
        sizes: Any = [v.shape.num_elements() for v in self._vars]
        self._cuts = np.cumsum(sizes)[:-1]

    def _flat_gradient(self, loss: Any) -> Any:
        grads = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(tf.gradients(loss, self._vars), self._vars, strict=True)
        ]
        return tf.concat([tf.reshape(tf.cast(g, tf.float64), [-1]) for g in grads], 0)

    def _packed_bounds(self, given: Any) -> Any:
        out: list[Any] = []
        for v in self._vars:
            lower, upper = given.get(v, (-np.inf, np.inf))
            shape: Any = v.shape.as_list()
            out += zip(np.broadcast_to(lower, shape).ravel(), np.broadcast_to(upper, shape).ravel(), strict=True)
        return out

    def minimize(
        self,
        session: Any = None,
        feed_dict: Any = None,
        fetches: Any = None,
        step_callback: Any = None,
        loss_callback: Any = None,
        **run_kwargs: Any,
    ) -> None:
        """Varies the variables until the loss is least, and leaves them there.

        Args:
          session: the default session by default.
          feed_dict: held while it runs.
          fetches, loss_callback: at each evaluation of the loss, loss_callback is called with the values of fetches.
          step_callback: called with the vector after each step.
        """
        session = session or tf.get_default_session()
        fetches = fetches or []
        loss_callback = loss_callback or (lambda *values: None)
        step_callback = step_callback or (lambda x: None)

        def put(x: Any) -> None:
            parts = np.split(x, self._cuts)
            fed = {
                p: part.reshape([int(d or 0) for d in p.shape.as_list()]).astype(p.dtype.as_numpy_dtype)
                for p, part in zip(self._given, parts, strict=True)
            }
            session.run(self._assign, fed)

        def evaluated(tensors: Any) -> Any:
            def at(x: Any) -> Any:
                put(x)
                return session.run(tensors, feed_dict, **run_kwargs)

            return at

        def loss_and_gradient(x: Any) -> Any:
            loss, grad, *more = evaluated([self._loss, self._loss_grads, *fetches])(x)
            loss_callback(*more)
            return np.float64(loss), grad

        def constraint(tensor: Any, grads: Any) -> tuple[Any, Any]:
            return (lambda x: np.float64(evaluated(tensor)(x))), evaluated(grads)

        start = np.concatenate([np.float64(v).ravel() for v in session.run(self._vars)])
        end = self._minimize(
            initial_val=start,
            loss_grad_func=loss_and_gradient,
            equality_funcs=[constraint(*c) for c in zip(self._equalities, self._equality_grads, strict=True)],
            inequality_funcs=[constraint(*c) for c in zip(self._inequalities, self._inequality_grads, strict=True)],
            packed_bounds=self._bounds,
            step_callback=step_callback,
            optimizer_kwargs=self.optimizer_kwargs,
        )
        put(end)

    def _minimize(self, **given: Any) -> Any:
        """The vector at the minimum. Written by the optimizer that this is the base of."""
        raise tf.errors.UnimplementedError(
            None, None, f"{type(self).__name__} does not say how to minimize: write `_minimize`"
        )


@contrib("opt", "ScipyOptimizerInterface")
class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """`scipy.optimize.minimize` on a loss: L-BFGS-B, or SLSQP where there are constraints, unless `method=` chooses.

    Raises:
      ImportError: scipy is not installed. ValueError: the method takes no constraints.
    """

    _DEFAULT_METHOD = "L-BFGS-B"

    def _minimize(self, **given: Any) -> Any:
        try:
            from scipy import optimize
        except ImportError as error:
            raise ImportError("ScipyOptimizerInterface needs scipy; say: pip install scipy") from error
        settings = dict(given["optimizer_kwargs"])
        pairs = (("eq", given["equality_funcs"]), ("ineq", given["inequality_funcs"]))
        constraints = [{"type": kind, "fun": f, "jac": g} for kind, rows in pairs for f, g in rows]
        default = "SLSQP" if constraints else self._DEFAULT_METHOD
        method = settings.pop("method", default)
        for taken in ("fun", "x0", "jac", "callback"):
            if taken in settings:
                raise ValueError(
                    f"Optimizer keyword arg {taken!r} is set automatically and cannot be injected manually"
                )
        settings.setdefault("bounds", given["packed_bounds"])
        settings.setdefault("constraints", constraints)
        found = optimize.minimize(
            given["loss_grad_func"],
            given["initial_val"],
            method=method,
            jac=True,
            callback=given["step_callback"],
            **settings,
        )
        tf.logging.info("Optimization terminated: %s; %d steps, loss %s", found.message, found.nit, found.fun)
        return found.x
