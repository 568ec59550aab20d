"""Learn to continue waves: two LSTM cells in double precision, trained on whole series by L-BFGS.

    rushlight run examples/lstm_series.py --steps 10

A step is one call of L-BFGS, which evaluates the loss some times (`--max-iter`); every evaluation's loss is printed.
"""

import argparse
import math

import torch
import torch.nn as nn
import torch.optim as optim


def make_waves(count, length, period=20):
    """Sine waves of one period and random phases, (count, length) of float64."""
    phases = torch.randint(-4 * period, 4 * period, (count, 1), dtype=torch.float64)
    return torch.sin((torch.arange(length, dtype=torch.float64) + phases) * 2 * math.pi / period)


class Sequence(nn.Module):
    """Predicts each next value; `future` more are predicted from the predictions."""

    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.lstm1 = nn.LSTMCell(1, hidden)
        self.lstm2 = nn.LSTMCell(hidden, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, input, future=0):
        outputs = []
        h1 = c1 = h2 = c2 = torch.zeros(input.size(0), self.hidden, dtype=input.dtype)
        for value in input.split(1, dim=1):
            h1, c1 = self.lstm1(value, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        for _ in range(future):
            h1, c1 = self.lstm1(output, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


def main():
    parser = argparse.ArgumentParser(description="LSTM on a time series, with L-BFGS")
    parser.add_argument("--steps", type=int, default=8, help="calls of the optimiser")
    parser.add_argument("--max-iter", type=int, default=10, help="iterations of L-BFGS a step")
    parser.add_argument("--waves", type=int, default=30)
    parser.add_argument("--length", type=int, default=60)
    parser.add_argument("--hidden", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", metavar="FILE", help="write the weights here at the end")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_default_dtype(torch.float64)
    waves = make_waves(args.waves, args.length)
    held_out = max(1, args.waves // 10)
    input, target = waves[held_out:, :-1], waves[held_out:, 1:]
    test_input, test_target = waves[:held_out, :-1], waves[:held_out, 1:]

    model = Sequence(args.hidden)
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(model.parameters(), lr=0.8, max_iter=args.max_iter, line_search_fn="strong_wolfe")

    for step in range(1, args.steps + 1):
        evaluations = 0

        def closure():
            nonlocal evaluations
            evaluations += 1
            optimizer.zero_grad()
            loss = criterion(model(input), target)
            print(f"step {step} evaluation {evaluations:2d}  loss {loss.item():.10f}")  # noqa: B023 (called in this turn)
            loss.backward()
            return loss

        optimizer.step(closure)
        with torch.no_grad():
            future = args.length
            prediction = model(test_input, future=future)
            loss = criterion(prediction[:, :-future], test_target)
            print(f"step {step}: test loss {loss.item():.8f}")

    print("continued:", " ".join(f"{value:.4f}" for value in prediction[0, -future:][:10].tolist()))
    if args.save:
        torch.save(model.state_dict(), args.save)


if __name__ == "__main__":
    main()
