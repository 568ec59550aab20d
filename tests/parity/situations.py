"""Bad input, as functions of a module: each must raise, and rushlight must say what PyTorch says.

Every function takes `t`, the module under test with PyTorch's names, and does one thing that is refused. A function may
return nothing; what it must not do is succeed. `test_autograd_texts.py` runs them on both libraries.
"""

import copy

import numpy as np

SITUATIONS = {}


def situation(function):
    assert function.__name__ not in SITUATIONS, function.__name__
    SITUATIONS[function.__name__] = function
    return function


def one_liners(**functions):
    for name, function in functions.items():
        function.__name__ = name
        situation(function)


def _leaf(t, *shape):
    return t.ones(*shape, requires_grad=True)


# --- shapes that do not go together ---------------------------------------------------------------------------------------

one_liners(
    add_of_shapes_that_do_not_broadcast=lambda t: t.ones(2, 3) + t.ones(2, 4),
    add_of_shapes_of_other_length=lambda t: t.ones(2, 3, 4) + t.ones(5),
    mul_of_shapes_that_do_not_broadcast=lambda t: t.ones(3) * t.ones(4),
    pow_of_shapes_that_do_not_broadcast=lambda t: t.ones(3) ** t.ones(4),
    compare_shapes_that_do_not_broadcast=lambda t: t.ones(3) < t.ones(4),
    where_of_shapes_that_do_not_broadcast=lambda t: t.where(t.ones(3) > 0, t.ones(4), t.ones(3)),
    broadcast_tensors_that_do_not=lambda t: t.broadcast_tensors(t.ones(2), t.ones(3)),
    broadcast_shapes_that_do_not=lambda t: t.broadcast_shapes((2, 3), (4,)),
    in_place_add_that_would_grow=lambda t: t.ones(3).add_(t.ones(2, 3)),
    in_place_mul_operator_that_would_grow=lambda t: t.ones(1).__imul__(t.ones(4)),
    matmul_inner_sizes=lambda t: t.ones(2, 3) @ t.ones(2, 3),
    matmul_vector_sizes=lambda t: t.ones(2) @ t.ones(3),
    matmul_matrix_vector=lambda t: t.ones(2, 3) @ t.ones(2),
    matmul_vector_matrix=lambda t: t.ones(4) @ t.ones(3, 2),
    matmul_of_a_scalar=lambda t: t.tensor(1.0) @ t.ones(3),
    matmul_batches=lambda t: t.ones(2, 3, 4) @ t.ones(3, 4, 5),
    mm_of_vectors=lambda t: t.mm(t.ones(3), t.ones(3)),
    mm_inner_sizes=lambda t: t.mm(t.ones(2, 3), t.ones(4, 5)),
    bmm_of_matrices=lambda t: t.bmm(t.ones(2, 3), t.ones(3, 2)),
    bmm_batches=lambda t: t.bmm(t.ones(2, 3, 4), t.ones(3, 4, 5)),
    mv_sizes=lambda t: t.mv(t.ones(2, 3), t.ones(2)),
    dot_sizes=lambda t: t.dot(t.ones(2), t.ones(3)),
    dot_of_matrices=lambda t: t.dot(t.ones(2, 2), t.ones(2, 2)),
    matmul_dtypes=lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64),
    mm_of_integers_and_floats=lambda t: t.mm(t.ones(2, 2, dtype=t.int64), t.ones(2, 2)),
    einsum_sizes=lambda t: t.einsum("ij,jk->ik", t.ones(2, 3), t.ones(4, 5)),
    einsum_operands=lambda t: t.einsum("ij,jk->ik", t.ones(2, 3)),
    view_of_another_size=lambda t: t.ones(6).view(4, 2),
    view_with_two_inferred=lambda t: t.ones(6).view(-1, -1),
    view_with_a_size_that_does_not_divide=lambda t: t.ones(6).view(4, -1),
    view_of_a_transposed=lambda t: t.ones(2, 3).t().view(6),
    view_with_a_negative_size=lambda t: t.ones(6).view(-2, 3),
    reshape_of_another_size=lambda t: t.ones(6).reshape(5),
    expand_of_a_size_that_is_not_one=lambda t: t.ones(2, 3).expand(4, 3),
    expand_to_fewer_dimensions=lambda t: t.ones(2, 3).expand(3),
    repeat_with_too_few=lambda t: t.ones(2, 3).repeat(2),
    permute_with_too_few=lambda t: t.ones(2, 3, 4).permute(0, 1),
    permute_with_a_repeated_dimension=lambda t: t.ones(2, 3).permute(0, 0),
    transpose_out_of_range=lambda t: t.ones(2, 3).transpose(0, 2),
    t_of_three_dimensions=lambda t: t.ones(2, 3, 4).t(),
    squeeze_out_of_range=lambda t: t.ones(2, 3).squeeze(4),
    unsqueeze_out_of_range=lambda t: t.ones(2, 3).unsqueeze(4),
    flatten_the_wrong_way_round=lambda t: t.ones(2, 3, 4).flatten(2, 1),
    unflatten_to_another_size=lambda t: t.ones(6).unflatten(0, (4, 2)),
    split_into_sizes_that_do_not_add_up=lambda t: t.ones(6).split([2, 3]),
    split_into_negative=lambda t: t.ones(6).split(-1),
    chunk_into_none=lambda t: t.ones(6).chunk(0),
    cat_of_nothing=lambda t: t.cat([]),
    cat_of_other_dimensions=lambda t: t.cat([t.ones(2, 3), t.ones(2)]),
    cat_of_other_sizes=lambda t: t.cat([t.ones(2, 3), t.ones(3, 4)]),
    cat_of_scalars=lambda t: t.cat([t.tensor(1.0), t.tensor(2.0)]),
    cat_along_a_dimension_out_of_range=lambda t: t.cat([t.ones(2), t.ones(2)], 1),
    stack_of_other_sizes=lambda t: t.stack([t.ones(2), t.ones(3)]),
    stack_of_nothing=lambda t: t.stack([]),
    narrow_beyond_the_end=lambda t: t.ones(4).narrow(0, 2, 4),
    select_out_of_range=lambda t: t.ones(2, 3).select(1, 3),
    diagonal_of_a_vector=lambda t: t.ones(3).diagonal(),
    unfold_larger_than_the_tensor=lambda t: t.ones(3).unfold(0, 4, 1),
    movedim_out_of_range=lambda t: t.ones(2, 3).movedim(0, 5),
)

