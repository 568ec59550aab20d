"""torch.nn.utils beside PyTorch: values, random draws, printed forms, state, warnings and error texts."""

import copy
import importlib
import pickle

import pytest

torch = pytest.importorskip("torch")

from tests.parity.module_scenes import add_lines, shown  # noqa: E402
from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene, nn, utils = Scenes(), torch.nn, torch.nn.utils
    own = {}
    for name in ("parametrize", "parametrizations", "prune", "stateless"):
        own[name] = importlib.import_module(f"{torch.__name__}.nn.utils.{name}")
    _add_gradients(scene, torch, nn, utils)
    _add_parametrize(scene, torch, nn, own["parametrize"])
    _add_parametrizations(scene, torch, nn, utils, own["parametrize"], own["parametrizations"])
    _add_prune(scene, torch, nn, own["prune"])
    _add_fusion(scene, torch, nn, utils)
    _add_stateless(scene, torch, nn, own["stateless"])
    _add_the_rest(scene, torch, nn, utils)
    return scene


def _linear(torch, *sizes, **options):
    torch.manual_seed(1)
    return torch.nn.Linear(*sizes, **options)


# ------------------------------------------------------------------------------------------------------------ clipping


def _add_gradients(scene, torch, nn, utils):
    def trained():
        module = _linear(torch, 3, 4)
        module(torch.ones(2, 3)).pow(2).sum().backward()
        return module

    def clipped(function):
        def run():
            module = trained()
            result = function(module)
            return result, module.weight.grad, module.bias.grad

        return run

    def with_nan(**options):
        module = trained()
        module.weight.grad[0, 0] = float("nan")
        return utils.clip_grad_norm_(module.parameters(), 1.0, **options), module.bias.grad

    for number, kind in enumerate((2, 1, float("inf"), 0.5, "inf")):
        run = clipped(lambda m, kind=kind: utils.clip_grad_norm_(m.parameters(), 1.0, kind))
        add_lines(scene, **{f"clip_by_norm_{number}": run})
    add_lines(
        scene,
        clip_by_value=clipped(lambda m: utils.clip_grad_value_(m.parameters(), 0.5)),
        clip_nothing=clipped(lambda m: utils.clip_grad_norm_(m.parameters(), 1e6)),
        clip_one=clipped(lambda m: utils.clip_grad_norm_(m.weight, 1.0, foreach=True)),
        clip_by_the_older_name=clipped(lambda m: utils.clip_grad_norm(m.parameters(), 0.5)),
        clip_an_empty_generator=lambda: utils.clip_grad_norm_((p for p in []), 1.0),
        clip_without_gradients=lambda: utils.clip_grad_norm_(_linear(torch, 2, 2).parameters(), 1.0),
        clip_nan=lambda: with_nan(),
        clip_nan_refused=lambda: with_nan(error_if_nonfinite=True),
        total_norm=lambda: utils.get_total_norm([p.grad for p in trained().parameters()]),
        total_norm_of_one=lambda: utils.get_total_norm(trained().weight.detach(), 1),
        clip_with_a_norm=clipped(lambda m: utils.clip_grads_with_norm_(m.parameters(), 1.0, torch.tensor(5.0))),
    )


# -------------------------------------------------------------------------------------------------------- parametrize


