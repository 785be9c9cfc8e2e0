"""A linear decoder refined together with the latents, after training: a Poisson or NB model of latent factors.

What an encoder can tell of a cell limits what its decoder learns in training. From there on, latents and decoder are
improved in turn (Townes 2019, doi 10.1186/s13059-019-1861-6, has the model): each round is one pass over the cells, in
which the latents of each take some steps of Fisher scoring and the regressions of all genes on them are added up; then
the weights of each gene take one such step, and the sizes of an NB one of their own (`zipo.engine.size_regressions`).
Latents and weights have normal priors about zero, with the variances that they turn out to have: a factor that explains
nothing loses its weights.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from zipo.engine.batches import AnyCounts, Batch
from zipo.engine.likelihoods import BASES, SMALLEST_RATE, NegativeBinomial, Poisson
from zipo.engine.model import ENTRIES_AT_ONCE, Network
from zipo.engine.refinement import Place, refined, symmetric, with_one
from zipo.engine.regression_steps import regression_steps
from zipo.engine.size_regressions import SizeRegressions
from zipo.engine.uncertainty import covariance_root, log_rate_variance

ROUNDS = 24
"""Rounds at most; most data need about ten, sparse ones more."""
TOLERANCE = 3e-4
"""Relative change of the NLL in a round at which they end."""
STEPS = 2
"""Steps that the latents of a cell take in a round; the next round goes on from there."""
MOST_CELLS = 50_000
"""Cells that the weights are refined on, drawn at random; more would change them little."""
LARGEST = 2.0
"""Largest change of a log rate in a step, in any cell that is no outlier."""
VAGUE = 1e-3
"""Precision of the prior of biases and of weights on covariates."""
WORSE = 1.25
"""Factor of the NLL by which a round may be worse than the best; beyond, the best is kept. Priors that tighten raise
it: where a twentieth of human pancreas's molecules is left, by 8 %."""
OPEN_ROUNDS = 4
"""First rounds, in which priors of weights are as wide as OPEN_VARIANCE at least, so that a factor whose weights are
still small can grow."""
OPEN_VARIANCE = 0.05
LEAST_VARIANCE = 1e-6
"""Of a factor's latents or weights, so that one without use stays a number."""


def can_refine_decoder(network: Network) -> bool:
    """Whether the decoder is a regression with a log link: linear, with observed library sizes, without inflation."""
    p = network.hyper
    # whose score by a log rate is the information times (count / rate - 1)
    regression = BASES[p.family.base] in (Poisson, NegativeBinomial) and not p.zero_inflated
    return network.has_linear_rates and regression and (not p.overdispersed or p.dispersion != "logits")


@torch.no_grad()
def fit_prior(network: Network, parts: Sequence[AnyCounts], seed: int) -> None:
    """Fit the prior of a trained network's latents, and its decoder where that is a regression, in place.

    From then on the network predicts from refined latents.
    """
    network.eval()
    prior = network.prior_of_latents
    prior.fitted.fill_(False)
    prior.weights.axes.zero_()
    batches = _Batches(parts, seed)
    guesses = [network(batch).latent for batch in batches]
    guess = torch.cat(guesses)
    if can_refine_decoder(network):
        latent = _standardise(network, guess)
        latent = _refine_in_turn(network, batches, latent.split([len(each) for each in guesses]))
        _start_from(network, guess, latent)
        _to_principal_axes(network)
        _fit_weight_posterior(network, batches, guesses)
    else:
        prior.centre.copy_(guess.mean(dim=0))
        prior.precision.copy_(1 / guess.var(dim=0).clamp(min=LEAST_VARIANCE))
    prior.fitted.fill_(True)


