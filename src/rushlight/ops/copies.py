"""``diagonal_copy``, ``view_copy`` and the others: what a view shows, as a tensor of its own.

Each is made from the declaration of the view: the same arguments and the same derivative, another kernel and a node named after it.
"""

import numpy as np

from .table import OPS, camel, differentiable

#: public name without ``_copy`` -> the view's operator
_VIEWS = {
    **{name: name for name in ("as_strided", "diagonal", "expand", "permute", "select", "split_with_sizes", "squeeze")},
    **{name: name for name in ("t", "transpose", "unbind", "unfold", "unsqueeze", "view", "view_as_complex")},
    **{"slice": "_slice_dim", "split": "_split", "view_as_real": "_view_as_real"},
}


def _own(result):
    """New arrays in C order."""
    if isinstance(result, (list, tuple)):
        return [_own(each) for each in result]
    return np.array(result, order="C")


def _copying(kernel):
    """The kernel of a view, with its arguments and defaults, as one whose results are new arrays."""
    code = kernel.__code__
    names = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    star = ("*",) if keywords else ()
    given = ", ".join([*names, *(f"{name}={name}" for name in keywords)])
    made = eval(
        f"lambda {', '.join([*names, *star, *keywords])}: own(kernel({given}))", {"own": _own, "kernel": kernel}
    )
    made.__defaults__, made.__kwdefaults__ = kernel.__defaults__, kernel.__kwdefaults__
    return made


def _node_name(view):
    named = view.node_name or camel(view.name) + "Backward0"
    if callable(named):
        return lambda values: named(values) + "_copy"
    return named + "_copy"


def _declare(name, view, node_name=None, method=False):
    differentiable(
        *(f"{name}_copy", _copying(view.kernel)),
        **dict(vjp={key: rule.function for key, rule in view.rules.items()}, linear=view.linear, returns=view.returns),
        **dict(node_name=node_name or _node_name(view), out=True, method=method),
    )


for _name, _view in _VIEWS.items():
    _declare(_name, OPS[_view])
_declare("narrow", OPS["_narrow"], "NarrowCopyBackward0", method=None)
differentiable(
    *("alias_copy", lambda input: np.array(input, order="C")),
    **dict(vjp=lambda F, g: g, linear=True, node_name="AliasBackward0_copy", out=True, method=False),
)
differentiable("detach_copy", lambda input: np.array(input, order="C"), out=True, method=False)