def _add_parametrize(scene, torch, nn, parametrize):  # noqa: C901 - a list
    class Symmetric(nn.Module):
        def forward(self, X):
            return X.triu() + X.triu(1).transpose(-1, -2)

    class Assignable(Symmetric):
        def right_inverse(self, A):
            return A.triu()

    class Exponential(nn.Module):
        def forward(self, X):
            return torch.exp(X)

        def right_inverse(self, X):
            return torch.log(X)

    class Sum(nn.Module):
        def forward(self, a, b):
            return a + b

        def right_inverse(self, x):
            return x * 0.25, x * 0.75

    def bad(forward=lambda x: x, back=None):
        class Bad(nn.Module):
            pass

        Bad.forward = lambda self, x: forward(x)
        if back is not None:
            Bad.right_inverse = lambda self, x: back(x)
        return Bad()

    def made(*kinds, name="weight", **options):
        module = _linear(torch, 3, 3)
        for kind in kinds:
            parametrize.register_parametrization(module, name, kind() if isinstance(kind, type) else kind, **options)
        return module

    def state(module):
        return (
            *(module, module.weight, dict(module.state_dict()), type(module), isinstance(module, nn.Linear)),
            *(parametrize.is_parametrized(module), parametrize.type_before_parametrizations(module)),
        )

    def identity_is_kept():
        module = _linear(torch, 3, 3)
        weight = module.weight
        parametrize.register_parametrization(module, "weight", Symmetric())
        within = module.parametrizations.weight.original is weight
        parametrize.remove_parametrizations(module, "weight")
        return within, module.weight is weight, module.weight, type(module)

    def assigned(kind, leave=None):
        module = made(kind)
        module.weight = torch.arange(1.0, 10.0).view(3, 3)
        result = module.weight, dict(module.state_dict())
        return (
            result if leave is None else (result, parametrize.remove_parametrizations(module, "weight", leave).weight)
        )

    def cache():
        module = made(Symmetric)
        with parametrize.cached():
            inside = (module.weight is module.weight,)
            with parametrize.cached():
                first = module.weight
            inside += (first is module.weight,)
        return inside, module.weight is module.weight

    def gradients():
        module = made(Assignable, Exponential)
        module(torch.ones(2, 3)).pow(2).sum().backward()
        return [(name, p.grad) for name, p in module.named_parameters()]

    def transferred(name=None):
        module, other = made(Sum), _linear(torch, 3, 3)
        parametrize.register_parametrization(module, "bias", Exponential())
        parametrize.transfer_parametrizations_and_params(module, other, name)
        same = other.parametrizations.weight.original0 is module.parametrizations.weight.original0
        return other, other.weight, same

    def of_a_buffer():
        module = nn.BatchNorm1d(2)
        parametrize.register_parametrization(module, "running_var", Exponential())
        return module, dict(module.state_dict()), module.running_var, [name for name, _ in module.named_buffers()]

    def loaded():
        module, other = made(Symmetric), made(Symmetric)
        torch.manual_seed(9)
        nn.init.normal_(other.parametrizations.weight.original)
        return str(module.load_state_dict(other.state_dict())), module.weight

    add_lines(
        scene,
        parametrized=lambda: state(made(Symmetric)),
        parametrized_twice=lambda: state(made(Assignable, Exponential)),
        parametrized_by_two=lambda: state(made(Sum)),
        parametrized_identity=identity_is_kept,
        parametrized_assigned=lambda: assigned(Assignable),
        parametrized_assigned_two=lambda: assigned(Sum),
        parametrized_not_assignable=lambda: assigned(Symmetric),
        parametrized_removed_with_original=lambda: assigned(Assignable, False),
        parametrized_removed_with_value=lambda: assigned(Exponential, True),
        parametrized_two_removed=lambda: assigned(Sum, True),
        parametrized_two_removed_with_original=lambda: assigned(Sum, False),
        parametrized_cached=cache,
        parametrized_gradients=gradients,
        parametrized_copied=lambda: state(copy.deepcopy(made(Symmetric))),
        parametrized_pickled=lambda: pickle.dumps(made(Symmetric)),
        parametrized_transferred=transferred,
        parametrized_transferred_one=lambda: transferred("weight"),
        parametrized_buffer=of_a_buffer,
        parametrized_loaded=loaded,
        parametrized_no_such_name=lambda: made(Symmetric, name="foo"),
        parametrized_not_at_all=lambda: parametrize.remove_parametrizations(made(), "weight"),
        parametrized_empty_list=lambda: parametrize.ParametrizationList([], torch.ones(2)),
    )
    wrong = {
        "shape": lambda: bad(lambda x: x[:1]),
        "dtype": lambda: bad(lambda x: x.double()),
        "kind": lambda: bad(lambda x: 3),
        "back_kind": lambda: bad(back=lambda x: 3),
        "back_dtype": lambda: bad(back=lambda x: x.double()),
        "back_shape": lambda: bad(back=lambda x: x[:1]),
        "back_sequence": lambda: bad(back=lambda x: [x, 3]),
    }
    for name, make in wrong.items():
        add_lines(
            scene,
            **{
                f"wrong_{name}": lambda make=make: made(make()),
                f"wrong_{name}_second": lambda make=make: made(Symmetric, make()),
                f"wrong_{name}_unsafe": lambda make=make: made(make(), unsafe=True),
            },
        )


# --------------------------------------------------------------------------------------------------- parametrizations


