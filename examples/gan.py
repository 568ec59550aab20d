"""A generative adversarial network that learns a ring of Gaussians (a favourite first test of GANs).

    rushlight run examples/gan.py --steps 2000

Layers before a batch norm have no bias: batch norm takes it away, so its gradient would be nothing but rounding error,
which Adam would blow up to full steps.
"""

import argparse
import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, IterableDataset


class Ring(IterableDataset):
    """Endless points near the corners of a regular polygon on the unit circle."""

    def __init__(self, modes=8, spread=0.05):
        self.modes = modes
        self.spread = spread

    def __iter__(self):
        while True:
            angle = 2 * math.pi * torch.randint(self.modes, ()).item() / self.modes
            yield torch.tensor([math.cos(angle), math.sin(angle)]) + self.spread * torch.randn(2)


class Generator(nn.Module):
    def __init__(self, nz, width):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(nz, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(True),
            nn.Linear(width, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(True),
            nn.Linear(width, 2),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(-1)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        nn.init.xavier_normal_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


def main():
    parser = argparse.ArgumentParser(description="GAN on a ring of Gaussians")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--nz", type=int, default=16, help="size of the noise")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--beta1", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=999)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--save", metavar="FILE", help="write both networks here")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    dataloader = DataLoader(Ring(), batch_size=args.batch_size)

    netG = Generator(args.nz, args.width).to(device)
    netG.apply(weights_init)
    netD = Discriminator(args.width).to(device)
    netD.apply(weights_init)
    criterion = nn.BCELoss()
    fixed_noise = torch.randn(1000, args.nz, device=device)
    real_label, fake_label = 1.0, 0.0
    optimizerD = torch.optim.Adam(netD.parameters(), lr=args.lr, betas=(args.beta1, 0.999))
    optimizerG = torch.optim.Adam(netG.parameters(), lr=args.lr, betas=(args.beta1, 0.999))

    for step, data in enumerate(dataloader, 1):
        if step > args.steps:
            break
        # the discriminator: maximise log D(x) + log(1 - D(G(z)))
        netD.zero_grad()
        real = data.to(device)
        label = torch.full((real.size(0),), real_label, device=device)
        output = netD(real)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()

        noise = torch.randn(real.size(0), args.nz, device=device)
        fake = netG(noise)
        label.fill_(fake_label)
        errD_fake = criterion(netD(fake.detach()), label)
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()

        # the generator: maximise log D(G(z))
        netG.zero_grad()
        label.fill_(real_label)
        errG = criterion(netD(fake), label)
        errG.backward()
        optimizerG.step()

        if step % args.log_every == 0:
            print(f"step {step:5d}  loss_D {errD.item():.7f}  loss_G {errG.item():.7f}  D(x) {D_x:.6f}")

    netG.eval()
    with torch.no_grad():
        points = netG(fixed_noise)
    radius = points.norm(dim=1)
    sector = torch.remainder(torch.atan2(points[:, 1], points[:, 0]) * 8 / (2 * math.pi) + 0.5, 8).long()
    print(f"radius {radius.mean().item():.4f} +- {radius.std().item():.4f}")
    print("points near each corner:", torch.bincount(sector.clamp(0, 7), minlength=8).tolist())
    if args.save:
        torch.save({"generator": netG.state_dict(), "discriminator": netD.state_dict()}, args.save)


if __name__ == "__main__":
    main()