# --- dimensions ------------------------------------------------------------------------------------------------------------

one_liners(
    sum_over_a_dimension_out_of_range=lambda t: t.ones(2, 3).sum(2),
    sum_over_a_dimension_twice=lambda t: t.ones(2, 3).sum((0, 0)),
    mean_of_integers=lambda t: t.ones(3, dtype=t.int64).mean(),
    mean_over_a_dimension_out_of_range=lambda t: t.ones(2, 3).mean(-3),
    std_of_integers=lambda t: t.ones(3, dtype=t.int64).std(),
    max_of_nothing=lambda t: t.ones(0).max(),
    max_along_an_empty_dimension=lambda t: t.ones(0, 2).max(0),
    argmax_of_nothing=lambda t: t.ones(0).argmax(),
    max_over_a_dimension_out_of_range=lambda t: t.ones(2).max(1),
    cumsum_out_of_range=lambda t: t.ones(2).cumsum(1),
    softmax_out_of_range=lambda t: t.ones(2).softmax(1),
    softmax_of_integers=lambda t: t.ones(2, dtype=t.int64).softmax(0),
    sort_out_of_range=lambda t: t.ones(2).sort(1),
    topk_of_too_many=lambda t: t.ones(3).topk(4),
    norm_of_integers=lambda t: t.ones(3, dtype=t.int64).norm(),
    prod_out_of_range=lambda t: t.ones(2, 3).prod(2),
    flip_twice=lambda t: t.ones(2, 3).flip(0, 0),
    roll_with_other_lengths=lambda t: t.ones(2, 3).roll((1, 2), (0,)),
)

# --- indexing --------------------------------------------------------------------------------------------------------------


@situation
def set_an_item_to_a_wrong_shape(t):
    t.ones(3, 4)[0] = t.ones(3)


@situation
def set_an_item_of_a_leaf(t):
    _leaf(t, 3)[0] = 2.0


@situation
def set_masked_items_to_a_wrong_number(t):
    t.ones(4)[t.tensor([True, False, True, False])] = t.ones(3)


@situation
def set_an_item_out_of_range(t):
    t.ones(3)[3] = 1.0


@situation
def set_an_item_to_a_string(t):
    t.ones(3)[0] = "a"


