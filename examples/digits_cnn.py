"""Classify handwritten digits with convolutions and batch norm, trained by SGD with momentum on a one-cycle schedule.

    rushlight run examples/digits_cnn.py --steps 200

The best model of all epochs, by its accuracy on the test digits, is kept in a checkpoint and tested again at the end.
"""

import argparse
import gzip
import os
import tempfile
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

DATA = Path(__file__).resolve().parent / "data" / "digits.csv.gz"


def load_digits():
    """The first 1,500 digits to train on, the others to test on: pictures are (N, 1, 8, 8), centred and scaled."""
    with gzip.open(DATA, "rt") as file:
        rows = torch.tensor([list(map(int, line.split(","))) for line in file])
    pictures = rows[:, :64].float().view(-1, 1, 8, 8)
    pictures = (pictures - pictures.mean()) / pictures.std()
    digits = rows[:, 64]
    return TensorDataset(pictures[:1500], digits[:1500]), TensorDataset(pictures[1500:], digits[1500:])


def conv_block(in_channels, out_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class ConvNet(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.features = nn.Sequential(
            conv_block(1, channels),
            nn.MaxPool2d(2),
            conv_block(channels, 2 * channels),
            nn.AdaptiveAvgPool2d(2),
        )
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Linear(8 * channels, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.dropout(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def evaluate(model, loader):
    model.eval()
    losses, hits = [], 0
    with torch.no_grad():
        for x, y in loader:
            scores = model(x)
            losses.append(F.cross_entropy(scores, y, reduction="none"))
            hits += scores.argmax(1).eq(y).sum().item()
    return torch.cat(losses).mean().item(), hits / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description="conv net with batch norm on handwritten digits")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--max-lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--checkpoint", metavar="FILE", help="where the best model is kept (default: a temporary file)")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_set, test_set = load_digits()
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(test_set, batch_size=297)
    model = ConvNet(args.channels)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = OneCycleLR(optimizer, max_lr=args.max_lr, total_steps=args.steps)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = args.checkpoint or os.path.join(folder, "best.pt")
        step, epoch, best = 0, 0, -1.0
        while step < args.steps:
            epoch += 1
            model.train()
            for x, y in train_loader:
                optimizer.zero_grad(set_to_none=True)
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                scheduler.step()
                step += 1
                if step % args.log_every == 0:
                    print(f"step {step:4d}  lr {scheduler.get_last_lr()[0]:.6f}  loss {loss.item():.7f}")
                if step == args.steps:
                    break
            test_loss, accuracy = evaluate(model, test_loader)
            print(f"epoch {epoch}: test loss {test_loss:.6f}  accuracy {accuracy:.4f}")
            if accuracy > best:
                best = accuracy
                torch.save({"epoch": epoch, "accuracy": accuracy, "state_dict": model.state_dict()}, checkpoint)

        saved = torch.load(checkpoint)
        model = ConvNet(args.channels)
        model.load_state_dict(saved["state_dict"])
        _, accuracy = evaluate(model, test_loader)
        print(f"best model: epoch {saved['epoch']}, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