class _Batches:
    """The cells that the decoder is refined on, in batches that are the same in each round."""

    def __init__(self, parts: Sequence[AnyCounts], seed: int) -> None:
        self.parts = parts
        self.size = max(2, ENTRIES_AT_ONCE // parts[0].genes)
        cells = sum(part.cells for part in parts)
        generator = torch.Generator().manual_seed(seed)
        # the order of counts on disk is by blocks, so that its first cells are of all places
        self.orders: list[Tensor | None] = [None] * len(parts)
        if cells > MOST_CELLS:
            self.orders = [part.order(generator)[: part.cells * MOST_CELLS // cells] for part in parts]

    def __iter__(self) -> Iterator[Batch]:
        for part, order in zip(self.parts, self.orders, strict=True):
            yield from part.batches(self.size, order)


def _standardise(network: Network, guess: Tensor) -> Tensor:
    """Change the network's latents to ones of mean zero and unit covariance, the widest loadings first; the same rates.

    Returns the guesses (N, L) as such latents.
    """
    weights = network.latent_weights
    mean = guess.mean(dim=0)
    spread, axes = torch.linalg.eigh(torch.cov(guess.T).double().reshape(len(mean), -1))
    spread = spread.clamp(min=LEAST_VARIANCE * spread.max()).sqrt()
    loadings = weights.double() @ (axes * spread)
    # the axes of the loadings, as many as latents, also where there are fewer genes
    turned = torch.linalg.eigh(loadings.T @ loadings).eigenvectors.flip(1)
    to_standard = ((axes / spread) @ turned).float()
    _map_heads(network, ((axes * spread) @ turned).float(), mean)
    _map_start(network, to_standard, -(mean @ to_standard))
    return (guess - mean) @ to_standard


def _map_heads(network: Network, matrix: Tensor, centre: Tensor) -> None:
    """Let the decoder take latents u for which the present ones are matrix u + centre; the same rates and sizes."""
    for head in (network.log_proportions, network.dispersion):
        if not isinstance(head, nn.Linear):
            continue
        weights = head.weight[:, : network.encoder.latents]
        head.bias.add_(weights @ centre)
        weights.copy_((weights.double() @ matrix.double()).float())


def _map_start(network: Network, matrix: Tensor, shift: Tensor) -> None:
    """Let the first latents be these of matrix and shift from the present ones."""
    prior = network.prior_of_latents
    prior.shift.copy_(prior.shift @ matrix + shift)
    prior.start.copy_(prior.start @ matrix)


def _start_from(network: Network, first: Tensor, latent: Tensor) -> None:
    """Let refinement start where the encoder's guess predicts the refined latents best, by least squares."""
    inputs = torch.cat([first, torch.ones_like(first[:, :1])], dim=1).double()
    ridge = VAGUE * torch.eye(inputs.shape[1], dtype=torch.float64, device=inputs.device)
    coefficients = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ latent.double()).float()
    _map_start(network, coefficients[:-1], coefficients[-1])


def _to_principal_axes(network: Network) -> None:
    """Change the latents to the principal axes of the log rates that they stand for; the same rates and prior.

    A distance of latents is then the root mean square difference of two cells' log proportions over the genes, so that
    neighbours and clusters heed a latent for what it does to expression, whatever the scale of its weights. With the
    covariance D of the prior and the weights M, centred as the proportions of a mean cell have it, D^1/2 M' M D^1/2 / G
    = Q V Q' gives the latents V^1/2 Q' D^-1/2 (u - centre), of the covariance V by their prior: the widest come first.
    """
    prior, weights = network.prior_of_latents, network.latent_weights
    spread = prior.precision.double().rsqrt()
    loadings = weights.double() * spread
    bias = weights.double() @ prior.centre.double()
    share = torch.softmax(network.log_proportions.bias.double() + bias, dim=0)
    centred = loadings - share @ loadings
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    variance, axes = variance.flip(0).clamp(min=LEAST_VARIANCE), axes.flip(1)
    matrix = (axes * variance.sqrt() / spread[:, None]).float()
    _map_heads(network, (spread[:, None] * axes / variance.sqrt()).float(), prior.centre)
    _map_start(network, matrix, -(prior.centre @ matrix))
    prior.centre.zero_()
    prior.precision.copy_(1 / variance)


def _refine_in_turn(network: Network, batches: _Batches, latents: Sequence[Tensor]) -> Tensor:
    """Improve the latents of each batch, and the decoder, in turn; the decoder and the prior in place.

    Returns the refined latents (N, L).
    """
    prior = network.prior_of_latents
    before = best = float("inf")
    latent = torch.cat(list(latents))
    kept = latent, _decoder_of(network)
    for number in range(ROUNDS):
        regressions, parts, uncertain = Regressions(network), [], []
        for batch, first in zip(batches, latents, strict=True):
            at = refined(network, batch, first, STEPS)
            spread = covariance_root(prior.precision, at.curvature)
            regressions.add(batch, at, spread)
            parts.append(at.latent)
            uncertain.append(spread.square().sum(dim=2))
        regressions.fit_posterior()
        latents, latent, nll = parts, torch.cat(parts), regressions.nll
        if not nll <= WORSE * best:
            latent, decoder = kept
            for tensor, values in zip(_decoder_of(network), decoder, strict=True):
                tensor.copy_(values)
            break
        if nll < best:
            best, kept = nll, (latent, [tensor.clone() for tensor in _decoder_of(network)])
        prior.centre.copy_(latent.mean(dim=0))
        # that of the true latents: what their maxima vary by, and what these leave open
        variance = latent.var(dim=0) + torch.cat(uncertain).mean(dim=0)
        prior.precision.copy_(1 / variance.clamp(min=LEAST_VARIANCE))
        if number >= OPEN_ROUNDS and abs(before - nll) < TOLERANCE * nll:
            break
        before = nll
        regressions.step(OPEN_VARIANCE if number < OPEN_ROUNDS else LEAST_VARIANCE)
    return latent


def _fit_weight_posterior(network: Network, batches: _Batches, guesses: Sequence[Tensor]) -> None:
    """Fit what the counts leave open of the decoder's weights, which standard errors tell, in place."""
    regressions, prior = Regressions(network), network.prior_of_latents
    for batch, guess in zip(batches, guesses, strict=True):
        first = prior.without_outliers(prior(guess))
        regressions.add_normal(batch, refined(network, batch, first, STEPS).latent)
    regressions.fit_posterior()


def _decoder_of(network: Network) -> list[Tensor]:
    """What a round changes beside the latents."""
    sizes = [] if network.dispersion is None else [parameter.data for parameter in network.dispersion.parameters()]
    prior = network.prior_of_latents
    return [
        network.log_proportions.weight.data,
        network.log_proportions.bias.data,
        prior.centre,
        prior.precision,
        *sizes,
    ]


class Regressions:
    """The regressions of all genes on latents and covariates at the present weights, added up over batches of cells.

    The proportions' sum of a cell is taken as given, so that each gene has a regression of its own, and at its end
    weighted residuals that add up to zero: the posterior means of an NB then add up to the gene's counts.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        head = network.log_proportions
        genes, inputs = head.weight.shape
        self.rows, self.columns = torch.triu_indices(inputs + 1, inputs + 1, device=head.weight.device)
        self.gradient = head.weight.new_zeros(genes, inputs + 1)
        self.normal = head.weight.new_zeros(genes, len(self.rows))
        self.inputs: list[Tensor] = []  # without outliers, for the bound of a step
        self.sizes = None if network.dispersion is None else SizeRegressions(network, network.dispersion)
        self.nll = 0.0

    def add(self, batch: Batch, at: Place, spread: Tensor) -> None:
        """Add the cells of a batch at these latents, whose covariances have the roots `spread` (B, L, L)."""
        prediction = self.network.decode(at.latent, batch)
        likelihood = prediction.likelihood
        information, rates = likelihood.information, likelihood.rates
        inputs = with_one(at.latent, batch.covariates)
        self._add_products(information, inputs)
        without_outliers = self.network.prior_of_latents.without_outliers(at.latent)
        self.inputs.append(with_one(without_outliers, batch.covariates))
        residual = information - information / rates.clamp(min=SMALLEST_RATE) * batch.dense
        self.gradient += residual.T @ inputs
        self.nll += at.nll.sum(dtype=torch.float64).item()
        if self.sizes is not None and prediction.dispersion is not None:
            variance = log_rate_variance(self.network, prediction, spread)
            self.sizes.add(batch, rates, prediction.dispersion, variance, inputs)

    def add_normal(self, batch: Batch, latent: Tensor) -> None:
        """Add what the cells of a batch tell of the weights, and nothing that a step would need."""
        information = self.network.decode(latent, batch).likelihood.information
        self._add_products(information, with_one(latent, batch.covariates))

    def _add_products(self, information: Tensor, inputs: Tensor) -> None:
        self.normal += information.T @ (inputs[:, self.rows] * inputs[:, self.columns])

    def step(self, least_variance: float = LEAST_VARIANCE) -> None:
        """Move weights, biases and sizes by one step of Fisher scoring; a weight's prior has the variance of its
        factor's weights, and no less than `least_variance`, both in log rates per standard deviation of the latents."""
        head = self.network.log_proportions
        precision = self._precision(least_variance)
        weights = torch.cat([head.weight, head.bias[:, None]], dim=1)
        gradient = self.gradient + weights * precision
        steps = regression_steps(self.normal, precision, -gradient, self.inputs, LARGEST)
        head.weight.add_(steps[:, :-1])
        head.bias.add_(steps[:, -1])
        if self.sizes is not None:
            self.sizes.step(least_variance, self.inputs)

    def fit_posterior(self) -> None:
        """Fit the posterior of weights and biases at their present values."""
        posterior, precision = self.network.prior_of_latents.weights, self._precision(LEAST_VARIANCE).double()
        together = symmetric(self.normal.sum(dim=0, keepdim=True), len(precision))[0].double()
        scale = precision.rsqrt()
        axes = scale[:, None] * torch.linalg.eigh(together * scale[:, None] * scale).eigenvectors
        products = axes[self.rows] * axes[self.columns] * torch.where(self.rows == self.columns, 1, 2)[:, None]
        posterior.axes.copy_(axes)
        posterior.precision.copy_(1 + (self.normal @ products.float()).clamp(min=0))

    def _precision(self, least_variance: float) -> Tensor:
        """(L + C + 1,) precisions of the prior of weights and biases."""
        scale = self.network.prior_of_latents.precision
        variance = self.network.latent_weights.square().mean(dim=0).clamp(min=least_variance * scale)
        precision = torch.full((self.gradient.shape[1],), VAGUE, device=variance.device)
        precision[: len(variance)] = 1 / variance
        return precision
