"""What is timed: each workload is one function that takes a ``torch`` module and returns the step to repeat.

To add one, write the function and decorate it; ``at_least`` is how many times as fast as PyTorch it has to be, where that was
promised. A step starts from the same state every time, so gradients are forgotten in it.
"""

WORKLOADS = {}


def workload(title, at_least=None):
    """Put a function on the list under its own name."""

    def register(function):
        function.title, function.at_least = title, at_least
        WORKLOADS[function.__name__] = function
        return function

    return register


@workload("five-operator graph of the tutorial, forward and backward", at_least=1.8)
def five_operators(torch):
    data = torch.ones([2, 2], requires_grad=False)
    w1, w2, w3 = (torch.tensor(value, requires_grad=True) for value in (2.0, 3.0, 4.0))

    def step():
        l1 = data * w1
        l2 = l1 + w2
        l3 = l1 * w3
        l4 = l2 * l3
        loss = l4.mean()
        loss.backward()
        w1.grad = w2.grad = w3.grad = None

    return step


@workload("200 operations on ten elements, forward and backward", at_least=1.4)
def two_hundred_operations(torch):
    x, w, b = (torch.full((10,), value, requires_grad=True) for value in (1.0, 0.99, 0.01))

    def step():
        y = x
        for _ in range(100):
            y = y * w + b
        y.sum().backward()
        x.grad = w.grad = b.grad = None

    return step


@workload("mean(tanh(1.5w + 0.3) * sigmoid(w) + exp(-w*w)) of a million elements, forward and backward", at_least=1.3)
def million_element_chain(torch):
    torch.manual_seed(0)
    w = torch.randn(1_000_000, requires_grad=True)

    def step():
        loss = (torch.tanh(1.5 * w + 0.3) * torch.sigmoid(w) + torch.exp(-w * w)).mean()
        loss.backward()
        w.grad = None

    return step


@workload("second derivative of a sine of a cube, ten elements")
def second_derivative(torch):
    x = torch.linspace(-1, 1, 10).requires_grad_()

    def step():
        y = torch.sin(x * x * x).sum()
        (first,) = torch.autograd.grad(y, x, create_graph=True)
        torch.autograd.grad(first.sum(), x)

    return step


@workload(
    "physics-informed step: second derivative of a network 1-32-32-1 at 64 points, backward through it", at_least=1.2
)
def physics_informed(torch):
    torch.manual_seed(0)
    x = torch.linspace(0, 1, 64).reshape(-1, 1).requires_grad_()
    widths = (1, 32, 32, 1)
    weights = [torch.randn(i, o).div(i**0.5).requires_grad_() for i, o in zip(widths[:-1], widths[1:])]
    biases = [torch.zeros(o, requires_grad=True) for o in widths[1:]]

    def step():
        u = x
        for weight, bias in zip(weights[:-1], biases[:-1]):
            u = torch.tanh(u @ weight + bias)
        u = u @ weights[-1] + biases[-1]
        (du,) = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)
        (ddu,) = torch.autograd.grad(du, x, torch.ones_like(du), create_graph=True)
        ((ddu + u) ** 2).mean().backward()
        x.grad = None
        for parameter in (*weights, *biases):
            parameter.grad = None

    return step


@workload("chain of 20,000 nodes on one element, forward and backward", at_least=1.0)
def long_chain(torch):
    x = torch.ones(1, requires_grad=True)

    def step():
        y = x
        for _ in range(20_000):
            y = y * 1.0001
        y.backward()
        x.grad = None

    return step


@workload("perceptron 64-128-64-10 on batches of 32, a step of training")
def perceptron_step(torch):
    torch.manual_seed(0)
    pictures, digits = torch.rand(32, 64), torch.randint(10, (32,))
    widths = (64, 128, 64, 10)
    weights = [(torch.randn(i, o) * (2 / i) ** 0.5).requires_grad_() for i, o in zip(widths[:-1], widths[1:])]
    biases = [torch.zeros(o, requires_grad=True) for o in widths[1:]]

    def step():
        hidden = pictures
        for weight, bias in zip(weights[:-1], biases[:-1]):
            hidden = torch.relu(hidden @ weight + bias)
        loss = torch.nn.functional.cross_entropy(hidden @ weights[-1] + biases[-1], digits)
        loss.backward()
        with torch.no_grad():
            for parameter in (*weights, *biases):
                parameter -= 0.0 * parameter.grad  # the work of a step, the same state after it
                parameter.grad = None

    return step


