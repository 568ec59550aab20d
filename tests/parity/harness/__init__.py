"""Compare rushlight with the real PyTorch on PyTorch's own operator database.

`torch.testing._internal` ships `op_db`, about 700 descriptions of operators, each with sample inputs, error inputs and
variants. The harness runs every description in scope on both libraries and compares what comes back. It is test
machinery: it needs PyTorch, the library does not.

- `scope`: which descriptions count, and which family they belong to;
- `names`: the same public name, or the same small function, on another module;
- `samples`: sample inputs as recipes, from which equal arguments are built for either library;
- `compare`: when two results are equal;
- `checks`: one function for each column (value, gradients, in-place, errors, ...);
- `report`: counters, tables, JSON.

For people: `python -m tests.parity.harness --ops 'sin|sum' -v`.
"""
