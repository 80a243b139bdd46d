"""What all four estimators have in common: scikit-learn's manners, and parameters that are plain numbers."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from churnml.errors import UsageError
from churnml.modeling.btyd.fitting import Diagnostics, Maximum
from churnml.modeling.btyd.rfm import Rfm

FloatArray = npt.NDArray[np.float64]


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """The manners of an estimator whose fit is a maximum of a likelihood.

    Parameters
    ----------
    restarts : int, default 4
        Starting points to follow; the best end is taken.
    seed : int, default 0
        Of the starting points that are drawn.

    Attributes
    ----------
    log_likelihood_ : float
        Of all customers together.
    standard_errors_ : dict of str to float
        By parameter, on its natural scale, by the delta method from the Hessian in the logarithms; NaN at a bound.
    diagnostics_ : Diagnostics
        How the fit went.
    n_customers_ : float
        Customers learned from, by weight.
    """

    names: ClassVar[tuple[str, ...]]

    def __init__(self, *, restarts: int = 4, seed: int = 0) -> None:
        self.restarts = restarts
        self.seed = seed

    @classmethod
    def from_parameters(cls, **parameters: float) -> Self:
        """Return a model that forecasts with given parameters, published ones or those of a fit before.

        It has no likelihood, errors or diagnostics: those belong to a fit.

        Raises
        ------
        UsageError
            If a parameter is missing, unknown or not a positive number.
        """
        if set(parameters) != set(cls.names):
            raise UsageError(f"{cls.__name__} has the parameters {', '.join(cls.names)}, got {', '.join(parameters)}")
        for name, value in parameters.items():
            if not (np.isfinite(value) and value > 0):
                raise UsageError(f"`{name}` of {cls.__name__} must be a number above 0, got {value}")
        model = cls()
        model._keep(parameters)
        return model

    @property
    def parameters_(self) -> dict[str, float]:
        """The parameters by name, ready for JSON and for `from_parameters`."""
        check_is_fitted(self, f"{self.names[0]}_")
        return {name: float(getattr(self, f"{name}_")) for name in self.names}

    def _keep(self, parameters: dict[str, float]) -> None:
        for name in self.names:
            setattr(self, f"{name}_", float(parameters[name]))

    def _keep_fit(self, maximum: Maximum, scales: tuple[float, ...], log_likelihood: float, n_customers: float) -> None:
        values = maximum.parameters * np.array(scales)
        self._keep(dict(zip(self.names, values, strict=True)))
        errors = values * maximum.errors
        self.standard_errors_ = {name: float(error) for name, error in zip(self.names, errors, strict=True)}
        self.log_likelihood_ = log_likelihood
        self.diagnostics_: Diagnostics = maximum.diagnostics
        self.n_customers_ = n_customers


def weights_of(rfm: Rfm, sample_weight: npt.ArrayLike | None) -> FloatArray:
    """Return how many customers each row stands for, 1 by default.

    Raises
    ------
    UsageError
        If weights are not one per customer, finite and not negative.
    """
    if sample_weight is None:
        return np.ones(len(rfm))
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (len(rfm),) or not np.isfinite(weights).all() or (weights < 0).any():
        raise UsageError(f"`sample_weight` must be {len(rfm)} numbers of at least 0, got shape {weights.shape}")
    return weights