@situation
def set_indexed_items_to_another_dtype(t):
    t.ones(3)[t.tensor([0, 1])] = t.ones(2, dtype=t.float64)


one_liners(
    index_out_of_range=lambda t: t.ones(3)[3],
    negative_index_out_of_range=lambda t: t.ones(3)[-4],
    index_out_of_range_in_the_second_dimension=lambda t: t.ones(3, 2)[1, 2],
    too_many_indices=lambda t: t.ones(3)[0, 0],
    index_of_a_scalar=lambda t: t.tensor(1.0)[0],
    index_with_a_float=lambda t: t.ones(3)[1.5],
    index_with_a_string=lambda t: t.ones(3)["a"],
    index_with_a_float_tensor=lambda t: t.ones(3)[t.ones(2)],
    index_tensor_out_of_range=lambda t: t.ones(3)[t.tensor([0, 5])],
    index_tensors_that_do_not_broadcast=lambda t: t.ones(3, 3)[t.tensor([0, 1]), t.tensor([0, 1, 2])],
    mask_of_another_shape=lambda t: t.ones(3)[t.tensor([True, False])],
    mask_of_another_shape_in_two_dimensions=lambda t: t.ones(3, 4)[t.ones(3, 3, dtype=t.bool)],
    slice_with_a_negative_step=lambda t: t.ones(3)[::-1],
    slice_with_a_zero_step=lambda t: t.ones(3)[::0],
    gather_with_other_dimensions=lambda t: t.ones(2, 2).gather(0, t.tensor([0])),
    gather_with_floats=lambda t: t.ones(2).gather(0, t.ones(1)),
    gather_out_of_range=lambda t: t.ones(2).gather(0, t.tensor([2])),
    scatter_out_of_range=lambda t: t.zeros(2).scatter(0, t.tensor([2]), t.ones(1)),
    scatter_of_another_dtype=lambda t: t.zeros(2).scatter(0, t.tensor([1]), t.ones(1, dtype=t.float64)),
    index_select_with_floats=lambda t: t.ones(3).index_select(0, t.ones(1)),
    index_select_with_a_matrix=lambda t: t.ones(3).index_select(0, t.zeros(1, 1, dtype=t.int64)),
    index_select_out_of_range=lambda t: t.ones(3).index_select(0, t.tensor([3])),
    masked_select_with_an_integer_mask=lambda t: t.ones(3).masked_select(t.ones(3, dtype=t.int64)),
    masked_fill_with_an_integer_mask=lambda t: t.ones(3).masked_fill(t.ones(3, dtype=t.int64), 1.0),
    masked_fill_with_a_vector=lambda t: t.ones(3).masked_fill(t.ones(3, dtype=t.bool), t.ones(3)),
    take_out_of_range=lambda t: t.ones(3).take(t.tensor([7])),
    iterate_over_a_scalar=lambda t: list(t.tensor(1.0)),
    length_of_a_scalar=lambda t: len(t.tensor(1.0)),
)

# --- dtypes and devices ----------------------------------------------------------------------------------------------------

