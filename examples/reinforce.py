"""REINFORCE (Williams, 1992) on the cart and pole of Barto, Sutton and Anderson (1983), which is written here too.

    rushlight run examples/reinforce.py --steps 300

A step is an episode. The loss is a small difference of large sums, since the returns of an episode have mean 0, and an
action drawn the other way for one rounding error changes all that follows: so everything is in double precision.
"""

import argparse
import math
from collections import deque

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical


class CartPole:
    """A pole on a cart, pushed left (0) or right (1) with 10 N every 0.02 s; it ends when pole or cart is too far off."""

    gravity, cart, pole, half_length, force, tau = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def reset(self):
        self.state = ((torch.rand(4) - 0.5) * 0.1).tolist()
        return torch.tensor(self.state)

    def step(self, action):
        x, v, angle, spin = self.state
        force = self.force if action == 1 else -self.force
        mass = self.cart + self.pole
        sine, cosine = math.sin(angle), math.cos(angle)
        push = (force + self.pole * self.half_length * spin**2 * sine) / mass
        twist = (self.gravity * sine - cosine * push) / (self.half_length * (4 / 3 - self.pole * cosine**2 / mass))
        acceleration = push - self.pole * self.half_length * twist * cosine / mass
        x, v = x + self.tau * v, v + self.tau * acceleration
        angle, spin = angle + self.tau * spin, spin + self.tau * twist
        self.state = [x, v, angle, spin]
        done = abs(x) > 2.4 or abs(angle) > math.radians(12)
        return torch.tensor(self.state), 1.0, done


class Policy(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.affine1 = nn.Linear(4, hidden)
        self.dropout = nn.Dropout(p=0.2)
        self.affine2 = nn.Linear(hidden, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.affine2(x), dim=1)


def select_action(policy, state):
    probs = policy(state.unsqueeze(0))
    m = Categorical(probs)
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episode(policy, optimizer, gamma):
    """One step of the optimiser on the episode's returns, made to mean 0 and deviation 1; returns the loss."""
    eps = torch.finfo(torch.float64).eps
    returns = deque()
    R = 0.0
    for r in reversed(policy.rewards):
        R = r + gamma * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    policy_loss = [-log_prob * R for log_prob, R in zip(policy.saved_log_probs, returns)]
    optimizer.zero_grad()
    loss = torch.cat(policy_loss).sum()
    loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description="REINFORCE on a cart-pole")
    parser.add_argument("--steps", type=int, default=200, help="number of episodes")
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--limit", type=int, default=500, help="longest episode")
    parser.add_argument("--seed", type=int, default=543)
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--save", metavar="FILE", help="write the policy's weights here")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_default_dtype(torch.float64)
    env = CartPole()
    policy = Policy()
    optimizer = optim.Adam(policy.parameters(), lr=args.lr)
    running_reward = 10
    for episode in range(1, args.steps + 1):
        state, ep_reward = env.reset(), 0
        for _ in range(args.limit):
            action = select_action(policy, state)
            state, reward, done = env.step(action)
            policy.rewards.append(reward)
            ep_reward += reward
            if done:
                break
        running_reward = 0.05 * ep_reward + (1 - 0.05) * running_reward
        loss = finish_episode(policy, optimizer, args.gamma)
        if episode % args.log_every == 0:
            print(f"episode {episode:4d}  loss {loss:.8f}  reward {ep_reward:.0f}  running {running_reward:.2f}")
        if running_reward > 0.95 * args.limit:
            print(f"solved: the running reward is {running_reward:.2f}")
            break

    policy.eval()
    with torch.no_grad():
        probs = policy(torch.tensor([[0.0, 0.0, 0.05, 0.0], [0.0, 0.0, -0.05, 0.0]]))
    print("a pole leaning right, left: pushed right with probability", [round(p, 4) for p in probs[:, 1].tolist()])
    if args.save:
        torch.save(policy.state_dict(), args.save)


if __name__ == "__main__":
    main()
