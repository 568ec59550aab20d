"""Operations whose derivative the user writes."""

import gc
import weakref

import pytest

import rushlight as torch
from rushlight.autograd import Function
from rushlight.autograd.function import once_differentiable


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


class Scale(Function):
    @staticmethod
    def forward(x, factor=2.0):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None


def test_value_gradient_and_name():
    x = leaf(1.0, 3.0)
    y = Square.apply(x)
    assert y.grad_fn.name() == "SquareBackward"
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 6.0]


def test_differentiated_twice():
    x = leaf(1.0, 3.0)
    (first,) = torch.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first * first).sum(), x)
    assert second.tolist() == [8.0, 24.0]


def test_context_set_up_apart_and_defaults():
    x = leaf(1.0)
    Scale.apply(x).backward()
    Scale.apply(x, 5.0).backward()
    Scale.apply(x, factor=7.0).backward()
    assert x.grad.tolist() == [14.0]


def test_an_input_written_to_gets_the_function_as_its_history():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    x = leaf(1.0, 2.0)
    y = x * 3
    z = Double.apply(y)
    assert z is y and y.grad_fn.name() == "DoubleBackward"
    z.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in an in-place operation"):
        Double.apply(leaf(1.0))


def test_outputs_that_have_no_derivative():
    class SortOf(Function):
        @staticmethod
        def forward(ctx, x):
            place = (x > 1).double()
            ctx.mark_non_differentiable(place)
            return x * 2, place, "a word"

        @staticmethod
        def backward(ctx, gradient, of_place, of_word):
            assert of_place.tolist() == [0.0, 0.0] and of_word is None
            return gradient * 2

    x = leaf(1.0, 2.0)
    y, place, word = SortOf.apply(x)
    assert word == "a word" and not place.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_once_differentiable_refuses_the_second_derivative():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @once_differentiable
        def backward(ctx, gradient):
            return gradient * 3 * ctx.saved_tensors[0] ** 2

    x = leaf(2.0)
    (first,) = torch.autograd.grad(Once.apply(x) * x, x, create_graph=True)
    assert first.tolist() == [32.0]
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        first.backward()


@pytest.mark.parametrize(
    "returned, text",
    [
        (lambda g: (g, g), "incorrect number of gradients"),
        (lambda g: 1, "expected Variable or None"),
        (lambda g: g.new_ones(3), "invalid gradient at index 0"),
    ],
)
def test_wrong_gradients_are_refused(returned, text):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return returned(gradient)

    with pytest.raises(RuntimeError, match=text):
        Wrong.apply(leaf(1.0, 2.0)).sum().backward()