one_liners(
    integer_leaf_that_requires_grad=lambda t: t.tensor([1, 2], requires_grad=True),
    boolean_leaf_that_requires_grad=lambda t: t.tensor([True], requires_grad=True),
    zeros_of_integers_that_require_grad=lambda t: t.zeros(2, dtype=t.int64, requires_grad=True),
    requires_grad_of_integers=lambda t: t.tensor([1, 2]).requires_grad_(),
    requires_grad_attribute_of_integers=lambda t: setattr(t.tensor([1, 2]), "requires_grad", True),
    requires_grad_attribute_set_to_a_string=lambda t: setattr(t.ones(2), "requires_grad", "yes"),
    requires_grad_taken_from_a_result=lambda t: setattr(_leaf(t, 2) * 2, "requires_grad", False),
    requires_grad_method_off_on_a_result=lambda t: (_leaf(t, 2) * 2).requires_grad_(False),
    in_place_float_into_integers=lambda t: t.tensor([1, 2]).add_(1.5),
    in_place_division_of_integers=lambda t: t.tensor([1, 2]).div_(2),
    in_place_division_operator_of_integers=lambda t: t.tensor([1, 2]).__itruediv__(2),
    in_place_complex_into_floats=lambda t: t.ones(2).mul_(t.ones(2, dtype=t.complex64)),
    in_place_integers_into_booleans=lambda t: t.tensor([True]).add_(1),
    subtract_booleans=lambda t: t.tensor([True]) - t.tensor([True]),
    negate_booleans=lambda t: -t.tensor([True]),
    invert_floats=lambda t: ~t.ones(2),
    and_of_floats=lambda t: t.ones(2) & t.ones(2),
    compare_complex=lambda t: t.ones(2, dtype=t.complex64) < t.ones(2, dtype=t.complex64),
    sort_complex=lambda t: t.ones(2, dtype=t.complex64).sort(),
    floor_complex=lambda t: t.ones(2, dtype=t.complex64).floor(),
    remainder_of_complex=lambda t: t.ones(2, dtype=t.complex64) % 2,
    integers_to_negative_integer_powers=lambda t: t.tensor([2]) ** -1,
    integer_remainder_by_zero=lambda t: t.tensor([2]) % 0,
    integer_floor_division_by_zero=lambda t: t.tensor([2]) // 0,
    alpha_of_a_float_for_integers=lambda t: t.tensor([1]).add(t.tensor([1]), alpha=1.5),
    zeros_on_cuda=lambda t: t.zeros(2, device="cuda"),
    tensor_on_cuda=lambda t: t.tensor([1.0], device="cuda"),
    move_to_cuda=lambda t: t.ones(2).to("cuda"),
    cuda_method=lambda t: t.ones(2).cuda(),
    device_of_an_unknown_kind=lambda t: t.device("gpu"),
    device_with_a_bad_index=lambda t: t.device("cuda:-1"),
    zeros_on_an_unknown_device=lambda t: t.zeros(2, device="nowhere"),
    dtype_that_is_a_string=lambda t: t.zeros(2, dtype="float32"),
    dtype_of_numpy=lambda t: t.zeros(2, dtype=np.float32),
    default_dtype_of_integers=lambda t: t.set_default_dtype(t.int64),
    finfo_of_integers=lambda t: t.finfo(t.int64),
    iinfo_of_floats=lambda t: t.iinfo(t.float32),
    view_as_a_dtype_of_another_size=lambda t: t.ones(3).view(t.float64),
    view_as_real_of_floats=lambda t: t.view_as_real(t.ones(2)),
    view_as_complex_of_integers=lambda t: t.view_as_complex(t.ones(2, 2, dtype=t.int64)),
    imag_of_floats=lambda t: t.ones(2).imag,
)

# --- what is not a tensor --------------------------------------------------------------------------------------------------