def _add_parametrizations(scene, torch, nn, utils, parametrize, ready):
    def orthogonal(sizes, kind, base):
        torch.manual_seed(3)
        return ready.orthogonal(nn.Linear(*sizes, dtype=torch.float64), orthogonal_map=kind, use_trivialization=base)

    def shown_orthogonal(sizes, kind, base):
        module = orthogonal(sizes, kind, base)
        module.weight.pow(3).sum().backward()
        return module, module.weight, dict(module.state_dict()), module.parametrizations.weight.original.grad

    def assigned_orthogonal(sizes, kind, base):
        module = orthogonal(sizes, kind, base)
        weight = nn.init.orthogonal_(torch.empty(sizes[1], sizes[0], dtype=torch.float64))
        module.weight = weight
        return bool((module.weight - weight).abs().max() < 1e-12)

    for kind in (None, "matrix_exp", "cayley", "householder"):
        for base in (True, False):
            for sizes in ((3, 3), (5, 3), (3, 5)):
                name = f"orthogonal_{kind}_{base}_{sizes[0]}_{sizes[1]}"
                args = (sizes, kind, base)
                add_lines(scene, **{name: lambda args=args: shown_orthogonal(*args)})
                add_lines(scene, **{name + "_assigned": lambda args=args: assigned_orthogonal(*args)})
    add_lines(
        scene,
        orthogonal_vector=lambda: ready.orthogonal(_linear(torch, 3, 3), "bias"),
        orthogonal_no_such_name=lambda: ready.orthogonal(_linear(torch, 3, 3), "foo"),
        orthogonal_no_such_map=lambda: ready.orthogonal(_linear(torch, 3, 3), "weight", "foo"),
        orthogonal_shape=lambda: setattr(ready.orthogonal(_linear(torch, 3, 3)), "weight", torch.ones(2, 2)),
        orthogonal_complex=lambda: ready.orthogonal(nn.Linear(3, 3, dtype=torch.complex64), "weight", "householder"),
    )

    def lengths(module):
        y = module(torch.arange(3.0).view(1, 3))
        y.pow(2).sum().backward()
        return module, y, dict(module.state_dict()), [(name, p.grad) for name, p in module.named_parameters()]

    def older_lengths(dim):
        module = utils.weight_norm(_linear(torch, 3, 4), dim=dim)
        return lengths(module), utils.remove_weight_norm(module), module.weight, dict(module.state_dict())

    def read_older_state():
        older, module = utils.weight_norm(_linear(torch, 3, 4)), ready.weight_norm(nn.Linear(3, 4))
        return str(module.load_state_dict(older.state_dict())), module.weight

    for dim in (0, 1, None, -1):
        add_lines(
            scene,
            **{
                f"weight_norm_{dim}": lambda dim=dim: lengths(ready.weight_norm(_linear(torch, 3, 4), dim=dim)),
                f"older_weight_norm_{dim}": lambda dim=dim: older_lengths(dim),
            },
        )
    add_lines(
        scene,
        weight_norm_of_older_state=read_older_state,
        weight_norm_twice=lambda: utils.weight_norm(utils.weight_norm(_linear(torch, 3, 4))),
        weight_norm_not_there=lambda: utils.remove_weight_norm(_linear(torch, 3, 4)),
    )

    def spectral(kind, sizes, shape, function):
        torch.manual_seed(2)
        module = function(kind(*sizes, dtype=torch.float64))
        x = torch.randn(*shape, dtype=torch.float64)
        y = module(x) + 2 * module(x)
        y.pow(2).sum().backward()
        trained = y, [(name, p.grad) for name, p in module.named_parameters()]
        after = module.eval()(x), dict(module.state_dict()), module
        return trained, after, module.state_dict()._metadata

    def removed(function):
        module = function(_linear(torch, 3, 4))
        if function is ready.spectral_norm:
            parametrize.remove_parametrizations(module, "weight")
        else:
            utils.remove_spectral_norm(module)
        return module, dict(module.state_dict()), len(module._state_dict_hooks), len(module._forward_pre_hooks)

    shapes = (
        (nn.Linear, (4, 3), (2, 4)),
        (nn.Conv2d, (4, 3, 2), (2, 4, 5, 5)),
        (nn.ConvTranspose1d, (4, 3, 2), (2, 4, 5)),
    )
    for function, age in ((ready.spectral_norm, ""), (utils.spectral_norm, "older_")):
        for kind, sizes, shape in shapes:
            args = (kind, sizes, shape, function)
            add_lines(scene, **{f"{age}spectral_norm_{kind.__name__}": lambda args=args: spectral(*args)})
        add_lines(
            scene,
            **{
                f"{age}spectral_norm_removed": lambda f=function: removed(f),
                f"{age}spectral_norm_no_iterations": lambda f=function: f(_linear(torch, 3, 4), n_power_iterations=0),
                f"{age}spectral_norm_no_such_name": lambda f=function: f(_linear(torch, 3, 4), "foo"),
                f"{age}spectral_norm_of_none": lambda f=function: f(_linear(torch, 3, 4, bias=False), "bias"),
            },
        )
    add_lines(
        scene,
        spectral_norm_of_a_vector=lambda: ready.spectral_norm(_linear(torch, 3, 4), "bias").bias,
        spectral_norm_dim=lambda: ready.spectral_norm(_linear(torch, 3, 4), dim=2),
        older_spectral_norm_twice=lambda: utils.spectral_norm(utils.spectral_norm(_linear(torch, 3, 4))),
        older_spectral_norm_not_there=lambda: utils.remove_spectral_norm(_linear(torch, 3, 4)),
    )


