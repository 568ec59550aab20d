"""In-place writes: versions, history, views, and what is refused."""

import pytest

import rushlight as torch


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def test_versions_count_writes_and_are_shared_by_views():
    x = torch.zeros(4)
    view = x[1:]
    other = x.detach()
    assert x._version == 0
    view.add_(1)
    x[0] = 2.0
    assert x._version == view._version == other._version == 2
    x.data.mul_(2)
    assert x._version == 2


def test_a_write_to_a_view_rewrites_the_base():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    base = x * 1
    view = base[1:3]
    view.mul_(10.0)
    assert base.tolist() == [1.0, 20.0, 30.0, 4.0]
    assert type(base.grad_fn).__name__ == "CopySlices"
    assert type(view.grad_fn).__name__ == "AsStridedBackward0"
    base.sum().backward()
    assert x.grad.tolist() == [1.0, 10.0, 10.0, 1.0]


def test_a_write_to_the_base_is_seen_by_older_views():
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1
    view = base[1:]
    base.mul_(3.0)
    view.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 3.0]


def test_a_write_to_one_view_is_seen_by_another():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    base = x * 1
    left, right = base[:3], base[1:]
    left.mul_(right[:3].detach().clone())
    right.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 4.0, 1.0]


def test_writes_through_transposed_and_nested_views():
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    base = x.clone()
    base.t()[1:, 0].mul_(5.0)
    (base * base.detach()).sum().backward()
    assert base.tolist() == [[0.0, 5.0, 10.0], [3.0, 4.0, 5.0]]
    assert x.grad.tolist() == [[0.0, 25.0, 50.0], [3.0, 4.0, 5.0]]


def test_a_plain_tensor_becomes_part_of_the_graph_by_assignment():
    x = leaf(2.0, 5.0)
    matrix = torch.zeros(2, 2)
    matrix[0, 1] = x[0] * x[1]
    matrix[1] = x
    matrix.sum().backward()
    assert x.grad.tolist() == [6.0, 3.0]


def test_assignment_by_mask_and_index_takes_the_gradient_away_from_what_was_there():
    x, y = leaf(1.0, 2.0, 3.0), leaf(10.0, 20.0)
    z = x * 1
    z[torch.tensor([True, False, True])] = y
    (z * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 0.0] and y.grad.tolist() == [1.0, 3.0]
    x.grad = None
    z = x * 1
    z[[0, 2]] = 7.0
    z.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_second_derivatives_through_a_write_to_a_view():
    x = torch.tensor([0.5, 1.5, 2.5], dtype=torch.float64, requires_grad=True)
    base = x * x
    base[1:].mul_(x[:2])
    (first,) = torch.autograd.grad((base * base).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first[0], x)

    def value(a, b, c):
        return a**4 + (b * b * a) ** 2 + (c * c * b) ** 2

    step = 1e-4
    a, b, c = 0.5, 1.5, 2.5
    expected = (value(a + step, b, c) - 2 * value(a, b, c) + value(a - step, b, c)) / step**2
    assert second[0].item() == pytest.approx(expected, rel=1e-5)


def test_the_saved_result_of_an_inplace_operation_is_its_own():
    x = leaf(0.5, 1.0)
    y = x * 1
    y.exp_()
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx(torch.exp(x).tolist())


def test_an_inplace_operation_saves_what_it_overwrites():
    x = leaf(0.5, 1.0)
    y = x * 1
    y.sin_()
    y.mul_(y.clone())
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx((2 * x.sin() * x.cos()).tolist())


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda x: x.add_(1), "a leaf Variable that requires grad is being used in an in-place operation."),
        (
            lambda x: x.__setitem__(slice(None), 0),
            "a leaf Variable that requires grad is being used in an in-place operation.",
        ),
        (
            lambda x: x.__setitem__(0, 0),
            "a view of a leaf Variable that requires grad is being used in an in-place operation.",
        ),
        (
            lambda x: x[0].zero_(),
            "a view of a leaf Variable that requires grad is being used in an in-place operation.",
        ),
    ],
)
def test_leaves_refuse_writes(write, text):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError) as caught:
        write(x)
    assert str(caught.value) == text
    assert x.tolist() == [1.0, 2.0] and x._version == 0


def test_leaves_can_be_written_under_no_grad():
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        x.add_(1.0)
        x[0] = 5.0
    assert x.tolist() == [5.0, 3.0] and x.is_leaf and x.requires_grad and x._version == 2