one_liners(
    sin_of_a_number=lambda t: t.sin(1.0),
    sin_of_a_string=lambda t: t.sin("a"),
    sin_of_a_list=lambda t: t.sin([1.0]),
    sin_of_nothing=lambda t: t.sin(),
    sin_of_two=lambda t: t.sin(t.ones(1), t.ones(1)),
    sin_with_an_unknown_keyword=lambda t: t.sin(t.ones(1), foo=1),
    add_a_string=lambda t: t.ones(2) + "a",
    add_none=lambda t: t.ones(2) + None,
    add_a_list=lambda t: t.ones(2) + [1.0, 2.0],
    multiply_by_a_dictionary=lambda t: t.ones(2) * {},
    matmul_by_a_number=lambda t: t.ones(2) @ 3,
    matmul_function_by_a_number=lambda t: t.matmul(t.ones(2), 3),
    cat_of_a_tensor=lambda t: t.cat(t.ones(2)),
    cat_of_numbers=lambda t: t.cat([1.0, 2.0]),
    stack_of_numbers=lambda t: t.stack([1.0]),
    where_of_a_number=lambda t: t.where(1.0, t.ones(2), t.ones(2)),
    zeros_of_a_string=lambda t: t.zeros("a"),
    zeros_of_a_float=lambda t: t.zeros(2.5),
    zeros_of_a_negative_size=lambda t: t.zeros(-1),
    ones_of_nothing_but_keywords=lambda t: t.ones(dtype=t.float32),
    view_of_a_float=lambda t: t.ones(4).view(2.0, 2.0),
    reshape_of_nothing=lambda t: t.ones(4).reshape(),
    sum_over_a_string=lambda t: t.ones(2).sum("a"),
    from_numpy_of_a_list=lambda t: t.from_numpy([1.0]),
    from_numpy_of_objects=lambda t: t.from_numpy(np.array([object()])),
    from_numpy_of_strings=lambda t: t.from_numpy(np.array(["a"])),
    from_numpy_of_negative_strides=lambda t: t.from_numpy(np.arange(3.0)[::-1]),
    tensor_of_a_ragged_list=lambda t: t.tensor([[1.0, 2.0], [3.0]]),
    tensor_of_a_deeply_ragged_list=lambda t: t.tensor([[[1], [2, 3]], [[4], [5]]]),
    tensor_of_a_list_that_starts_with_a_number=lambda t: t.tensor([1.0, [2.0]]),
    tensor_of_a_list_that_ends_with_a_number=lambda t: t.tensor([[2.0], 1.0]),
    tensor_of_a_string=lambda t: t.tensor("a"),
    tensor_of_strings=lambda t: t.tensor(["a", "b"]),
    tensor_of_none=lambda t: t.tensor(None),
    tensor_of_nones=lambda t: t.tensor([None, 1.0]),
    tensor_of_a_set=lambda t: t.tensor({1.0}),
    tensor_of_a_dictionary=lambda t: t.tensor({"a": 1}),
    tensor_of_nothing=lambda t: t.tensor(),
    tensor_of_long_tensors=lambda t: t.tensor([t.ones(2), t.ones(2)]),
    integer_too_large=lambda t: t.tensor(2**64),
    integer_too_large_for_a_byte=lambda t: t.tensor(256, dtype=t.uint8),
    arange_with_a_step_of_zero=lambda t: t.arange(0, 3, 0),
    arange_the_wrong_way=lambda t: t.arange(0, 3, -1),
    linspace_with_negative_steps=lambda t: t.linspace(0, 1, -1),
    eye_of_a_negative_size=lambda t: t.eye(-1),
    full_without_a_value=lambda t: t.full((2,)),
    randint_of_an_empty_range=lambda t: t.randint(3, 3, (2,)),
    randperm_of_a_negative_number=lambda t: t.randperm(-1),
    normal_with_a_negative_deviation=lambda t: t.normal(0.0, -1.0, (2,)),
    bernoulli_of_a_probability_above_one=lambda t: t.bernoulli(t.full((2,), 2.0)),
    multinomial_of_negative_weights=lambda t: t.multinomial(t.tensor([-1.0, 1.0]), 1),
    manual_seed_of_a_string=lambda t: t.manual_seed("a"),
    is_tensor_without_arguments=lambda t: t.is_tensor(),
    tensor_attribute_that_is_not_there=lambda t: t.ones(2).nothing,
    module_attribute_that_is_not_there=lambda t: t.nothing,
)

# --- reading values --------------------------------------------------------------------------------------------------------

one_liners(
    item_of_many=lambda t: t.ones(2).item(),
    item_of_none=lambda t: t.ones(0).item(),
    bool_of_many=lambda t: bool(t.ones(2)),
    bool_of_none=lambda t: bool(t.ones(0)),
    float_of_many=lambda t: float(t.ones(2)),
    int_of_many=lambda t: int(t.ones(2)),
    complex_of_many=lambda t: complex(t.ones(2)),
    float_of_a_complex=lambda t: float(t.tensor(1 + 1j)),
    index_by_a_float_tensor=lambda t: [1, 2][t.tensor(1.0)],
    index_by_many=lambda t: [1, 2][t.tensor([1, 0])],
    numpy_of_a_leaf=lambda t: _leaf(t, 2).numpy(),
    numpy_of_a_result=lambda t: (_leaf(t, 2) * 2).numpy(),
    array_of_a_leaf=lambda t: np.asarray(_leaf(t, 2)),
    numpy_of_bfloat16=lambda t: t.ones(2, dtype=t.bfloat16).numpy(),
    contains_a_string=lambda t: "a" in t.ones(2),
    format_of_many=lambda t: f"{t.ones(2):.2f}",
    deepcopy_of_a_result=lambda t: copy.deepcopy(_leaf(t, 2) * 2),
    hash_of_a_list_of_tensors=lambda t: {[t.ones(1)]},
    assign_data_of_a_string=lambda t: setattr(t.ones(1), "data", "a"),
    delete_data=lambda t: delattr(t.ones(1), "data"),
)

# --- backward --------------------------------------------------------------------------------------------------------------


@situation
def backward_twice(t):
    y = (_leaf(t, 2) ** 2).sum()
    y.backward()
    y.backward()


