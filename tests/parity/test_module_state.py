"""State dictionaries of modules: what is written, what is read, and every text about what does not fit."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402
from tests.parity.test_module_hooks import shown, warned  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    from collections import OrderedDict

    scene, nn = Scenes(), torch.nn

    class Child(nn.Module):
        _version = 3

        def __init__(self, size=2):
            super().__init__()
            self.w = nn.Parameter(torch.arange(float(size)))
            self.register_parameter("none", None)
            self.register_buffer("b", torch.ones(1))
            self.register_buffer("hidden", torch.zeros(1), persistent=False)
            self.register_buffer("empty", None)

    class Parent(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Child()
            self.second = None
            self.inner = nn.ModuleDict({"a": Child(3), "b": nn.Identity()})

    class Extra(Child):
        def get_extra_state(self):
            return {"count": 7}

        def set_extra_state(self, state):
            self.count = state["count"]

    def state(m, **options):
        return {name: shown(value) for name, value in m.state_dict(**options).items()}

    @scene
    def written(log):
        d = Parent().state_dict()
        return list(d), {k: dict(v) for k, v in d._metadata.items()}, type(d).__name__, shown(dict(d))

    @scene
    def values_are_detached_and_share_memory(log):
        m = Child()
        d, kept = m.state_dict(), m.state_dict(keep_vars=True)
        d["w"].add_(1)
        kinds = [(type(v).__name__, v.requires_grad) for v in (*d.values(), *kept.values())]
        return m.w.tolist(), kinds, kept["w"] is m.w

    @scene
    def prefix_and_destination(log):
        d = OrderedDict(x=1)
        result = Parent().state_dict(destination=d, prefix="p.")
        return result is d, list(d), hasattr(d, "_metadata")

    @scene
    def destination_with_metadata(log):
        d = OrderedDict()
        d._metadata = OrderedDict()
        Child().state_dict(destination=d, prefix="p.")
        return {k: dict(v) for k, v in d._metadata.items()}

    @scene
    def positional_arguments(log):
        d, texts = warned(lambda: Child().state_dict(OrderedDict(), "p.", True))
        return list(d), texts, d["p.w"].requires_grad

    @scene
    def read(log):
        a, b = Parent(), Parent()
        with torch.no_grad():
            a.first.w.mul_(5)
            a.inner["a"].b.fill_(9)
        return repr(b.load_state_dict(a.state_dict())), state(b)

    for number, (name, given) in enumerate(
        {
            "missing": {"first.w": torch.zeros(2)},
            "unexpected": {"first.other": torch.zeros(1), "else.x": torch.zeros(1), "x": torch.zeros(1)},
            "below_a_parameter": {"first.w.x": torch.zeros(1), "first.w": torch.zeros(2)},
            "shape": {"first.w": torch.zeros(3), "inner.a.w": torch.zeros(1, 3)},
            "no_tensor": {"first.w": 3, "first.b": [1.0]},
            "hidden": {"first.hidden": torch.zeros(1), "first.none": torch.zeros(1), "first.empty": torch.zeros(1)},
            "none_module": {"second.w": torch.zeros(1), "second": torch.zeros(1)},
            "no_dict": [("first.w", torch.zeros(1))],
            "none": None,
            "scalar": {"first.b": torch.zeros(()), "first.w": torch.zeros(1)},
            "number_keys": {"first.b": torch.zeros(1), "inner.b.x": torch.zeros(1)},
        }.items()
    ):

        def strict(log, given=given):
            m = Parent()
            m.load_state_dict(given)

        def lenient(log, given=given):
            m = Parent()
            result = m.load_state_dict(given, strict=False)
            return repr(result), list(result.missing_keys), list(result.unexpected_keys), state(m)

        def assigning(log, given=given):
            m = Parent()
            result = m.load_state_dict(given, strict=False, assign=True)
            return repr(result), state(m)

        for kind in (strict, lenient, assigning):
            kind.__name__ = f"{kind.__name__}_{number}_{name}"
            scene(kind)

    @scene
    def one_element_for_a_scalar(log):
        m = nn.Module()
        m.s = nn.Parameter(torch.tensor(1.0))
        m.load_state_dict({"s": torch.tensor([4.0])})
        return m.s.tolist()

    @scene
    def scalar_for_one_element(log):
        m = nn.Module()
        m.s = nn.Parameter(torch.tensor([1.0]))
        m.load_state_dict({"s": torch.tensor(4.0)})

    @scene
    def other_dtype(log):
        m = nn.Linear(2, 1)
        m.load_state_dict({"weight": torch.ones(1, 2, dtype=torch.float64), "bias": torch.ones(1, dtype=torch.int64)})
        return shown(m.weight), str(m.weight.dtype), str(m.bias.dtype)

    @scene
    def assigned(log):
        m = nn.Linear(2, 1)
        m.bias.requires_grad_(False)
        w = torch.ones(1, 2, dtype=torch.float64)
        b = nn.Parameter(torch.ones(1))
        m.load_state_dict({"weight": w, "bias": b}, assign=True)
        with torch.no_grad():
            w.mul_(3)
        return (
            *(shown(m.weight), str(m.weight.dtype), m.weight.requires_grad, type(m.weight).__name__),
            *(m.bias is b, m.bias.requires_grad, m.weight.is_leaf),
        )

    @scene
    def assigned_buffer(log):
        m = nn.BatchNorm1d(2)
        mean = torch.tensor([1.0, 2.0], dtype=torch.float64)
        given = dict(m.state_dict(), running_mean=mean)
        m.load_state_dict(given, assign=True)
        return m.running_mean is mean, list(m._buffers), list(dict(m.named_parameters()))

    @scene
    def extra_state(log):
        m = Extra()
        d = m.state_dict()
        other = Extra()
        other.load_state_dict(d)
        return list(d), d["_extra_state"], other.count

    @scene
    def extra_state_missing(log):
        Extra().load_state_dict(Child().state_dict())

    @scene
    def extra_state_unexpected(log):
        nn.Sequential(Child()).load_state_dict(nn.Sequential(Extra()).state_dict())

    @scene
    def extra_state_asked_of_a_plain_module(log):
        nn.Linear(1, 1).get_extra_state()

    @scene
    def extra_state_set_on_a_plain_module(log):
        nn.Linear(1, 1).set_extra_state({})

    @scene
    def batch_norm_of_version_1(log):
        m = nn.BatchNorm1d(2)
        d = m.state_dict()
        del d["num_batches_tracked"]
        del d._metadata[""]["version"]
        result = nn.BatchNorm1d(2).load_state_dict(d)
        d._metadata[""]["version"] = 2
        try:
            nn.Sequential(nn.BatchNorm1d(2)).load_state_dict(OrderedDict({"0." + k: v for k, v in d.items()}))
        except RuntimeError as error:
            log(str(error))
        try:
            nn.BatchNorm1d(2).load_state_dict(d)
        except RuntimeError as error:
            log(str(error))
        return repr(result)

    @scene
    def batch_norm_without_statistics(log):
        nn.BatchNorm1d(2, track_running_stats=False).load_state_dict(nn.BatchNorm1d(2).state_dict())

    @scene
    def instance_norm_of_old_files(log):
        nn.Sequential(nn.InstanceNorm1d(2)).load_state_dict(
            {"0.running_mean": torch.ones(2), "0.running_var": torch.ones(2)}
        )

    @scene
    def lazy_reads_shapes(log):
        m = nn.LazyLinear(2)
        d = m.state_dict()
        log([type(v).__name__ for v in d.values()])
        m.load_state_dict(nn.Linear(3, 2).state_dict())
        log((repr(m), shown(m.weight.shape)))
        y = m(torch.ones(1, 3))
        return repr(m), list(y.shape), sorted(n for n in vars(m) if "hook" in n)

    @scene
    def lazy_from_lazy(log):
        m = nn.LazyLinear(2)
        m.load_state_dict(nn.LazyLinear(2).state_dict())
        return repr(m), m.has_uninitialized_params()

    @scene
    def lazy_into_a_real_one(log):
        nn.Linear(3, 2).load_state_dict(nn.LazyLinear(2).state_dict())

    @scene
    def lazy_batch_norm(log):
        m = nn.LazyBatchNorm1d()
        m.load_state_dict(nn.BatchNorm1d(4).state_dict())
        m(torch.randn(3, 4))
        return repr(m), list(m.state_dict())

    @scene
    def lazy_shape(log):
        return nn.LazyLinear(2).weight.shape

    @scene
    def lazy_operation(log):
        try:
            nn.LazyLinear(2).weight + 1
        except ValueError as error:
            return str(error).split(". ")[-1]

    @scene
    def lazy_printed(log):
        m = nn.LazyConv2d(4, 3)
        return repr(m), repr(m.weight), repr(m.bias), m.weight.requires_grad, [repr(p) for p in m.parameters()]

    @scene
    def lazy_parts(log):
        m = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
        m = m.double()
        m(torch.ones(1, 5, dtype=torch.float64))
        return repr(m), str(m[0].weight.dtype)

    @scene
    def lazy_copied(log):
        import copy

        m = copy.deepcopy(nn.LazyLinear(2))
        twin = copy.deepcopy(m)
        twin(torch.ones(1, 4))
        return repr(m), repr(twin)

    @scene
    def lazy_share_memory(log):
        nn.LazyLinear(2).share_memory()

    @scene
    def prefix_taken_off(log):
        d = nn.Sequential(nn.Linear(1, 1)).state_dict(prefix="module.")
        nn.modules.utils.consume_prefix_in_state_dict_if_present(d, "module.")
        return list(d), list(d._metadata)

    @scene
    def subclass_overrides(log):
        class Own(nn.Linear):
            def _save_to_state_dict(self, destination, prefix, keep_vars):
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[prefix + "own"] = torch.ones(1)

            def _load_from_state_dict(self, state_dict, prefix, meta, strict, missing, unexpected, errors):
                log((prefix, dict(meta), strict))
                self.own = state_dict.pop(prefix + "own", None)
                super()._load_from_state_dict(state_dict, prefix, meta, strict, missing, unexpected, errors)
                errors.append("own text")

        m = nn.Sequential(Own(1, 1))
        m.load_state_dict(m.state_dict())

    @scene
    def metadata_reaches_the_parts(log):
        class Own(nn.Linear):
            _version = 5

            def _load_from_state_dict(self, state_dict, prefix, meta, *rest):
                log((prefix, dict(meta)))
                super()._load_from_state_dict(state_dict, prefix, meta, *rest)

        m = nn.Sequential(Own(1, 1))
        m.load_state_dict(m.state_dict(), assign=True)
        m.load_state_dict(dict(m.state_dict()))

    @scene
    def given_dictionary_is_left_alone(log):
        m = nn.BatchNorm1d(2)
        d = OrderedDict((k, v) for k, v in m.state_dict().items() if k != "num_batches_tracked")
        m.load_state_dict(d)
        return list(d)

    @scene
    def shared_parameters(log):
        m = nn.Module()
        m.a = nn.Linear(1, 1)
        m.b = m.a
        m.c = nn.Linear(1, 1)
        m.c.weight = m.a.weight
        return list(m.state_dict()), list(dict(m.named_parameters())), list(dict(m.named_modules()))

    @scene
    def read_half_way(log):
        m = nn.Linear(2, 1)
        try:
            m.load_state_dict({"weight": torch.ones(1, 2), "bias": torch.ones(5)})
        except RuntimeError as error:
            log(str(error))
        return shown(m.weight)

    @scene
    def sequential_versions(log):
        m = nn.Sequential(nn.BatchNorm1d(1), nn.MultiheadAttention(2, 1), nn.Linear(1, 1))
        return {k: dict(v) for k, v in m.state_dict()._metadata.items()}

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_states_are_what_pytorchs_are(name):
    assert compare(scenes, name) is None
