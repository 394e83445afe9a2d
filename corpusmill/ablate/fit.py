"""A scaling law from measured losses: L(N, D) = E + A / N^alpha + B / D^beta.

The objective is that of Chinchilla (Hoffmann et al., arXiv 2203.15556, section 3.3): the sum of Huber losses (delta
0.001) of the logarithm of the law minus the logarithm of the measured loss.  As there, A and B are fitted by their
logarithms.  E is not, because it may be zero, where its logarithm has no minimum.

For given exponents the law is linear in E, A and B.  So starts come from a grid of exponents, each with the best E, A
and B that are not negative; the best few are refined by scipy's `least_squares`, which has this objective.  L-BFGS from
a grid of all five numbers, as in the paper, found the same minimum in 20 times as long.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, nnls

Floats = npt.NDArray[np.float64]
DELTA = 1e-3  # of the Huber loss
EXPONENTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
REFINED = 3  # starts
SMALLEST = 1e-3  # factor of a start, so that it can grow
NEGLIGIBLE = 0.001  # share of the lowest loss
NAMES = ("E", "A", "alpha", "B", "beta")


@dataclass(frozen=True, slots=True)
class Law:
    """The five numbers of a scaling law; L in the unit of the losses that it was fitted to."""

    E: float  # 0 if the points do not show that the curves flatten
    A: float
    alpha: float
    B: float
    beta: float

    def loss(self, parameters: npt.ArrayLike, tokens: npt.ArrayLike) -> Floats:
        """The loss of a model with so many parameters after so many tokens."""
        n, d = np.asarray(parameters, np.float64), np.asarray(tokens, np.float64)
        found: Floats = self.E + self.A * n**-self.alpha + self.B * d**-self.beta
        return found


def fit(parameters: Floats, tokens: Floats, losses: Floats, start: Law | None = None) -> Law:
    """The law of measured points: three arrays (points).

    start: begin at this law only, as a bootstrap does.
    """
    log_n, log_d = np.log(parameters), np.log(tokens)
    # centred, so that the exponents and the factors are less dependent on each other
    middle_n, middle_d = log_n.mean(), log_d.mean()
    arguments = log_n - middle_n, log_d - middle_d, np.log(losses)
    starts = _starts(arguments) if start is None else [_centred(start, middle_n, middle_d)]
    ends = [
        least_squares(_residuals, x, _jacobian, BOUNDS, loss="huber", f_scale=DELTA, args=arguments, **TOLERANCES)
        for x in starts
    ]
    a, alpha, b, beta, floor = min(ends, key=lambda end: float(end.cost)).x
    return Law(
        E=float(floor) if floor > NEGLIGIBLE * losses.min() else 0.0,
        A=float(np.exp(a + alpha * middle_n)),
        alpha=float(alpha),
        B=float(np.exp(b + beta * middle_d)),
        beta=float(beta),
    )


BOUNDS = ((-20, 0.001, -20, 0.001, 0), (20, 3, 20, 3, np.inf))
TOLERANCES = {"xtol": 1e-10, "ftol": 1e-12, "gtol": 1e-14, "max_nfev": 200}


def _starts(arguments: tuple[Floats, Floats, Floats]) -> list[tuple[float, ...]]:
    """The best laws of a grid of exponents."""
    log_n, log_d, log_losses = arguments
    found = []
    for alpha, beta in product(EXPONENTS, EXPONENTS):
        terms = np.stack([np.exp(-alpha * log_n), np.exp(-beta * log_d), np.ones_like(log_n)], axis=1)
        factors, error = nnls(terms / np.exp(log_losses)[:, None], np.ones_like(log_n))
        a, b = np.log(np.maximum(factors[:2], SMALLEST))
        found.append((error, (float(a), alpha, float(b), beta, max(float(factors[2]), SMALLEST))))
    return [start for _, start in sorted(found)[:REFINED]]


def _centred(law: Law, middle_n: float, middle_d: float) -> tuple[float, ...]:
    a, b = np.log(law.A) - law.alpha * middle_n, np.log(law.B) - law.beta * middle_d
    return float(a), law.alpha, float(b), law.beta, max(law.E, SMALLEST)


def _terms(x: Floats, log_n: Floats, log_d: Floats) -> tuple[Floats, Floats, Floats]:
    """A / N^alpha, B / D^beta, and the law: (points) each."""
    a, alpha, b, beta, floor = x
    of_n, of_d = np.exp(a - alpha * log_n), np.exp(b - beta * log_d)
    return of_n, of_d, of_n + of_d + floor


def _residuals(x: Floats, log_n: Floats, log_d: Floats, log_losses: Floats) -> Floats:
    *_, law = _terms(x, log_n, log_d)
    return np.log(law) - log_losses


def _jacobian(x: Floats, log_n: Floats, log_d: Floats, log_losses: Floats) -> Floats:
    """Derivatives of the residuals: (points, 5)."""
    of_n, of_d, law = _terms(x, log_n, log_d)
    columns = of_n, -of_n * log_n, of_d, -of_d * log_d, np.ones_like(law)
    return np.stack(columns, axis=1) / law[:, None]