# -------------------------------------------------------------------------------------------------------------- prune


def _add_prune(scene, torch, nn, prune):
    def pruned(function, name="weight"):
        def run():
            module = _linear(torch, 3, 4)
            torch.manual_seed(5)
            function(module)
            once = dict(module.state_dict()), getattr(module, name), module, prune.is_pruned(module)
            function(module)
            hook = next(iter(module._forward_pre_hooks.values()))
            twice = dict(module.state_dict()), type(hook), hook._tensor_name
            module(torch.ones(1, 3)).sum().backward()
            gradients = [(name, p.grad) for name, p in module.named_parameters()]
            prune.remove(module, name)
            return once, twice, gradients, dict(module.state_dict()), prune.is_pruned(module)

        return run

    scores = torch.arange(12.0).view(4, 3)
    add_lines(
        scene,
        prune_nothing=pruned(lambda m: prune.identity(m, "weight")),
        prune_random_part=pruned(lambda m: prune.random_unstructured(m, "weight", 0.3)),
        prune_random_five=pruned(lambda m: prune.random_unstructured(m, "weight", 5)),
        prune_smallest=pruned(lambda m: prune.l1_unstructured(m, "weight", 0.4)),
        prune_by_scores=pruned(lambda m: prune.l1_unstructured(m, "weight", 3, importance_scores=scores)),
        prune_random_rows=pruned(lambda m: prune.random_structured(m, "weight", 2, 0)),
        prune_random_columns=pruned(lambda m: prune.random_structured(m, "weight", 0.4, -1)),
        prune_rows_of_small_norm=pruned(lambda m: prune.ln_structured(m, "weight", 0.5, 2, 0)),
        prune_columns_of_small_norm=pruned(lambda m: prune.ln_structured(m, "weight", 1, float("-inf"), 1)),
        prune_by_mask=pruned(lambda m: prune.custom_from_mask(m, "bias", torch.tensor([1, 0, 1, 0])), "bias"),
        prune_none=pruned(lambda m: prune.l1_unstructured(m, "weight", 0)),
        prune_all=pruned(lambda m: prune.l1_unstructured(m, "weight", 1.0)),
    )

    def together():
        a, b = _linear(torch, 3, 4), _linear(torch, 4, 3)
        pairs = [(a, "weight"), (b, "weight"), (b, "bias")]
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.3)
        first = dict(a.state_dict()), dict(b.state_dict())
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=4)
        torch.manual_seed(1)
        prune.global_unstructured(pairs, prune.RandomUnstructured, amount=2)
        return shown(first), dict(a.state_dict()), dict(b.state_dict())

    def one_after_the_other():
        module = _linear(torch, 3, 4)
        torch.manual_seed(8)
        prune.random_structured(module, "weight", 1, 0)
        prune.l1_unstructured(module, "weight", 2)
        prune.ln_structured(module, "weight", 1, 2, 1)
        container = next(iter(module._forward_pre_hooks.values()))
        kinds = len(container), [type(each) for each in container], type(container[0])
        return dict(module.state_dict()), kinds, copy.deepcopy(module).weight

    def failing():
        module = _linear(torch, 3, 4)
        try:
            prune.l1_unstructured(module, "weight", 13)
        except ValueError as error:
            return str(error), list(module.state_dict()), [name for name, _ in module.named_parameters()]

    new = lambda: _linear(torch, 3, 4)  # noqa: E731
    weight = lambda: [(_linear(torch, 3, 4), "weight")]  # noqa: E731
    add_lines(
        scene,
        prune_together=together,
        prune_one_after_the_other=one_after_the_other,
        prune_fails_whole=failing,
        prune_a_tensor=lambda: prune.L1Unstructured(2).prune(torch.tensor([3.0, -1, 2])),
        prune_amount_above_one=lambda: prune.l1_unstructured(new(), "weight", 1.5),
        prune_amount_of_wrong_type=lambda: prune.l1_unstructured(new(), "weight", "a"),
        prune_amount_negative=lambda: prune.l1_unstructured(new(), "weight", -1),
        prune_part_negative=lambda: prune.l1_unstructured(new(), "weight", -0.1),
        prune_channels_of_a_vector=lambda: prune.random_structured(new(), "bias", 1, 0),
        prune_dim=lambda: prune.random_structured(new(), "weight", 1, 2),
        prune_not_pruned=lambda: prune.remove(new(), "weight"),
        prune_scores_of_wrong_shape=lambda: prune.l1_unstructured(new(), "weight", 1, torch.ones(2)),
        prune_mask_of_wrong_shape=lambda: prune.custom_from_mask(new(), "weight", torch.ones(2)),
        prune_no_such_name=lambda: prune.l1_unstructured(new(), "foo", 1),
        prune_together_not_iterable=lambda: prune.global_unstructured(3, prune.L1Unstructured),
        prune_together_structured=lambda: prune.global_unstructured(weight(), prune.RandomStructured, amount=1),
        prune_together_scores=lambda: prune.global_unstructured(weight(), prune.L1Unstructured, 3, amount=1),
        prune_base_class=lambda: prune.BasePruningMethod(),
        prune_container_of_nothing_known=lambda: prune.PruningContainer().add_pruning_method(3),
    )