@situation
def backward_twice_through_a_shared_part(t):
    x = _leaf(t, 2)
    shared = x.exp()
    shared.sum().backward()
    (shared * 2).sum().backward()


@situation
def grad_twice(t):
    x = _leaf(t, 2)
    y = (x * x).sum()
    t.autograd.grad(y, x)
    t.autograd.grad(y, x)


@situation
def saved_tensor_read_after_backward(t):
    y = _leaf(t, 2).exp()
    y.sum().backward()
    y.grad_fn._saved_result  # noqa: B018


@situation
def backward_of_many_elements(t):
    (_leaf(t, 2) * 2).backward()


@situation
def grad_of_many_elements(t):
    x = _leaf(t, 2)
    t.autograd.grad(x * 2, x)


@situation
def backward_without_a_graph(t):
    t.ones(1).sum().backward()


@situation
def backward_of_a_detached_result(t):
    (_leaf(t, 2) * 2).detach().sum().backward()


@situation
def backward_of_a_result_under_no_grad(t):
    x = _leaf(t, 2)
    with t.no_grad():
        y = (x * 2).sum()
    y.backward()


@situation
def backward_of_integers(t):
    t.tensor(3).backward()


@situation
def backward_with_a_gradient_of_a_wrong_shape(t):
    (_leaf(t, 2) * 2).backward(t.ones(3))


@situation
def backward_with_a_gradient_of_more_dimensions(t):
    (_leaf(t, 2, 3) * 2).sum().backward(t.ones(1))


@situation
def backward_with_a_number(t):
    (_leaf(t, 2) * 2).backward(1.0)


@situation
def backward_with_a_string(t):
    (_leaf(t, 2) * 2).sum().backward("a")


@situation
def backward_with_a_complex_gradient(t):
    (_leaf(t, 2) * 2).backward(t.ones(2, dtype=t.complex64))


@situation
def backward_of_a_complex_scalar(t):
    x = t.ones(1, dtype=t.complex64, requires_grad=True)
    (x * 2).sum().backward()


@situation
def backward_with_no_inputs(t):
    (_leaf(t, 2) * 2).sum().backward(inputs=[])


@situation
def backward_for_an_input_that_is_no_leaf_and_no_tensor(t):
    (_leaf(t, 2) * 2).sum().backward(inputs=["a"])


@situation
def backward_for_an_input_that_does_not_require_grad(t):
    (_leaf(t, 2) * 2).sum().backward(inputs=[t.ones(2)])


@situation
def autograd_backward_of_a_string(t):
    t.autograd.backward("a")


@situation
def autograd_backward_with_too_few_gradients(t):
    x = _leaf(t, 2)
    t.autograd.backward([x.sum(), x.mean()], [t.tensor(1.0)])


@situation
def autograd_backward_with_both_names_of_the_gradients(t):
    y = _leaf(t, 2).sum()
    t.autograd.backward(y, grad_tensors=t.tensor(1.0), grad_variables=t.tensor(1.0))


@situation
def grad_for_an_unused_input(t):
    x, z = _leaf(t, 2), _leaf(t, 2)
    t.autograd.grad(x.sum(), [x, z])


@situation
def grad_for_an_input_that_does_not_require_grad(t):
    x = _leaf(t, 2)
    t.autograd.grad(x.sum(), [t.ones(2)])


@situation
def grad_of_an_output_that_does_not_require_grad(t):
    x = _leaf(t, 2)
    t.autograd.grad(t.ones(2).sum(), x)


@situation
def grad_for_no_inputs(t):
    t.autograd.grad(_leaf(t, 2).sum(), [])


@situation
def grad_for_a_string(t):
    t.autograd.grad(_leaf(t, 2).sum(), ["a"])


@situation
def grad_of_a_number(t):
    t.autograd.grad(1.0, _leaf(t, 2))


@situation
def grad_with_outputs_of_another_number(t):
    x = _leaf(t, 2)
    t.autograd.grad([x.sum(), x.mean()], [x], grad_outputs=[t.tensor(1.0)])


@situation
def grad_with_an_output_of_a_wrong_shape(t):
    x = _leaf(t, 2)
    t.autograd.grad(x * 2, x, grad_outputs=t.ones(3))


@situation
def grad_that_is_materialised_and_not_allowed_unused(t):
    x, z = _leaf(t, 2), _leaf(t, 2)
    t.autograd.grad(x.sum(), [x, z], allow_unused=False, materialize_grads=True)