def test_a_saved_output_makes_no_cycle():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, gradient):
            return gradient * ctx.saved_tensors[0]

    gc.disable()
    try:
        y = Exp.apply(leaf(1.0))
        gone = weakref.ref(y.grad_fn)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_forward_mode_uses_jvp():
    forward_ad = torch.autograd.forward_ad

    class Product(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_forward(a, b)
            return a * b

        @staticmethod
        def jvp(ctx, ta, tb):
            a, b = ctx.saved_tensors
            return ta * b + a * tb

    with forward_ad.dual_level():
        a = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
        b = forward_ad.make_dual(torch.tensor(5.0), torch.tensor(2.0))
        assert forward_ad.unpack_dual(Product.apply(a, b)).tangent.item() == 11.0


def test_backward_within_backward_to_any_depth():
    class Deep(Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_() - 1
            return ctx.x.detach()

        @staticmethod
        def backward(ctx, gradient):
            if ctx.x >= 0:
                with torch.enable_grad():
                    Deep.apply(ctx.x).sum().backward()
            return gradient

    x = torch.tensor(1000.0, requires_grad=True)
    Deep.apply(x).sum().backward()
    assert x.grad.item() == 1.0


def test_an_error_deep_down_arrives_as_itself():
    class Failing(Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            if ctx.depth == 0:
                raise ZeroDivisionError("at the bottom")
            with torch.enable_grad():
                Failing.apply(leaf(1.0), ctx.depth - 1).sum().backward()
            return gradient, None

    with pytest.raises(ZeroDivisionError, match="at the bottom"):
        Failing.apply(leaf(1.0), 100).sum().backward()


def test_undefined_gradients_of_outputs_that_have_no_derivative_may_stay_undefined():
    seen = []

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            first, second = x.clone(), x.clone()
            ctx.mark_non_differentiable(second)
            ctx._materialize_non_diff_grads = materialize
            return first, second

        @staticmethod
        def backward(ctx, *gradients):
            seen.append(gradients[1])
            return gradients[0], None

    x = torch.ones(2, requires_grad=True)
    for materialize in (True, False):
        Two.apply(x, materialize)[0].sum().backward()
    assert seen[0].tolist() == [0.0, 0.0] and seen[1] is None


def test_an_input_returned_as_it_is_keeps_its_class():
    class Named(torch.Tensor):
        pass

    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 3

    for wanted in (True, False):
        y = Same.apply(torch.ones(2, requires_grad=wanted).as_subclass(Named))
        assert type(y) is Named and y.requires_grad is wanted
    x = torch.ones(2, requires_grad=True)
    Same.apply(x.as_subclass(Named)).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("dirty", [False, True])
def test_what_is_not_recorded_does_not_require_grad_also_if_it_is_an_input(dirty):
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            if dirty:
                ctx.mark_dirty(x)
                x.mul_(2)
            return x

    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        y = Same.apply(x)
    assert not y.requires_grad and y.grad_fn is None and x.requires_grad
    assert y.data_ptr() == x.data_ptr()


def test_a_saved_result_that_was_written_to_names_the_function():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    y = Exp.apply(torch.ones(2, requires_grad=True))
    y.mul_(2)
    with pytest.raises(RuntimeError, match=r"\[torch.FloatTensor \[2\]\], which is output 0 of Exp, is at version 1"):
        y.sum().backward()


def test_gradients_come_in_a_list_where_asked_for():
    class Boxed(torch.autograd.Function):
        boxed_grads_call = True

        @staticmethod
        def forward(ctx, x, y):
            return x * 2, y * 3

        @staticmethod
        def backward(ctx, gradients):
            first = gradients.pop(0)
            return first * 2, gradients.pop() * 3

    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    a, b = Boxed.apply(x, y)
    (a.sum() + b.sum()).backward()
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [3, 3]
    assert not torch.autograd.Function.boxed_grads_call


def test_saved_tensors_are_read_once_where_asked_for():
    class Once(torch.autograd.Function):
        clear_saved_tensors_on_access = True

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * x

    x = torch.ones(2, requires_grad=True)
    y = Once.apply(x)
    assert torch.autograd.grad(y.sum(), x, retain_graph=True)[0].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="saved_tensors can only be accessed once"):
        torch.autograd.grad(y.sum(), x)


def test_attributes_of_ctx_may_have_the_names_that_nodes_use():
    class Total(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape, ctx.dtype, ctx.next, ctx.width, ctx.name = x.shape, x.dtype, "next", 7, "total"
            y = x.sum(0)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            assert (ctx.dtype, ctx.next, ctx.width, ctx.name) == (torch.float32, "next", 7, "total")
            (y,) = ctx.saved_tensors
            ctx.seen = ctx.note
            return (g * y).expand(ctx.shape)

    x = torch.ones(3, 2, requires_grad=True)
    y = Total.apply(x)
    y.grad_fn.note = "kept"
    assert y.grad_fn.note == "kept" and y.grad_fn.next_functions[0][0].variable is x
    y.sum().backward()
    assert y.grad_fn.seen == "kept"
    assert x.grad.tolist() == [[3, 3]] * 3
    gone = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_what_was_marked_or_saved_for_forward_mode_makes_no_cycle():
    class Doubled(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Kept(Function):
        @staticmethod
        def forward(x):
            return x * 2, x.detach() * 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs, *output)
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx, g, _):
            return g * 2

    gc.disable()
    try:
        for call in (Doubled.apply, lambda x: Kept.apply(x)[0]):
            y = call(torch.ones(2, requires_grad=True) * 1)
            assert y.grad_fn is not None
            gone = weakref.ref(y)
            del y
            assert gone() is None
    finally:
        gc.enable()