# ------------------------------------------------------------------------------------------------------------- fusion


def _add_fusion(scene, torch, nn, utils):
    def normalisation(kind, *args, **options):
        torch.manual_seed(6)
        made = kind(*args, **options)
        made.running_mean.normal_()
        made.running_var.uniform_(0.5, 2)
        if made.weight is not None:
            nn.init.normal_(made.weight)
            nn.init.normal_(made.bias)
        return made.eval()

    def convolution(kind, norm, *sizes, transpose=False, **options):
        torch.manual_seed(0)
        conv, norm = kind(*sizes, **options).eval(), norm
        fused = utils.fuse_conv_bn_eval(conv, norm, transpose)
        return fused, fused.weight, fused.bias, type(fused.weight), fused.weight.requires_grad

    def linear(norm, training=False):
        fused = utils.fuse_linear_bn_eval(_linear(torch, 3, 4).train(training), norm)
        return fused, fused.weight, fused.bias

    add_lines(
        scene,
        fuse_conv=lambda: convolution(nn.Conv2d, normalisation(nn.BatchNorm2d, 4), 3, 4, 2),
        fuse_conv_plain=lambda: convolution(
            nn.Conv1d, normalisation(nn.BatchNorm1d, 4, affine=False), 3, 4, 2, bias=False
        ),
        fuse_transposed=lambda: convolution(
            nn.ConvTranspose2d, normalisation(nn.BatchNorm2d, 4), 3, 4, 2, transpose=True
        ),
        fuse_linear=lambda: linear(normalisation(nn.BatchNorm1d, 4)),
        fuse_linear_training=lambda: linear(normalisation(nn.BatchNorm1d, 4), True),
        fuse_linear_sizes=lambda: linear(normalisation(nn.BatchNorm1d, 5)),
        fuse_linear_without_statistics=lambda: linear(nn.BatchNorm1d(4, track_running_stats=False).eval()),
    )


# ---------------------------------------------------------------------------------------------------------- stateless