@workload("64 writes in place to rows of a matrix, backward through them", at_least=1.0)
def writes_to_views(torch):
    w = torch.ones(64, 64, requires_grad=True)

    def step():
        z = w * 1
        for i in range(64):
            z[i].mul_(1.01)
        z.sum().backward()
        w.grad = None

    return step


@workload("softmax of 4096 x 1000, forward and backward", at_least=0.5)
def softmax(torch):
    torch.manual_seed(0)
    x, weights = torch.randn(4096, 1000, requires_grad=True), torch.randn(4096, 1000)

    def step():
        torch.softmax(x, 1).backward(weights)
        x.grad = None

    return step


@workload("cross-entropy of 4096 x 1000, forward and backward", at_least=0.5)
def cross_entropy(torch):
    torch.manual_seed(0)
    x, classes = torch.randn(4096, 1000, requires_grad=True), torch.randint(0, 1000, (4096,))

    def step():
        torch.nn.functional.cross_entropy(x, classes).backward()
        x.grad = None

    return step


@workload("layer norm and GELU of 2048 x 512, forward and backward", at_least=0.5)
def layer_norm_gelu(torch):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2048, 512), torch.ones(512), torch.zeros(512)
    for each in (x, weight, bias):
        each.requires_grad_()

    def step():
        torch.nn.functional.gelu(torch.nn.functional.layer_norm(x, (512,), weight, bias)).sum().backward()
        x.grad = weight.grad = bias.grad = None

    return step


@workload("convolution of 16 x 64 x 32 x 32 with 64 kernels of 3 x 3, forward and backward", at_least=0.5)
def convolution(torch):
    torch.manual_seed(0)
    x, kernels = torch.randn(16, 64, 32, 32, requires_grad=True), torch.randn(64, 64, 3, 3, requires_grad=True)

    def step():
        torch.nn.functional.conv2d(x, kernels, padding=1).sum().backward()
        x.grad = kernels.grad = None

    return step


@workload("max pooling of 16 x 64 x 32 x 32 by 2, forward and backward", at_least=0.5)
def max_pooling(torch):
    torch.manual_seed(0)
    x = torch.randn(16, 64, 32, 32, requires_grad=True)

    def step():
        torch.nn.functional.max_pool2d(x, 2).sum().backward()
        x.grad = None

    return step


@workload("embedding of 4096 rows out of 50,000, forward and backward", at_least=0.5)
def embedding(torch):
    torch.manual_seed(0)
    table, rows = torch.randn(50_000, 64, requires_grad=True), torch.randint(0, 50_000, (4096,))

    def step():
        torch.nn.functional.embedding(rows, table).sum().backward()
        table.grad = None

    return step


@workload("LSTM of 50 steps, batch 32, input 64, hidden 128, forward and backward", at_least=0.5)
def lstm(torch):
    torch.manual_seed(0)
    layer, x = torch.nn.LSTM(64, 128), torch.randn(50, 32, 64)

    def step():
        layer(x)[0].sum().backward()
        layer.zero_grad()

    return step


@workload("Cholesky solve of 200 x 200 in float64, forward and backward", at_least=0.5)
def cholesky_solve(torch):
    torch.manual_seed(0)
    factor = torch.randn(200, 200, dtype=torch.float64)
    matrix = (factor @ factor.T + 200 * torch.eye(200, dtype=torch.float64)).requires_grad_()
    right = torch.randn(200, 1, dtype=torch.float64)

    def step():
        torch.cholesky_solve(right, torch.linalg.cholesky(matrix)).sum().backward()
        matrix.grad = None

    return step


@workload("Hessian of a function of ten variables", at_least=2.0)
def hessian(torch):
    x = torch.linspace(-1, 1, 10)

    def function(v):
        return ((1 - v[:-1]) ** 2 + 100 * (v[1:] - v[:-1] ** 2) ** 2).sum()

    def step():
        torch.autograd.functional.hessian(function, x)

    return step


@workload("vmap of the gradient of a network 16-32-1 over 256 samples", at_least=1.0)
def vmap_grad(torch):
    torch.manual_seed(0)
    weights = torch.randn(16, 32) / 4, torch.randn(32, 1) / 6
    biases = torch.zeros(32), torch.zeros(1)
    inputs, targets = torch.randn(256, 16), torch.randn(256, 1)

    def loss(weights, biases, x, y):
        hidden = torch.tanh(x @ weights[0] + biases[0])
        return ((hidden @ weights[1] + biases[1] - y) ** 2).mean()

    gradients = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=(None, None, 0, 0))

    def step():
        gradients(weights, biases, inputs, targets)

    return step