def test_views_of_several_outputs_refuse_writes():
    x = leaf(1.0, 2.0)
    base = x * 1
    first, _ = base.unbind()
    with pytest.raises(RuntimeError, match="Output 0 of Unbind is a view and is being modified inplace"):
        first.mul_(2.0)
    assert base.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            lambda: torch.ones(2).add_(torch.ones(2, 2)),
            "output with shape [2] doesn't match the broadcast shape [2, 2]",
        ),
        (
            lambda: torch.ones(2, dtype=torch.int64).add_(1.5),
            "result type Float can't be cast to the desired output type Long",
        ),
        (
            lambda: torch.ones(1).expand(3).add_(1),
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.",
        ),
    ],
)
def test_writes_that_do_not_fit(write, text):
    with pytest.raises(RuntimeError) as caught:
        write()
    assert str(caught.value) == text


def test_a_source_that_overlaps_its_target_is_refused():
    x = torch.arange(6.0)
    for write in (
        lambda: x.__setitem__(slice(1, None), x[:-1]),
        lambda: x[1:].add_(x[:-1]),
        lambda: x[1:].copy_(x[:-1]),
    ):
        with pytest.raises(
            RuntimeError, match="some elements of the input tensor and the written-to tensor refer to a single"
        ):
            write()
    x[::2].add_(x[1::2])
    assert x.tolist() == [1.0, 1.0, 5.0, 3.0, 9.0, 5.0]


def test_writes_by_index_to_an_expanded_tensor_warn():
    x = torch.tensor(0.0).expand(2)
    with pytest.warns(UserWarning, match="Use of index_put_ on expanded tensors is deprecated"):
        x[x == 0] = 2.0
    assert x.tolist() == [2, 2]


def test_gradients_through_writes_to_views_show_the_write():
    x = torch.ones(4, requires_grad=True)
    base = x * 2
    base[1:].mul_(x[1:])
    (g,) = torch.autograd.grad((base * base).sum(), x, create_graph=True)
    assert g.tolist() == [8, 16, 16, 16]
    (second,) = torch.autograd.grad(g.sum(), x)
    assert second.tolist() == [8, 48, 48, 48]
    part = torch.relu_((x * 1).view(4))
    (g,) = torch.autograd.grad(part.exp().sum(), x, create_graph=True)
    write = g.grad_fn.next_functions[0][0]
    assert write.name() == "torch::autograd::CopySlices"
    assert write.next_functions[1][0].name() == "ThresholdBackwardBackward0"


def test_an_interrupted_pass_leaves_what_it_did_not_run():
    x = torch.ones(2, requires_grad=True)
    base = x * 1
    saved = base.exp()
    base[0] = 2.0
    y = base.sin()
    base.mul_(3)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            (y + saved).sum().backward()


def test_a_cotangent_that_fits_no_longer_names_the_node_that_made_it():
    x = torch.ones(3, 1, requires_grad=True)
    y = x * 1
    z = y.exp()
    with torch.no_grad():
        y.squeeze_(-1)
    with pytest.raises(
        RuntimeError, match=r"Function TBackward0 returned an invalid gradient at index 0 - got \[3\] but"
    ):
        (y.t() * 2).sum().backward()
    del z


def test_a_gradient_is_added_to_in_place_whatever_it_was_computed_from():
    x = torch.ones(2, requires_grad=True)
    given = x * 1
    x.grad = given
    (x * 2).sum().backward()
    assert x.grad is given
    assert given.tolist() == [3, 3]
    assert given._version == 1


def test_a_view_follows_its_base_when_that_is_made_to_require_grad():
    base = torch.ones(2)
    view = base[:1]
    base.requires_grad_()
    y = view * 2
    assert y.requires_grad
    y.sum().backward()
    assert base.grad is None
    base.detach_()
    assert not view.requires_grad


def test_comparisons_in_place_are_recorded_as_constants_and_logic_not_at_all():
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    assert y.lt_(2).grad_fn.name() == "LtBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]
    z = x * 3
    assert z.logical_not_().grad_fn.name() == "MulBackward0"


def test_writes_that_read_what_they_write():
    x = torch.arange(4.0)
    assert x.fill_(x[2]).tolist() == [2, 2, 2, 2]
    assert x.copy_(x) is x and x._version == 2
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x[torch.tensor([0])] = x
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x.scatter_add_(0, torch.zeros(4, dtype=torch.int64), x)


def test_nothing_leads_to_a_view_made_without_recording():
    x = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        view = x[1:]
    assert torch.autograd.grad((view * view).sum(), [view, x], allow_unused=True) == (None, None)
    view.register_hook(lambda g: pytest.fail("never called"))
    (view * 2).sum().backward()
    assert x.grad is None
    with pytest.raises(AssertionError, match="^Expected gradient function to be set$"):
        torch.autograd.graph.get_gradient_edge(view)