def _add_stateless(scene, torch, nn, stateless):
    call, x = stateless._functional_call, torch.tensor([[1.0, 2.0]])

    def tied():
        torch.manual_seed(1)
        module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        module[1].weight = module[0].weight
        return module

    def buffers():
        module = nn.BatchNorm1d(2)
        given = {"running_mean": torch.zeros(2), "num_batches_tracked": torch.tensor(3)}
        y = call(module, given, torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
        return y, given, module.running_mean, module.num_batches_tracked

    def gradient():
        module = _linear(torch, 2, 2)
        weight = torch.eye(2, requires_grad=True)
        call(module, {"weight": weight}, (x,)).sum().backward()
        return weight.grad, module.weight.grad, module.weight

    def restored_after_an_error():
        module = _linear(torch, 2, 2)
        before = module.weight
        try:
            call(module, {"weight": torch.eye(3)}, x)
        except RuntimeError:
            return module.weight is before

    eye = lambda: torch.eye(2)  # noqa: E731
    add_lines(
        scene,
        call_with_weight=lambda: call(_linear(torch, 2, 2), {"weight": eye()}, x),
        call_by_the_older_place=lambda: stateless.functional_call(_linear(torch, 2, 2), {"weight": eye()}, x),
        call_with_keyword=lambda: call(_linear(torch, 2, 2), {"weight": eye()}, kwargs={"input": x}),
        call_strictly=lambda: call(_linear(torch, 2, 2), {"weight": eye(), "x": torch.ones(1)}, x, strict=True),
        call_unknown_name=lambda: call(_linear(torch, 2, 2), {"x": torch.ones(1)}, x),
        call_unknown_path=lambda: call(_linear(torch, 2, 2), {"y.x": torch.ones(1)}, x),
        call_not_a_tensor=lambda: call(_linear(torch, 2, 2), {"weight": 3}, x),
        call_tied=lambda: call(tied(), {"0.weight": eye()}, x),
        call_untied=lambda: call(tied(), {"0.weight": eye()}, x, tie_weights=False),
        call_tied_twice=lambda: call(tied(), {"0.weight": eye(), "1.weight": eye()}, x),
        call_with_buffers=buffers,
        call_gradient=gradient,
        call_restores=restored_after_an_error,
    )


# ----------------------------------------------------------------------------------------------------------- the rest


def _add_the_rest(scene, torch, nn, utils):
    def to_parameters():
        module = _linear(torch, 3, 4)
        vector = torch.arange(16.0)
        utils.vector_to_parameters(vector, module.parameters())
        return module.weight, module.bias, module.bias.data_ptr() == vector[12:].data_ptr()

    def skipped():
        torch.manual_seed(4)
        module = utils.skip_init(nn.Linear, 2, 3)
        return module, module.weight.shape, torch.rand(2)

    def memory_format():
        module = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Conv3d(3, 4, 2))
        utils.convert_conv2d_weight_memory_format(module, torch.channels_last)
        utils.convert_conv3d_weight_memory_format(module, torch.channels_last_3d)
        return [each.weight.stride() for each in module]

    def recurrent_weight_norm(function, remove):
        torch.manual_seed(1)
        module = nn.LSTM(3, 4)
        function(module, "weight_hh_l0")
        y = module(torch.ones(3, 2, 3))[0]
        y.sum().backward()
        gradients = [(name, p.grad) for name, p in module.named_parameters()]
        remove(module, "weight_hh_l0")
        return y, gradients, module, dict(module.state_dict()), module(torch.ones(3, 2, 3))[0]

    ready = importlib.import_module(f"{torch.__name__}.nn.utils.parametrizations")
    parametrize = importlib.import_module(f"{torch.__name__}.nn.utils.parametrize")
    add_lines(
        scene,
        as_vector=lambda: utils.parameters_to_vector(_linear(torch, 3, 4).parameters()),
        as_vector_of_none=lambda: utils.parameters_to_vector([]),
        from_vector=to_parameters,
        from_something_else=lambda: utils.vector_to_parameters([1], _linear(torch, 3, 4).parameters()),
        skip_init=skipped,
        skip_init_of_no_module=lambda: utils.skip_init(int),
        skip_init_without_device=lambda: utils.skip_init(nn.ReLU),
        memory_format=memory_format,
        lstm_older_weight_norm=lambda: recurrent_weight_norm(utils.weight_norm, utils.remove_weight_norm),
        lstm_weight_norm=lambda: recurrent_weight_norm(ready.weight_norm, parametrize.remove_parametrizations),
        names=lambda: sorted(set(utils.__all__)),
    )


@pytest.mark.parametrize("name", scenes(torch))
def test_both_libraries_show_the_same(name):
    assert compare(scenes, name) is None
