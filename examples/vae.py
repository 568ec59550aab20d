"""A variational autoencoder of handwritten digits (Kingma and Welling, 2013): reparametrised noise, ELBO, samples.

rushlight run examples/vae.py --steps 500
"""

import argparse
import gzip
from pathlib import Path

import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F

DATA = Path(__file__).resolve().parent / "data" / "digits.csv.gz"


class VAE(nn.Module):
    def __init__(self, hidden=100, latent=8):
        super().__init__()
        self.latent = latent
        self.fc1 = nn.Linear(64, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, 64)

    def encode(self, x):
        h = F.elu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.elu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon, x, mu, logvar):
    """The reconstruction's cross entropy, and the divergence of the code from the standard normal; both summed."""
    bce = F.binary_cross_entropy(recon, x.view(-1, 64), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce, kld


def draw(picture):
    """An 8 x 8 picture in characters."""
    levels = " .:-=+*#%@"
    return "\n".join("".join(levels[min(9, int(10 * grey))] * 2 for grey in row) for row in picture.tolist())


def main():
    parser = argparse.ArgumentParser(description="variational autoencoder on handwritten digits")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--latent", type=int, default=8)
    parser.add_argument("--beta", type=float, default=1.0, help="weight of the divergence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=20)
    parser.add_argument("--save", metavar="FILE", help="write the whole model here, and sample from the copy read back")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    with gzip.open(DATA, "rt") as file:
        rows = torch.tensor([[int(n) for n in line.split(",")] for line in file], dtype=torch.float32)
    pictures = rows[:, :64].div_(16).reshape(-1, 1, 8, 8)
    loader = torch.utils.data.DataLoader(pictures[:1500], batch_size=args.batch_size, shuffle=True)

    model = VAE(latent=args.latent)
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    model.train()
    step = 0
    while step < args.steps:
        for data in loader:
            optimizer.zero_grad()
            recon, mu, logvar = model(data)
            bce, kld = loss_function(recon, data, mu, logvar)
            loss = bce + args.beta * kld
            loss.backward()
            optimizer.step()
            step += 1
            if step % args.log_every == 0:
                n = len(data)
                print(f"step {step:4d}  loss {loss.item() / n:.6f}  bce {bce.item() / n:.6f}  kld {kld.item() / n:.6f}")
            if step == args.steps:
                break

    model.eval()
    with torch.no_grad():
        test = pictures[1500:]
        recon, mu, logvar = model(test)
        bce, kld = loss_function(recon, test, mu, logvar)
        print(f"test loss {(bce + args.beta * kld).item() / len(test):.5f}")
        if args.save:
            torch.save(model, args.save)
            model = torch.load(args.save, weights_only=False)
        for picture in model.decode(torch.randn(2, model.latent)).view(-1, 8, 8):
            print(draw(picture), end="\n\n")


if __name__ == "__main__":
    main()
