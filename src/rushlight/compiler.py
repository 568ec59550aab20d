"""``torch.compile`` and ``torch.compiler``: nothing is compiled; a compiled function is the function, and works.

The settings are checked as PyTorch checks them. They say how fast code is to be made, not what it computes, so there is nothing else to
obey; ``backend`` may be a function of one's own, which is refused in one sentence because there is no graph to hand it.
"""

import functools

from .missing import module_getattr
from .nn.modules.module import Module

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]

_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
_BACKENDS = ("cudagraphs", "inductor", "onnxrt", "openxla", "tvm", "eager", "aot_eager")


def compile(
    model=None,
    *,
    fullgraph=False,
    dynamic=None,
    backend=None,
    mode=None,
    options=None,
    name=None,
    disable=False,
    **rest,
):
    """The model or function itself, as PyTorch would return it compiled.

    A module comes back within an ``OptimizedModule``, whose state dictionary has the prefix ``_orig_mod.``, as in PyTorch; with
    ``disable`` it comes back as it is. Without a model the result is a decorator.
    """
    unknown = set(rest) - {"recompile_limit", "isolate_recompiles", "shapes_spec"}
    if unknown:
        raise TypeError(f"compile() got an unexpected keyword argument '{sorted(unknown)[0]}'")
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if callable(backend):
        raise NotImplementedError("rushlight compiles nothing, so there is no graph to give to a backend function")
    if backend is not None and backend not in _BACKENDS:
        from ._dynamo import InvalidBackend

        raise InvalidBackend(backend)
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, disable=disable)
    if disable:
        return model
    if isinstance(model, Module):
        from ._dynamo.eval_frame import OptimizedModule

        return OptimizedModule(model)
    if not callable(model):
        raise RuntimeError(f"A callable function is expected, but {type(model)} is provided.")

    @functools.wraps(model)
    def compiled(*args, **kwargs):
        return model(*args, **kwargs)

    compiled._torchdynamo_orig_callable = model
    return compiled


def is_compiling():
    """False: code runs as it is written."""
    return False


is_dynamo_compiling = is_compiling
is_exporting = is_compiling


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, or a decorator that returns it: nothing is compiled anyway."""
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn):
    return fn


def assume_constant_result(fn):
    return fn


def list_backends(exclude_tags=("debug", "experimental")):
    """The names ``compile`` accepts; all of them mean the same here."""
    return list(_BACKENDS[:5])


def reset():
    """Nothing is kept that could be reset."""


def cudagraph_mark_step_begin():
    """There are no CUDA graphs whose steps could be marked."""


def set_stance(stance="default", **options):
    """Checked and, since nothing is compiled under any stance, without effect."""
    if stance not in (
        "default",
        "default_then_eager",
        "default_eager_then_compile",
        "force_eager",
        "eager_on_recompile",
        "fail_on_recompile",
        "eager_then_compile",
    ):
        raise RuntimeError(f"invalid torch.compile stance '{stance}'")


__getattr__ = module_getattr(__name__)