@situation
def second_grad_without_create_graph(t):
    x = _leaf(t, 2)
    (g,) = t.autograd.grad((x**3).sum(), x)
    t.autograd.grad(g.sum(), x)


# --- .grad and friends -----------------------------------------------------------------------------------------------------

one_liners(
    assign_a_grad_of_a_wrong_shape=lambda t: setattr(_leaf(t, 2), "grad", t.ones(3)),
    assign_a_grad_of_another_dtype=lambda t: setattr(_leaf(t, 2), "grad", t.ones(2, dtype=t.float64)),
    assign_a_grad_that_is_a_number=lambda t: setattr(_leaf(t, 2), "grad", 1.0),
    assign_a_grad_that_is_a_string=lambda t: setattr(_leaf(t, 2), "grad", "a"),
    assign_is_leaf=lambda t: setattr(_leaf(t, 2), "is_leaf", True),
    assign_grad_fn=lambda t: setattr(_leaf(t, 2), "grad_fn", None),
    assign_shape=lambda t: setattr(_leaf(t, 2), "shape", (2,)),
    retain_grad_of_what_needs_none=lambda t: t.ones(2).retain_grad(),
    register_a_hook_on_what_needs_none=lambda t: t.ones(2).register_hook(lambda g: g),
    register_a_hook_after_accumulation_on_a_result=lambda t: (_leaf(t, 2) * 2).register_post_accumulate_grad_hook(
        lambda x: None
    ),
    set_grad_enabled_without_a_mode=lambda t: t.set_grad_enabled(),
)


@situation
def assign_a_grad_that_is_itself(t):
    x = _leaf(t, 2)
    x.grad = x


@situation
def hook_that_returns_a_wrong_shape(t):
    x = _leaf(t, 2)
    y = x * 2
    y.register_hook(lambda g: t.ones(3))
    y.sum().backward()


@situation
def hook_that_returns_a_number(t):
    x = _leaf(t, 2)
    y = x * 2
    y.register_hook(lambda g: 1.0)
    y.sum().backward()


@situation
def hook_that_raises(t):
    def hook(g):
        raise KeyError("from the hook")

    x = _leaf(t, 2)
    x.register_hook(hook)
    (x * 2).sum().backward()


# --- in-place --------------------------------------------------------------------------------------------------------------


@situation
def in_place_on_a_leaf(t):
    _leaf(t, 2).add_(1)


@situation
def in_place_operator_on_a_leaf(t):
    x = _leaf(t, 2)
    x += 1


@situation
def in_place_zero_on_a_leaf(t):
    _leaf(t, 2).zero_()


@situation
def in_place_on_a_view_of_a_leaf(t):
    _leaf(t, 2).view(2).add_(1)


@situation
def in_place_on_a_slice_of_a_leaf(t):
    _leaf(t, 3)[:2].mul_(2)


@situation
def set_items_of_a_view_of_a_leaf(t):
    _leaf(t, 2, 2)[0][1] = 3.0


@situation
def in_place_on_a_view_made_under_no_grad(t):
    x = _leaf(t, 2).clone()
    with t.no_grad():
        view = x.view(2)
    view.add_(1)


@situation
def in_place_on_a_view_of_a_leaf_made_under_no_grad(t):
    x = _leaf(t, 2)
    with t.no_grad():
        view = x[:1]
    view.mul_(2)


@situation
def in_place_on_one_of_several_views(t):
    x = _leaf(t, 4).clone()
    a, _ = x.split(2)
    a.add_(1)


@situation
def in_place_on_an_unbound_part(t):
    x = _leaf(t, 2, 2).clone()
    a, _ = x.unbind(0)
    a.mul_(2)


@situation
def in_place_on_an_expanded(t):
    t.ones(1).expand(3).add_(1)


@situation
def in_place_between_overlapping(t):
    x = t.arange(6.0)
    x[1:].add_(x[:-1])


@situation
def detach_a_view_in_place(t):
    _leaf(t, 2).clone().view(2).detach_()


@situation
def changed_value_that_exp_saved(t):
    y = _leaf(t, 2).exp()
    y.add_(1)
    y.sum().backward()


@situation
def changed_factor(t):
    x, w = _leaf(t, 2), t.ones(2)
    y = (x * w).sum()
    w.mul_(2)
    y.backward()


