"""Gaussian-process regression: kernel and noise by Adam on the marginal likelihood, predictions by Cholesky.

    rushlight run examples/gaussian_process.py --steps 150

The formulas are those of Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), algorithm 2.1.
"""

import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def inverse_softplus(value):
    return math.log(math.expm1(value))


class ExactGP(nn.Module):
    """A Gaussian process of zero mean with a squared-exponential kernel plus a periodic one."""

    def __init__(self):
        super().__init__()
        start = {"lengthscale": 0.5, "outputscale": 1.0, "period": 1.0, "smoothness": 1.0, "noise": 0.1}
        self.raw = nn.ParameterDict(
            {name: nn.Parameter(torch.tensor(inverse_softplus(value))) for name, value in start.items()}
        )

    def __getattr__(self, name):
        parameters = self.__dict__["_modules"].get("raw", {})
        if name in parameters:
            return F.softplus(parameters[name])
        return super().__getattr__(name)

    def kernel(self, a, b):
        """Covariances of the function's values at points a, (N, 1), and b, (M, 1): (N, M)."""
        squared = torch.cdist(a / self.lengthscale, b / self.lengthscale, compute_mode="donot_use_mm_for_euclid_dist")
        distance = (a - b.T).abs()
        periodic = torch.exp(-2 * (torch.sin(math.pi * distance / self.period) / self.smoothness) ** 2)
        return self.outputscale * torch.exp(-0.5 * squared**2) + periodic

    def factor(self, x):
        return torch.linalg.cholesky(self.kernel(x, x) + self.noise * torch.eye(len(x)))

    def log_marginal_likelihood(self, x, y):
        L = self.factor(x)
        alpha = torch.cholesky_solve(y.unsqueeze(1), L).squeeze(1)
        return -0.5 * y @ alpha - L.diagonal().log().sum() - 0.5 * len(x) * math.log(2 * math.pi)

    @torch.no_grad()
    def predict(self, x, y, new):
        """Mean and variance of the function at new points."""
        L = self.factor(x)
        cross = self.kernel(x, new)
        mean = cross.T @ torch.cholesky_solve(y.unsqueeze(1), L)
        v = torch.linalg.solve_triangular(L, cross, upper=False)
        variance = self.kernel(new, new).diagonal() - v.square().sum(dim=0)
        return mean.squeeze(1), variance


def main():
    parser = argparse.ArgumentParser(description="Gaussian-process regression")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--save", metavar="FILE", help="write the hyper-parameters here")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_default_dtype(torch.double)
    x, _ = torch.sort(4 * torch.rand(args.points, 1), dim=0)
    y = (torch.sin(2 * math.pi * x) + 0.5 * x + 0.2 * torch.randn_like(x)).squeeze(1)
    y = y - y.mean()

    model = ExactGP()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for step in range(1, args.steps + 1):
        optimizer.zero_grad()
        loss = -model.log_marginal_likelihood(x, y) / len(x)
        loss.backward()
        optimizer.step()
        if step % args.log_every == 0:
            print(f"step {step:4d}  loss {loss.item():.10f}")

    for name in model.raw:
        print(f"{name} {getattr(model, name).item():.6f}")
    new = torch.linspace(0, 5, 11).unsqueeze(1)
    mean, variance = model.predict(x, y, new)
    for point, m, s in zip(new.squeeze(1).tolist(), mean.tolist(), variance.clamp_min(0).sqrt().tolist()):
        print(f"f({point:.1f}) = {m:.5f} +- {s:.5f}")
    if args.save:
        torch.save(model.state_dict(), args.save)


if __name__ == "__main__":
    main()
