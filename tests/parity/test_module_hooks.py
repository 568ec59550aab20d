"""Hooks of modules: which run, in which order, with what, and what they may return."""

import warnings

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402


def shown(value):
    """Numbers in place of tensors, names in place of modules."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *map(shown, value)]
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items()}
    return getattr(value, "name", None) or (type(value).__name__ if hasattr(value, "forward") else value)


def warned(function):
    """(what it returned, texts and categories of its warnings)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, [(w.category.__name__, str(w.message)) for w in caught]


def scenes(torch):  # noqa: F811 - each library in turn
    scene, nn = Scenes(), torch.nn
    module_file = torch.nn.modules.module

    class Scale(nn.Module):
        def __init__(self, factor, name="scale"):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(float(factor)))
            self.name = name

        def forward(self, x, *, shift=0.0):
            return x * self.factor + shift

    def pair():
        return nn.Sequential(Scale(2, "a"), Scale(3, "b"))

    def says(log, name, result=None):
        def hook(*args):
            log((name, shown(list(args))))
            return result

        return hook

    def X():
        return torch.tensor([1.0, -2.0], requires_grad=True)

    @scene
    def order_of_all_kinds(log):
        m, x = pair(), X()
        for each in (*m, m):
            each.register_forward_pre_hook(says(log, "pre"))
            each.register_forward_hook(says(log, "after"))
            each.register_full_backward_pre_hook(says(log, "back pre"))
            each.register_full_backward_hook(says(log, "back"))
        x.register_hook(says(log, "x"))
        m(x).sum().backward()
        return x.grad.tolist(), [p.grad.tolist() for p in m.parameters()]

    @scene
    def order_with_common_hooks(log):
        m, x = pair(), X()
        handles = [
            module_file.register_module_forward_pre_hook(says(log, "common pre")),
            module_file.register_module_forward_hook(says(log, "common after")),
            module_file.register_module_full_backward_pre_hook(says(log, "common back pre")),
            module_file.register_module_full_backward_hook(says(log, "common back")),
        ]
        m[0].register_forward_pre_hook(says(log, "pre"))
        m[0].register_forward_hook(says(log, "after"))
        m[0].register_full_backward_pre_hook(says(log, "back pre"))
        m[0].register_full_backward_hook(says(log, "back"))
        try:
            m(x).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        m(x)
        return x.grad.tolist()

    @scene
    def common_hook_with_keywords_and_always(log):
        m, x = Scale(2), X()
        handle = module_file.register_module_forward_hook(says(log, "common"), with_kwargs=True, always_call=True)
        try:
            m(x, shift=1.0)
            try:
                m(x, other=1)
            except TypeError as error:
                log(str(error).split(".")[-1])
        finally:
            handle.remove()

    @scene
    def prepend(log):
        m, x = Scale(2), X()
        for register in ("forward_pre_hook", "forward_hook", "full_backward_pre_hook", "full_backward_hook"):
            getattr(m, "register_" + register)(says(log, "second " + register))
            getattr(m, "register_" + register)(says(log, "first " + register), prepend=True)
        m(x).sum().backward()

    @scene
    def with_kwargs(log):
        m, x = Scale(2), X()
        m.register_forward_pre_hook(says(log, "pre"), with_kwargs=True)
        m.register_forward_pre_hook(lambda m, a, k: (a, {"shift": k["shift"] * 2}), with_kwargs=True)
        m.register_forward_hook(says(log, "after"), with_kwargs=True)
        m.register_forward_hook(lambda m, a, k, out: out + k["shift"], with_kwargs=True)
        return m(x, shift=5.0).tolist()

    @scene
    def pre_hook_with_kwargs_must_return_both(log):
        m, x = Scale(2), X()
        m.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
        return m(x).tolist()

    @scene
    def pre_hook_returns_one_or_a_tuple(log):
        m, x = Scale(2), X()
        m.register_forward_pre_hook(lambda m, a: a[0] * 10)
        m.register_forward_pre_hook(lambda m, a: (a[0] + 1,))
        return m(x).tolist()

    @scene
    def forward_hook_replaces(log):
        m, x = Scale(2), X()
        m.register_forward_hook(lambda m, a, out: out * 10)
        m.register_forward_hook(lambda m, a, out: (out, 1))
        return shown(m(x))

    @scene
    def always_called_after_an_error(log):
        m = Scale(2)
        m.register_forward_hook(says(log, "not"))
        m.register_forward_hook(says(log, "always"), always_call=True)
        m.register_forward_hook(says(log, "always with keywords"), always_call=True, with_kwargs=True)
        return m("text")

    @scene
    def always_called_hook_that_raises(log):
        m, x = Scale(2), X()

        def wrong(m, a, out):
            raise ValueError("in hook")

        def raises(m, a):
            raise KeyError("before")

        m.register_forward_hook(wrong, always_call=True)
        m.register_forward_pre_hook(raises)

        def call():
            try:
                m(x)
            except Exception as error:
                return type(error).__name__, str(error)

        return warned(call)

    @scene
    def always_called_hook_is_not_called_twice(log):
        m, x = Scale(2), X()

        def wrong(m, a, out):
            log("called")
            raise ValueError("in hook")

        m.register_forward_hook(wrong, always_call=True)
        m.register_forward_hook(says(log, "other"), always_call=True)
        return m(x)

    @scene
    def removing(log):
        m, x = Scale(2), X()
        handles = [
            m.register_forward_pre_hook(says(log, "pre"), with_kwargs=True),
            m.register_forward_hook(says(log, "after"), with_kwargs=True, always_call=True),
            m.register_full_backward_pre_hook(says(log, "back pre")),
            m.register_full_backward_hook(says(log, "back")),
        ]
        for handle in handles:
            handle.remove()
        m(x).sum().backward()
        kept = [len(v) for n, v in vars(m).items() if "hooks" in n]
        with m.register_forward_hook(says(log, "within")):
            m(x)
        m(x)
        return kept

    @scene
    def backward_hook_replaces(log):
        m, x = pair(), X()
        m[0].register_full_backward_hook(lambda m, gi, go: (gi[0] * 100,))
        m[1].register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
        m(x).sum().backward()
        return x.grad.tolist(), [p.grad.tolist() for p in m.parameters()]

    @scene
    def backward_hook_of_wrong_length(log):
        m, x = Scale(2), X()
        m.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
        m(x).sum().backward()

    @scene
    def backward_pre_hook_of_wrong_length(log):
        m, x = Scale(2), X()
        m.register_full_backward_pre_hook(lambda m, go: (go[0], go[0]))
        m(x).sum().backward()

    @scene
    def backward_hook_where_no_input_needs_a_gradient(log):
        m, x = Scale(2), torch.tensor([1.0, 2.0])
        m.register_full_backward_hook(says(log, "back"))
        m.register_full_backward_pre_hook(says(log, "back pre"))
        result = warned(lambda: m(x).sum().backward())
        return result, m.factor.grad.tolist()

    @scene
    def backward_hook_where_no_input_needs_a_gradient_returns_one(log):
        m, x = Scale(2), torch.tensor([1.0, 2.0])
        m.register_full_backward_hook(lambda m, gi, go: (go[0],))
        m(x).sum().backward()

    @scene
    def backward_hook_without_gradients(log):
        m, x = Scale(2), X()
        m.register_full_backward_hook(says(log, "back"))
        with torch.no_grad():
            return m(x).tolist()

    @scene
    def backward_hook_of_several_inputs_and_outputs(log):
        class Two(nn.Module):
            def forward(self, x, n, y):
                return x * y, n, y + 1

        m, x, y = Two(), X(), torch.tensor([4.0, 5.0])
        m.register_full_backward_hook(says(log, "back"))
        m.register_full_backward_pre_hook(says(log, "back pre"))
        a, n, b = m(x, 3, y)
        a.sum().backward()
        return shown((a, n, b)), b.requires_grad, x.grad.tolist()

    @scene
    def backward_hook_of_an_output_in_a_dict(log):
        class Dict(nn.Module):
            def forward(self, x):
                return {"a": x * 2}

        m, x = Dict(), X()
        m.register_full_backward_hook(says(log, "back"))

        def call():
            m(x)["a"].sum().backward()

        return warned(call), x.grad.tolist()

    @scene
    def backward_hook_keeps_named_tuples(log):
        from collections import namedtuple

        kind = namedtuple("kind", ["a", "b"])

        class Named(nn.Module):
            def forward(self, x):
                return kind(x * 2, x * 3)

        m, x = Named(), X()
        m.register_full_backward_hook(says(log, "back"))
        result = m(x)
        result.b.sum().backward()
        return type(result).__name__, result.a.tolist(), x.grad.tolist()

    @scene
    def backward_hook_of_an_inplace_module(log):
        m, x = nn.ReLU(inplace=True), X()
        m.register_full_backward_hook(says(log, "back"))
        return m(x * 1).tolist()

    @scene
    def backward_hook_and_inplace_on_the_result(log):
        m, x = Scale(2), X()
        m.register_full_backward_hook(says(log, "back"))
        y = m(x)
        y.mul_(2)

    @scene
    def backward_hook_twice_through_the_graph(log):
        m, x = Scale(2), X()
        m.register_full_backward_hook(says(log, "back"))
        y = m(x).sum()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad.tolist()

    @scene
    def backward_hook_with_double_backward(log):
        m, x = Scale(2), X()
        m.register_full_backward_hook(says(log, "back"))
        m.register_full_backward_pre_hook(says(log, "back pre"))
        y = (m(x) ** 2).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        g.sum().backward()
        return g.tolist(), x.grad.tolist()

    @scene
    def backward_hook_on_a_module_that_ignores_its_input(log):
        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.ones(2))

            def forward(self, x):
                return self.w * 2

        m, x = Own(), X()
        m.register_full_backward_hook(says(log, "back"))
        m(x).sum().backward()
        return x.grad, m.w.grad.tolist()

    @scene
    def older_and_full_hooks_do_not_mix(log):
        m = Scale(2)
        m.register_backward_hook(says(log, "old"))
        m.register_full_backward_hook(says(log, "new"))

    @scene
    def full_and_older_hooks_do_not_mix(log):
        m = Scale(2)
        m.register_full_backward_hook(says(log, "new"))
        m.register_backward_hook(says(log, "old"))

    @scene
    def older_hook(log):
        m, x = nn.Sigmoid(), X()
        m.register_backward_hook(says(log, "old"))
        return warned(lambda: m(x).sum().backward()), x.grad.tolist()

    @scene
    def older_hook_on_several_operations(log):
        m, x = Scale(2), X()
        m.register_backward_hook(says(log, "old"))
        return warned(lambda: m(x, shift=1.0).sum().backward()), x.grad.tolist()

    @scene
    def older_hook_on_several_results(log):
        class Two(nn.Module):
            def forward(self, x):
                return x * 2, x + 1

        m, x = Two(), X()
        m.register_backward_hook(says(log, "old"))
        return warned(lambda: m(x)[0].sum().backward())

    @scene
    def older_hook_on_a_dict(log):
        class Dict(nn.Module):
            def forward(self, x):
                return {"a": x * 2}

        m, x = Dict(), X()
        m.register_backward_hook(says(log, "old"))
        return warned(lambda: m(x)["a"].sum().backward())

    @scene
    def older_hook_with_a_list_argument(log):
        class First(nn.Module):
            def forward(self, xs):
                return xs[0] * 2

        m, x = First(), X()
        m.register_backward_hook(says(log, "old"))
        return warned(lambda: m([x]).sum().backward())

    @scene
    def registration_hooks(log):
        def buffer(m, name, value):
            log(("buffer", name, shown(value)))
            return torch.zeros(1) if name == "replaced" else None

        def parameter(m, name, value):
            log(("parameter", name, shown(value)))

        def module(m, name, value):
            log(("module", name, shown(value)))

        handles = [
            module_file.register_module_buffer_registration_hook(buffer),
            module_file.register_module_parameter_registration_hook(parameter),
            module_file.register_module_module_registration_hook(module),
        ]
        try:
            m = nn.Module()
            m.w = nn.Parameter(torch.ones(1))
            m.w = None
            m.register_parameter("v", None)
            m.register_buffer("replaced", torch.ones(2))
            m.replaced = torch.ones(3)
            m.b = nn.Buffer(torch.ones(1))
            m.child = nn.Identity()
            m.child = None
            m.add_module("other", nn.Identity())
            nn.Sequential(nn.Identity())
        finally:
            for handle in handles:
                handle.remove()
        return m.replaced.tolist()

    @scene
    def state_dict_hooks(log):
        m = nn.Sequential(Scale(2, "a"))
        m.register_state_dict_pre_hook(says(log, "whole pre"))
        m[0].register_state_dict_pre_hook(says(log, "pre"))
        m[0].register_state_dict_post_hook(says(log, "post"))
        m.register_state_dict_post_hook(lambda m, d, prefix, meta: d.pop("0.factor") and None)
        m._register_state_dict_hook(says(log, "old post"))
        return shown(dict(m.state_dict()))

    @scene
    def state_dict_hook_that_replaces(log):
        m = Scale(2)
        m._register_state_dict_hook(lambda m, d, prefix, meta: {"other": 1})
        return m.state_dict()

    @scene
    def state_dict_post_hook_must_not_return(log):
        m = Scale(2)
        m.register_state_dict_post_hook(lambda m, d, prefix, meta: d)
        return m.state_dict()

    @scene
    def state_dict_hook_registered_both_ways(log):
        m = Scale(2)

        def hook(m, d, prefix, meta):
            return None

        m.register_state_dict_post_hook(hook)
        m._register_state_dict_hook(hook)

    @scene
    def load_state_dict_hooks(log):
        m = nn.Sequential(Scale(2, "a"), Scale(3, "b"))
        m.register_load_state_dict_pre_hook(says(log, "whole pre"))
        m[0].register_load_state_dict_pre_hook(says(log, "pre"))
        m[1]._register_load_state_dict_pre_hook(says(log, "old pre"))
        m[0].register_load_state_dict_post_hook(lambda m, keys: log(("post", shown(m), list(keys[0]), list(keys[1]))))
        m.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
        return repr(m.load_state_dict({"0.factor": torch.tensor(5.0)}))

    @scene
    def load_state_dict_post_hook_must_not_return(log):
        m = Scale(2)
        m.register_load_state_dict_post_hook(lambda m, keys: keys)
        m.load_state_dict(m.state_dict())

    @scene
    def load_state_dict_pre_hook_renames(log):
        m = Scale(2)

        def rename(m, d, prefix, meta, strict, missing, unexpected, errors):
            d[prefix + "factor"] = d.pop(prefix + "old")

        m.register_load_state_dict_pre_hook(rename)
        given = {"old": torch.tensor(7.0)}
        m.load_state_dict(given)
        return m.factor.tolist(), list(given)

    @scene
    def common_backward_hooks_do_not_mix(log):
        handle = module_file.register_module_full_backward_hook(says(log, "full"))
        try:
            module_file.register_module_backward_hook(says(log, "old"))
        finally:
            handle.remove()
            module_file._global_is_full_backward_hook = None

    @scene
    def handles(log):
        m = Scale(2)
        handle = m.register_forward_hook(says(log, "x"), with_kwargs=True)
        same = type(handle) is torch.utils.hooks.RemovableHandle
        return (
            same,
            type(handle).__module__,
            m._forward_hooks.keys() == {handle.id},
            handle.remove(),
            len(m._forward_hooks),
        )

    @scene
    def hooks_survive_a_deep_copy(log):
        import copy

        m, x = Scale(2), X()
        m.register_forward_hook(says(log, "after"))
        twin = copy.deepcopy(m)
        twin.register_forward_hook(says(log, "own"))
        twin(x)
        m(x)

    @scene
    def hook_on_a_module_that_forward_changes(log):
        m, x = pair(), X()
        seen = []
        m[0].register_forward_hook(lambda m, a, out: seen.append(out.detach().clone()))
        m(x)
        with torch.no_grad():
            m[0].factor.mul_(2)
        m(x)
        return shown(seen)

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_hooks_do_what_pytorchs_do(name):
    assert compare(scenes, name) is None