@situation
def changed_item_of_a_factor(t):
    x, w = _leaf(t, 2), t.ones(2)
    y = (x * w).sum()
    w[0] = 5.0
    y.backward()


@situation
def changed_leaf_under_no_grad(t):
    x = _leaf(t, 2)
    y = (x * x).sum()
    with t.no_grad():
        x.add_(1)
    y.backward()


@situation
def changed_through_a_view(t):
    x, w = _leaf(t, 4), t.ones(4)
    y = (x * w).sum()
    w.view(2, 2)[0].zero_()
    y.backward()


@situation
def changed_base_of_a_saved_view(t):
    x, w = _leaf(t, 2), t.ones(4)
    y = (x * w[:2]).sum()
    w.add_(1)
    y.backward()


@situation
def changed_matrix(t):
    x, w = _leaf(t, 2, 3), t.ones(3, 4)
    y = (x @ w).sum()
    w.mul_(2)
    y.backward()


@situation
def changed_result_of_tanh(t):
    y = _leaf(t, 3).tanh()
    z = y.sum()
    y[0] = 0.0
    z.backward()
    (y * y).sum().backward()


@situation
def changed_result_of_sigmoid_in_a_chain(t):
    x = _leaf(t, 3)
    y = (x * 2).sigmoid()
    z = y * 3
    y.mul_(2)
    z.sum().backward()


@situation
def changed_input_of_a_power(t):
    x = _leaf(t, 3) * 1
    y = x**2
    x.add_(1)
    y.sum().backward()


@situation
def changed_index_of_a_gather(t):
    x = _leaf(t, 3)
    index = t.tensor([0, 1])
    y = x.gather(0, index).sum()
    index.add_(1)
    y.backward()


@situation
def changed_twice(t):
    x = _leaf(t, 2)
    y = x.exp()
    z = y * y
    y.add_(1)
    y.add_(1)
    z.sum().backward()


@situation
def changed_value_in_grad(t):
    x = _leaf(t, 2)
    y = x.sqrt()
    y.mul_(2)
    t.autograd.grad(y.sum(), x)


# --- custom functions, no_grad and the rest of the surface -----------------------------------------------------------------


@situation
def function_that_returns_too_few_gradients(t):
    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g

    Two.apply(_leaf(t, 2), _leaf(t, 2)).sum().backward()


@situation
def function_that_returns_too_many_gradients(t):
    class One(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g, g

    One.apply(_leaf(t, 2)).sum().backward()


@situation
def function_that_returns_a_gradient_of_a_wrong_shape(t):
    class One(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return t.ones(3)

    One.apply(_leaf(t, 2)).sum().backward()


@situation
def function_without_a_backward(t):
    class One(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

    One.apply(_leaf(t, 2)).sum().backward()


@situation
def function_without_a_forward(t):
    class One(t.autograd.Function):
        pass

    One.apply(_leaf(t, 2))


@situation
def function_that_saves_a_number(t):
    class One(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(3)
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g

    One.apply(_leaf(t, 2))


@situation
def function_called_like_an_instance(t):
    class One(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a

        @staticmethod
        def backward(ctx, g):
            return g

    One()(t.ones(2))


@situation
def function_whose_saved_tensor_changed(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a * a

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return 2 * a * g

    x = _leaf(t, 2) * 1
    y = Square.apply(x)
    x.add_(1)
    y.sum().backward()


@situation
def tensor_that_is_out_and_requires_grad(t):
    t.add(t.ones(2), t.ones(2), out=_leaf(t, 2))


@situation
def out_with_inputs_that_require_grad(t):
    t.add(_leaf(t, 2), t.ones(2), out=t.ones(2))


@situation
def out_of_another_dtype(t):
    t.add(t.ones(2), t.ones(2), out=t.ones(2, dtype=t.int64))


@situation
def linear_of_wrong_sizes(t):
    t.nn.functional.linear(t.ones(2, 3), t.ones(4, 5))


@situation
def cross_entropy_of_a_target_out_of_range(t):
    t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 3]))


@situation
def cross_entropy_of_another_batch(t):
    t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 1, 2]))


@situation
def mse_loss_of_shapes_that_do_not_broadcast(t):
    t.nn.functional.mse_loss(t.ones(2, 3), t.ones(4))


@situation
def relu_of_a_string(t):
    t.nn.functional.relu("a")


@situation
def dropout_of_a_probability_above_one(t):
    t.nn.functional.dropout(t.ones(2), 1.5)
