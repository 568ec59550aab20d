"""A graph convolutional network (Kipf and Welling, 2017) finds communities in a generated graph from a few labels.

    rushlight run examples/graph_network.py --steps 100

Nodes of one community are joined more often than others; messages along the edges are summed by index_add, and the
features of a whole community are read out by scatter_reduce.
"""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


def make_graph(nodes, communities, inside=0.15, outside=0.01):
    """Edges in both directions, (2, E), features, (nodes, 16), and communities, (nodes,), of a random graph."""
    labels = torch.arange(nodes) % communities
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    chance = torch.where(same, inside, outside)
    joined = torch.bernoulli(chance).triu(diagonal=1).bool()
    one_way = joined.nonzero().t()
    edges = torch.cat([one_way, one_way.flip(0)], dim=1)
    features = torch.randn(nodes, 16) + 0.4 * F.one_hot(labels, 16)
    return edges, features, labels


class GCNConv(nn.Module):
    """Each node takes the mean of its neighbours and itself, weighted by 1 / sqrt(degree) at both ends."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, edges):
        n = x.size(0)
        loops = torch.arange(n, device=x.device)
        source = torch.cat([edges[0], loops])
        target = torch.cat([edges[1], loops])
        degree = torch.zeros(n).scatter_add_(0, target, torch.ones(target.size(0)))
        norm = degree.rsqrt()
        x = x @ self.weight
        messages = x[source] * (norm[source] * norm[target]).unsqueeze(1)
        return torch.zeros_like(x).index_add(0, target, messages) + self.bias

    def extra_repr(self):
        return f"{self.weight.size(0)}, {self.weight.size(1)}"


class GCN(nn.Module):
    def __init__(self, in_features, hidden, classes, dropout=0.5):
        super().__init__()
        self.conv1 = GCNConv(in_features, hidden)
        self.conv2 = GCNConv(hidden, classes)
        self.dropout = dropout

    def forward(self, x, edges):
        x = F.dropout(x, self.dropout, training=self.training)
        x = F.relu(self.conv1(x, edges))
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(self.conv2(x, edges), dim=1)


def main():
    parser = argparse.ArgumentParser(description="GCN on a generated graph")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=300)
    parser.add_argument("--communities", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--labelled", type=int, default=40, help="nodes whose community is known in training")
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--save", metavar="FILE", help="write the weights here")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    edges, features, labels = make_graph(args.nodes, args.communities)
    order = torch.randperm(args.nodes)
    train_mask = torch.zeros(args.nodes, dtype=torch.bool)
    train_mask[order[: args.labelled]] = True

    model = GCN(features.size(1), args.hidden, args.communities)
    print(model)
    print(f"{args.nodes} nodes, {edges.size(1)} edges")
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    for step in range(1, args.steps + 1):
        model.train()
        optimizer.zero_grad()
        out = model(features, edges)
        loss = F.nll_loss(out[train_mask], labels[train_mask])
        loss.backward()
        optimizer.step()
        if step % args.log_every == 0:
            model.eval()
            with torch.no_grad():
                right = model(features, edges).argmax(dim=1) == labels
            train_accuracy, test_accuracy = right[train_mask].float().mean(), right[~train_mask].float().mean()
            print(f"step {step:4d}  loss {loss:.7f}  accuracy train {train_accuracy:.4f} test {test_accuracy:.4f}")

    model.eval()
    with torch.no_grad():
        out = model(features, edges)
    highest = torch.full((args.communities, args.communities), -float("inf"))
    highest = highest.scatter_reduce(0, labels.unsqueeze(1).expand_as(out), out, reduce="amax")
    print("highest log-probabilities in each community:")
    print(highest)
    if args.save:
        torch.save(model.state_dict(), args.save)


if __name__ == "__main__":
    main()
