"""A physics-informed network (Raissi, Perdikaris and Karniadakis, 2019): Burgers' equation without data.

    rushlight run examples/pinn.py --steps 1000

The network is u(t, x) on 0 <= t <= 1, -1 <= x <= 1, held to u_t + u u_x = (0.01 / pi) u_xx at random points, to
u(0, x) = -sin(pi x) and to u(t, +-1) = 0. The derivatives come from autograd, u_xx by differentiating twice.
"""

import argparse
import math

import torch
import torch.nn as nn
from torch.autograd import grad


class PINN(nn.Module):
    def __init__(self, width=32, depth=4):
        super().__init__()
        layers = [nn.Linear(2, width), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.Tanh()]
        layers.append(nn.Linear(width, 1))
        self.net = nn.Sequential(*layers)
        for layer in self.net:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain("tanh"))
                nn.init.constant_(layer.bias, 0.0)

    def forward(self, t, x):
        return self.net(torch.cat([t, x], dim=1))


def residual(model, t, x, viscosity):
    """How far u is from Burgers' equation at the points, (N, 1)."""
    t.requires_grad_(True)
    x.requires_grad_(True)
    u = model(t, x)
    ones = torch.ones_like(u)
    u_t, u_x = grad(u, (t, x), grad_outputs=ones, create_graph=True)
    (u_xx,) = grad(u_x, x, grad_outputs=ones, create_graph=True)
    return u_t + u * u_x - viscosity * u_xx


def main():
    parser = argparse.ArgumentParser(description="physics-informed network for Burgers' equation")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--points", type=int, default=500, help="points a step at which the equation is asked for")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--viscosity", type=float, default=0.01 / math.pi)
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--log-every", type=int, default=25)
    parser.add_argument("--save", metavar="FILE", help="write the weights here")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    model = PINN(args.width)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=200, gamma=0.7)

    x_initial = torch.linspace(-1, 1, 101).unsqueeze(1)
    u_initial = -torch.sin(math.pi * x_initial)
    t_edge = torch.linspace(0, 1, 51).unsqueeze(1)
    mse = nn.MSELoss()

    for step in range(1, args.steps + 1):
        t = torch.rand(args.points, 1)
        x = torch.rand(args.points, 1) * 2 - 1
        optimizer.zero_grad()
        loss_pde = residual(model, t, x, args.viscosity).pow(2).mean()
        loss_initial = mse(model(torch.zeros_like(x_initial), x_initial), u_initial)
        edges = torch.cat([model(t_edge, torch.full_like(t_edge, side)) for side in (-1.0, 1.0)])
        loss = loss_pde + loss_initial + (edges**2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % args.log_every == 0:
            parts = f"equation {loss_pde.item():.7f}  start {loss_initial.item():.7f}"
            print(f"step {step:4d}  loss {loss.item():.7f}  {parts}")

    model.eval()
    with torch.no_grad():
        x = torch.linspace(-1, 1, 9).view(-1, 1)
        for time in (0.0, 0.5, 1.0):
            u = model(torch.full_like(x, time), x).squeeze(1)
            print(f"u({time}, x):", " ".join(f"{value:8.4f}" for value in u.tolist()))
    if args.save:
        torch.save(model.state_dict(), args.save)


if __name__ == "__main__":
    main()
