"""Train a multilayer perceptron to read handwritten digits: an ordinary PyTorch script.

    rushlight run examples/digits.py        # on rushlight
    python examples/digits.py               # on PyTorch, where it is installed

It prints the same either way: random numbers, and with them weights, shuffles and results, agree.
"""

import argparse
import gzip
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

try:
    from tqdm import tqdm
except ImportError:

    def tqdm(steps, **options):
        return steps


HERE = pathlib.Path(__file__).resolve().parent


def load(path=HERE / "data" / "digits.csv.gz"):
    """The pictures, (1797, 64) of float32 from 0 to 1, and what they show, (1797,) of int64."""
    with gzip.open(path, "rt") as file:
        rows = torch.tensor([[int(number) for number in line.split(",")] for line in file])
    return rows[:, :-1].float() / 16, rows[:, -1]


def make_parameters(widths):
    """Weights and biases of a perceptron with layers of these widths; weights scaled for ReLU (He et al., 2015)."""
    parameters = []
    for inputs, outputs in zip(widths[:-1], widths[1:]):
        weight = torch.randn(inputs, outputs) * (2 / inputs) ** 0.5
        parameters += [weight.requires_grad_(), torch.zeros(outputs, requires_grad=True)]
    return parameters


def predict(parameters, pictures):
    """Scores of the ten digits for each picture."""
    hidden = pictures
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        hidden = torch.relu(hidden @ weight + bias)
    return hidden @ parameters[-2] + parameters[-1]


def sgd(parameters, velocities, rate, momentum=0.9, decay=1e-4):
    """One step of gradient descent with momentum; forgets the gradients."""
    with torch.no_grad():
        for parameter, velocity in zip(parameters, velocities):
            velocity.mul_(momentum).add_(parameter.grad).add_(parameter, alpha=decay)
            parameter -= rate * velocity
            parameter.grad = None


def accuracy(parameters, pictures, digits):
    with torch.no_grad():
        return (predict(parameters, pictures).argmax(dim=1) == digits).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description="Train a multilayer perceptron on the UCI handwritten digits.")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    started = time.perf_counter()
    torch.manual_seed(options.seed)
    pictures, digits = load()
    order = torch.randperm(len(pictures))
    train, held_out = order[360:], order[:360]

    parameters = make_parameters([64, 128, 64, 10])
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    print(f"{len(train)} digits to learn from, {len(held_out)} held out")
    history = []
    for epoch in tqdm(range(1, options.epochs + 1), desc="training", unit="epoch", file=sys.stderr):
        total = 0.0
        for batch in train[torch.randperm(len(train))].split(options.batch):
            loss = F.cross_entropy(predict(parameters, pictures[batch]), digits[batch])
            loss.backward()
            sgd(parameters, velocities, options.rate)
            total += loss.item() * len(batch)
        history.append((epoch, total / len(train)))
    for epoch, loss in history[4::5] or history[-1:]:
        print(f"epoch {epoch:2d}: loss {loss:.4f}")
    print(f"accuracy on the held-out digits: {accuracy(parameters, pictures[held_out], digits[held_out]):.1%}")
    print(f"({time.perf_counter() - started:.1f} s)", file=sys.stderr)


if __name__ == "__main__":
    main()
