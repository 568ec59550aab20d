"""Names that PyTorch has and rushlight lacks are refused with a sentence; other names as Python refuses them."""

import time
import types

import pytest

from rushlight import missing


def test_a_name_pytorch_has_is_said_to_be_missing():
    text = missing.explain("torch.nn", "FractionalMaxPool2d")
    assert text == "rushlight does not have torch.nn.FractionalMaxPool2d yet; docs/coverage.md lists what is there"


def test_our_module_names_mean_pytorchs():
    assert missing.explain("rushlight.linalg", "ldl_solve") == missing.explain("torch.linalg", "ldl_solve")
    assert missing.explain("rushlight", "jit") == missing.explain("torch", "jit")
    assert missing.explain("linalg", "ldl_solve") == missing.explain("torch.linalg", "ldl_solve")
    assert missing.explain("", "jit") == missing.explain("torch", "jit")


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("torch", "module 'torch' has no attribute 'qwerty'"),
        ("rushlight.nn.functional", "module 'torch.nn.functional' has no attribute 'qwerty'"),
        ("torch.Tensor", "'Tensor' object has no attribute 'qwerty'"),
    ],
)
def test_a_name_nobody_has_gets_pythons_text(module, text):
    assert missing.explain(module, "qwerty") == text


def test_unknown_modules_and_special_names_get_pythons_text():
    assert missing.explain("rushlight.somewhere", "sin") == "module 'torch.somewhere' has no attribute 'sin'"
    assert missing.explain("torch", "__path__") == "module 'torch' has no attribute '__path__'"


def test_the_list_knows_the_public_modules():
    assert {"sin", "Tensor", "float32", "no_grad", "nn"} <= missing.names("torch")
    assert {"ScriptModule", "cudnn_convolution"} <= missing.names("torch")
    assert {"sin", "sin_", "grad", "backward", "mT"} <= missing.names("torch.Tensor")
    assert {"conv2d", "relu"} <= missing.names("torch.nn.functional")
    assert {"qr", "svd"} <= missing.names("torch.linalg")
    assert {"Adam", "SGD"} <= missing.names("torch.optim")
    assert {"DataLoader"} <= missing.names("torch.utils.data")
    assert {"Normal"} <= missing.names("torch.distributions")
    assert {"vmap", "jacrev"} <= missing.names("torch.func")


def test_a_section_ends_where_the_next_begins():
    assert "func" not in missing.names("torch.fft")
    assert "vmap" not in missing.names("torch.fft")
    assert not any(n.startswith("[") or n.endswith("]") for n in missing.names("torch.fft"))


def test_module_getattr_raises_for_what_is_not_in_the_module():
    module = types.ModuleType("rushlight.linalg")
    module.qr = len
    module.__getattr__ = missing.module_getattr("rushlight.linalg")
    assert module.qr is len
    assert not hasattr(module, "ldl_factor")
    with pytest.raises(AttributeError, match=r"^rushlight does not have torch\.linalg\.ldl_factor yet; docs/"):
        module.ldl_factor  # noqa: B018
    with pytest.raises(AttributeError, match=r"^module 'torch\.linalg' has no attribute 'nothing'$"):
        module.nothing  # noqa: B018


def test_a_filled_class_lacks_what_it_lacked():
    class Tensor:
        shape = (1,)

        def sin(self):
            return "sine"

    added = missing.fill_tensor_class(Tensor)
    tensor = Tensor()
    assert tensor.sin() == "sine"
    assert tensor.shape == (1,)
    assert "sin" not in added
    assert "cos" in added
    assert not hasattr(tensor, "cos")
    assert not hasattr(Tensor, "cos")
    assert getattr(tensor, "cos", None) is None
    with pytest.raises(AttributeError, match=r"^rushlight does not have torch\.Tensor\.cos yet; docs/coverage\.md"):
        tensor.cos()
    with pytest.raises(AttributeError, match="has no attribute 'qwerty'"):
        tensor.qwerty  # noqa: B018
    tensor.names = "mine"
    assert tensor.names == "mine"


def test_dir_lists_what_is_there():
    import rushlight as torch

    class Sized(torch.Tensor):
        def to_mkldnn(self):
            """A method of a name that is missing otherwise."""

    x = torch.ones(2, 2)
    x.note = 1
    assert {"sum", "shape", "note"} <= set(dir(x)) and not {"to_mkldnn", "to_sparse", "volatile"} & set(dir(x))
    assert "to_mkldnn" in dir(x.as_subclass(Sized))


def test_special_methods_are_not_pretended():
    class Tensor:
        pass

    missing.fill_tensor_class(Tensor)
    with pytest.raises(TypeError):
        Tensor() @ Tensor()
    with pytest.raises(TypeError):
        len(Tensor())


def test_filling_the_class_costs_less_than_a_millisecond_where_most_is_there():
    known = sorted(missing.names("torch.Tensor"))
    there, lacking = known[:-100], known[-100:]

    def once():
        cls = type("Tensor", (), {n: None for n in there if not n.startswith("__")})
        start = time.perf_counter()
        added = missing.fill_tensor_class(cls)
        assert set(added) <= set(lacking)
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 1e-3
