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
