"""Classify handwritten digits with a multilayer perceptron, dropout and Adam.

    rushlight run examples/digits_mlp.py --steps 400
    rushlight run examples/digits_mlp.py --steps 800 --resume digits_mlp.pt     # after --save digits_mlp.pt

The pictures are the 8 x 8 ones of `data/digits.csv.gz`; an epoch is 23 batches of 64.
"""

import argparse
import gzip
from pathlib import Path

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset, random_split

DATA = Path(__file__).resolve().parent / "data" / "digits.csv.gz"


class Digits(Dataset):
    """Pairs of a picture, 64 grey levels from 0 to 1, and the digit that it shows."""

    def __init__(self, path=DATA):
        with gzip.open(path, "rt") as file:
            rows = [[int(number) for number in line.split(",")] for line in file]
        self.pictures = torch.tensor([row[:-1] for row in rows], dtype=torch.float32) / 16
        self.digits = torch.tensor([row[-1] for row in rows])

    def __len__(self):
        return len(self.digits)

    def __getitem__(self, index):
        return self.pictures[index], self.digits[index]


class MLP(nn.Module):
    def __init__(self, hidden=128, dropout=0.2):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden // 2),
            nn.ReLU(),
            nn.Linear(hidden // 2, 10),
        )

    def forward(self, x):
        return self.layers(x)


def batches(loader):
    """The loader's batches, epoch after epoch."""
    while True:
        yield from loader


def train(model, loader, criterion, optimizer, first, last, log_every, device):
    model.train()
    for step, (pictures, digits) in zip(range(first, last + 1), batches(loader)):
        pictures, digits = pictures.to(device), digits.to(device)
        optimizer.zero_grad()
        loss = criterion(model(pictures), digits)
        loss.backward()
        optimizer.step()
        if step % log_every == 0:
            print(f"step {step:4d}  loss {loss.item():.7f}")


@torch.no_grad()
def test(model, loader, device):
    """Mean loss and accuracy over the loader."""
    model.eval()
    loss, correct = 0.0, 0
    for pictures, digits in loader:
        pictures, digits = pictures.to(device), digits.to(device)
        scores = model(pictures)
        loss += nn.functional.cross_entropy(scores, digits, reduction="sum").item()
        correct += (scores.argmax(dim=1) == digits).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description="MLP on handwritten digits")
    parser.add_argument("--steps", type=int, default=400, help="number of batches to train on, in all")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log-every", type=int, default=20)
    parser.add_argument("--save", metavar="FILE", help="write a checkpoint here at the end")
    parser.add_argument("--resume", metavar="FILE", help="go on from this checkpoint")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_set, test_set = random_split(Digits(), [0.8, 0.2])
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=256)

    model = MLP(args.hidden).to(device)
    print(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    first = 1
    if args.resume:
        checkpoint = torch.load(args.resume, map_location=device)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        first = checkpoint["step"] + 1

    train(model, train_loader, nn.CrossEntropyLoss(), optimizer, first, args.steps, args.log_every, device)
    loss, accuracy = test(model, test_loader, device)
    print(f"test loss {loss:.6f}  accuracy {accuracy:.4f}")

    if args.save:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": args.steps}
        torch.save(state, args.save)


if __name__ == "__main__":
    main()
