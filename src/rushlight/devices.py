"""``torch.device``: here always the CPU, or ``meta``-free refusals in PyTorch's words."""

import re

_TYPES = (
    *(
        "cpu",
        "cuda",
        "ipu",
        "xpu",
        "mkldnn",
        "opengl",
        "opencl",
        "ideep",
        "hip",
        "ve",
        "fpga",
        "maia",
        "xla",
        "lazy",
        "vulkan",
    ),
    *("mps", "meta", "hpu", "mtia", "privateuseone"),
)


class device:  # noqa: N801 - PyTorch's name
    """Where a tensor lives: ``device("cpu")``, ``device("cuda:0")``, ``device("cuda", 0)``.

    Any device PyTorch knows can be named; tensors can only be made on the CPU.
    """

    __slots__ = ("index", "type")

    def __init__(self, type="cpu", index=None):
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        elif isinstance(type, int):
            type, index = "cuda", type
        elif isinstance(type, str):
            match = re.fullmatch(r"([a-z]+)(?::(\d+))?", type)
            if match is None:
                raise RuntimeError(f"Invalid device string: '{type}'")
            if match.group(1) not in _TYPES:
                raise RuntimeError(
                    f"Expected one of {', '.join(_TYPES)} device type at start of device string: {match.group(1)}"
                )
            if match.group(2) is not None:
                if index is not None:
                    raise RuntimeError(
                        f"type (string) must not include an index because index was passed explicitly: {type}"
                    )
                index = int(match.group(2))
            type = match.group(1)
        else:
            raise TypeError(f"device(): argument 'type' (position 1) must be str, not {type.__class__.__name__}")
        self.type = type
        self.index = index

    def __eq__(self, other):
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self):
        return hash((self.type, self.index))

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __reduce__(self):
        return _device, (self.type, self.index)

    def __enter__(self):
        check(self)
        return self

    def __exit__(self, *exc):
        return None


def _device(type, index):
    return device(type, index)


device.__module__ = "torch"
cpu = device("cpu")


def check(where):
    """The CPU, or PyTorch's error for a device this build does not have."""
    if where is None:
        return cpu
    if not isinstance(where, device):
        where = device(where)
    if where.type == "cpu":
        return cpu
    if where.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    if where.type == "meta":
        raise NotImplementedError("rushlight has no meta device: its tensors always hold values")
    raise RuntimeError(f"rushlight computes on the CPU; it has no device '{where}'")
