"""Parameters, buffers, submodules and settings of modules: registering, finding, converting, printing, copying, pickling."""

import inspect

import pytest

import rushlight

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402
from tests.parity.test_module_hooks import shown, warned  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    import copy
    import pickle

    scene, nn = Scenes(), torch.nn

    def parameter(*sizes):
        return nn.Parameter(torch.ones(*sizes))

    def tree():
        m = nn.Module()
        m.a = nn.Linear(1, 2)
        m.b = nn.Sequential(nn.BatchNorm1d(2), nn.ReLU())
        m.again = m.a
        m.nothing = None
        m.register_module("none", None)
        m.w = parameter(1)
        m.tied = m.w
        m.register_buffer("buf", torch.zeros(1))
        m.same_buf = nn.Buffer(torch.zeros(1))
        return m

    class Older:
        """Counts what reaches it through super().__init__()."""

        def __init__(self, *args, **kwargs):
            self.got = (args, kwargs)

    # ---------------------------------------------------------------------------------------------- names and walking

    @scene
    def walks(log):
        m = tree()
        return (
            [n for n, _ in m.named_parameters()],
            [n for n, _ in m.named_parameters(prefix="p", recurse=False)],
            [n for n, _ in m.named_parameters(remove_duplicate=False)],
            [n for n, _ in m.named_buffers(prefix="q")],
            [n for n, _ in m.named_modules(prefix="r")],
            [n for n, _ in m.named_modules(remove_duplicate=False)],
            [n for n, _ in m.named_children()],
            [type(c).__name__ for c in m.children()],
            [type(c).__name__ for c in m.modules()],
            len(list(m.parameters())),
            len(list(m.parameters(recurse=False))),
            len(list(m.buffers())),
        )

    @scene
    def apply_order(log):
        return tree().apply(lambda m: log(type(m).__name__)) is not None

    for number, register in enumerate(
        (
            lambda m: m.register_parameter("a.b", parameter(1)),
            lambda m: m.register_parameter("", parameter(1)),
            lambda m: m.register_parameter(5, parameter(1)),
            lambda m: m.register_parameter("forward", parameter(1)),
            lambda m: m.register_parameter("p", torch.ones(1)),
            lambda m: m.register_parameter("p", parameter(1) * 2),
            lambda m: m.register_parameter("buf", parameter(1)),
            lambda m: m.register_buffer("a.b", torch.ones(1)),
            lambda m: m.register_buffer("", torch.ones(1)),
            lambda m: m.register_buffer(None, torch.ones(1)),
            lambda m: m.register_buffer("w", torch.ones(1)),
            lambda m: m.register_buffer("b2", 3),
            lambda m: m.register_buffer("eval", None),
            lambda m: m.add_module("a.b", nn.ReLU()),
            lambda m: m.add_module("", nn.ReLU()),
            lambda m: m.add_module(1, nn.ReLU()),
            lambda m: m.add_module("train", nn.ReLU()),
            lambda m: m.add_module("x", 3),
            lambda m: m.register_module("w", nn.ReLU()),
            lambda m: setattr(m, "w", torch.ones(1)),
            lambda m: setattr(m, "w", 3),
            lambda m: setattr(m, "a", 3),
            lambda m: setattr(m, "a", torch.ones(1)),
            lambda m: setattr(m, "buf", 3),
            lambda m: setattr(m, "buf", nn.ReLU()),
            lambda m: setattr(m, "a", parameter(1)),
            lambda m: setattr(m, "w", nn.ReLU()),
            lambda m: setattr(m, "buf", parameter(1)),
            lambda m: setattr(m, "w", nn.Buffer(torch.ones(1))),
            lambda m: setattr(m, "a", None),
            lambda m: setattr(m, "plain", torch.ones(1)),
            lambda m: delattr(m, "w"),
            lambda m: delattr(m, "buf"),
            lambda m: delattr(m, "a"),
            lambda m: delattr(m, "absent"),
            lambda m: m.absent,
            lambda m: m.a.absent,
            lambda m: setattr(m, "extra", nn.Buffer(torch.ones(1), persistent=False)),
        )
    ):

        def registering(log, register=register):
            m = tree()
            try:
                register(m)
            except Exception as error:
                log((type(error).__name__, str(error)))
            places = [list(m._parameters), list(m._buffers), list(m._modules), sorted(m._non_persistent_buffers_set)]
            return places, sorted(n for n in vars(m) if n[0] != "_")

        registering.__name__ = f"registering_{number}"
        scene(registering)

    for number, early in enumerate(
        (
            lambda m: setattr(m, "w", parameter(1)),
            lambda m: setattr(m, "l", nn.ReLU()),
            lambda m: setattr(m, "b", nn.Buffer(torch.ones(1))),
            lambda m: m.register_buffer("b", torch.ones(1)),
            lambda m: m.register_parameter("w", parameter(1)),
            lambda m: setattr(m, "n", 3),
            lambda m: setattr(m, "t", torch.ones(1)),
            lambda m: m.n,
        )
    ):

        def before_init(log, early=early):
            class Early(nn.Module):
                def __init__(self):
                    early(self)
                    super().__init__()

            return sorted(n for n in vars(Early()) if n[0] != "_")

        before_init.__name__ = f"before_init_{number}"
        scene(before_init)

    @scene
    def init_arguments(log):
        class One(nn.Module):
            pass

        for arguments in (((1,), {}), ((), {"a": 1}), ((1, 2), {"b": 3})):
            try:
                One(*arguments[0], **arguments[1])
            except TypeError as error:
                log(str(error).split(".")[-1])

    @scene
    def call_super_init(log):
        class Both(nn.Module, Older):
            call_super_init = True

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)

        return Both(1, a=2).got

    for number, (method, path) in enumerate(
        [
            *(("get_submodule", p) for p in ("", "a", "b.1", "b.2", "w", "a.weight.x", "buf", "absent", "b.0.none")),
            *(
                ("get_parameter", p)
                for p in ("w", "a.weight", "buf", "b.0.weight", "absent", "a.absent", "x.y", "a", "")
            ),
            *(("get_buffer", p) for p in ("buf", "b.0.running_mean", "w", "a.weight", "absent", "x.y", "a")),
        ]
    ):

        def getting(log, method=method, path=path):
            return shown(getattr(tree(), method)(path))

        getting.__name__ = f"{method}_{number}"
        scene(getting)

    for number, (path, module, options) in enumerate(
        [
            ("a", "relu", {}),
            ("b.1", "relu", {}),
            ("new", "relu", {}),
            ("new", "relu", {"strict": True}),
            ("b.7", "relu", {}),
            ("b.7", "relu", {"strict": True}),
            ("x.y", "relu", {}),
            ("w.x", "relu", {}),
            ("w", "relu", {}),
            ("", "relu", {}),
            ("a", "parameter", {}),
            ("a", "none", {}),
        ]
    ):

        def setting(log, path=path, module=module, options=options):
            m = tree()
            made = {"relu": nn.ReLU, "parameter": lambda: parameter(2), "none": lambda: None}[module]()
            result = m.set_submodule(path, made, **options)
            return result, [n for n, _ in m.named_modules()]

        setting.__name__ = f"set_submodule_{number}"
        scene(setting)

    @scene
    def directory(log):
        m = tree()
        m.note = 1
        names = dir(m)
        return [n in names for n in ("w", "a", "buf", "note", "forward", "0")], "0" in dir(m.b), names == sorted(names)

    # ------------------------------------------------------------------------------------------------------- printing

    @scene
    def printed(log):
        class Two(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Sequential(nn.Linear(1, 2), nn.ModuleList([nn.ReLU()]))
                self.b = None
                self.add_module("none", None)

            def extra_repr(self):
                return "first line\nsecond line"

        class Named(nn.Module):
            def _get_name(self):
                return "Other"

        class Long(nn.Module):
            def extra_repr(self):
                return "a=1\nb=2"

        return [
            *(repr(tree()), repr(Two()), repr(Named()), repr(Long()), repr(nn.Module()), repr(nn.Sequential())),
            *(repr(nn.ModuleList([nn.Linear(2, 3)] * 3 + [nn.ReLU()] + [nn.Linear(2, 3)])), repr(nn.ModuleList())),
            *(repr(nn.ModuleDict({"a": nn.ReLU(), "b": nn.Sequential(nn.Tanh())})), repr(nn.ModuleDict())),
            repr(nn.ParameterList([parameter(2, 3), torch.ones(1), "text", 5])),
            repr(nn.ParameterDict({"a": parameter(2, 3), "b": torch.ones(1), "c": None, "d": 3})),
            *(repr(nn.ParameterList()), repr(nn.ParameterDict()), str(nn.Linear(1, 2))),
            *(
                repr(parameter(2)),
                repr(nn.Parameter(torch.ones(1), requires_grad=False)),
                repr(nn.Buffer(torch.ones(2))),
            ),
        ]

    # ----------------------------------------------------------------------------------------------------- converting

    def kinds(m):
        return [(n, str(t.dtype)) for n, t in m.state_dict().items()]

    for number, convert in enumerate(
        (
            lambda m: m.double(),
            lambda m: m.half(),
            lambda m: m.bfloat16(),
            lambda m: m.float(),
            lambda m: m.to(torch.float64),
            lambda m: m.to("cpu", torch.float16),
            lambda m: m.to(dtype=torch.float64, non_blocking=True),
            lambda m: m.to(torch.ones(1, dtype=torch.float64)),
            lambda m: m.to(torch.device("cpu")),
            lambda m: m.to(torch.int64),
            lambda m: m.to(torch.complex64),
            lambda m: m.type(torch.float64),
            lambda m: m.type("torch.DoubleTensor"),
            lambda m: m.cpu(),
            lambda m: m.to("nowhere"),
            lambda m: m.to(),
            lambda m: m.to(float),
            lambda m: m.to_empty(device="cpu"),
            lambda m: m.share_memory(),
            lambda m: m.requires_grad_(False),
            lambda m: m.to(memory_format=torch.channels_last),
        )
    ):

        def converting(log, convert=convert):
            m = tree()
            before = list(m.parameters())
            try:
                result, texts = warned(lambda: convert(m))
            except (TypeError, RuntimeError) as error:
                log((type(error).__name__, str(error).split("\n")[0].split(": ")[0]))
                return None
            same = [a is b for a, b in zip(before, m.parameters())]
            return result is m, kinds(m), same, texts, [p.requires_grad for p in m.parameters()]

        converting.__name__ = f"converting_{number}"
        scene(converting)

    @scene
    def converting_gradients(log):
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()
        m.double()
        return str(m.weight.grad.dtype), m.weight.is_leaf, m.weight.grad.tolist()

    @scene
    def converting_to_new_parameters(log):
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()
        weight = m.weight
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        try:
            m.double()
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(False)
        return (
            m.weight is weight,
            str(weight.dtype),
            str(m.weight.grad.dtype),
            type(m.weight).__name__,
            m.weight.is_leaf,
        )

    @scene
    def swapping_parameters(log):
        m, n = nn.Linear(2, 1), nn.Linear(2, 1).double()
        weight = m.weight
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            m.double().float()
            log(m.weight is weight)
            m.load_state_dict(n.state_dict(), assign=True)
        finally:
            torch.__future__.set_swap_module_params_on_conversion(False)
        return m.weight is weight, str(m.weight.dtype), m.weight.requires_grad, m.weight.tolist() == n.weight.tolist()

    @scene
    def channels_last(log):
        m = nn.Conv2d(2, 3, 2).to(memory_format=torch.channels_last)
        return list(m.weight.stride())

    @scene
    def training_mode(log):
        m = tree()
        states = [[x.training for x in each.modules()] for each in (m, m.eval(), m.train(), m.train(False))]
        try:
            m.train(1)
        except ValueError as error:
            log(str(error))
        return states

    @scene
    def gradients_forgotten(log):
        m = nn.Linear(1, 1)
        m(torch.ones(1, 1)).sum().backward()
        kept = m.weight.grad
        m.zero_grad(set_to_none=False)
        log((m.weight.grad is kept, kept.tolist()))
        m.zero_grad()
        return m.weight.grad

    @scene
    def gradients_with_a_graph_forgotten(log):
        m = nn.Linear(1, 1)
        (m(torch.ones(1, 1)) ** 2).sum().backward(create_graph=True)
        m.zero_grad(set_to_none=False)
        return m.weight.grad.requires_grad, m.weight.grad.tolist()

    @scene
    def no_forward(log):
        class Plain(nn.Module):
            pass

        Plain()(1)

    @scene
    def compiled(log):
        m = nn.Linear(1, 1)
        return shown(m(torch.ones(1, 1))) == shown(m(torch.ones(1, 1))), m.compile.__name__

    # --------------------------------------------------------------------------------------------- copies and pickles

    @scene
    def copied(log):
        m = tree()
        m.note = [1]
        twin = copy.deepcopy(m)
        shallow = copy.copy(m)
        shallow.only_here = 1
        return (
            *(twin.a is twin.again, twin.w is twin.tied, twin.w is m.w, twin.note is m.note, list(vars(twin))),
            *(hasattr(m, "only_here"), shallow.w is m.w, shallow._parameters is m._parameters),
        )

    @scene
    def older_pickles(log):
        m = nn.Linear(1, 1)
        fields = dict(vars(m))
        for name in list(fields):
            if name.startswith(
                ("_forward_hooks_", "_forward_pre_hooks_", "_state", "_load", "_non", "_backward_pre", "_is")
            ):
                del fields[name]
        twin = nn.Linear.__new__(nn.Linear)
        twin.__setstate__(fields)
        return sorted(vars(twin)), list(twin(torch.ones(1, 1)).shape)

    @scene
    def fields(log):
        return [
            list(vars(m))
            for m in (
                nn.Module(),
                nn.Linear(1, 1),
                nn.Conv2d(1, 1, 1),
                nn.BatchNorm1d(1),
                nn.Dropout(),
                nn.LayerNorm(1),
            )
        ]

    @scene
    def field_kinds(log):
        return {n: type(v).__name__ for n, v in vars(nn.Module()).items()}

    @scene
    def pickled(log):
        m = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
        m[0].weight.requires_grad_(False)
        twin = pickle.loads(pickle.dumps(m))
        return (
            repr(twin),
            [p.requires_grad for p in twin.parameters()],
            shown(dict(twin.state_dict())) == shown(dict(m.state_dict())),
        )

    @scene
    def class_names(log):
        return [
            f"{c.__module__}.{c.__qualname__}"
            for c in (nn.Linear, nn.Module, nn.MultiheadAttention, nn.Sequential, nn.Parameter)
        ]

    @scene
    def annotated_constants(log):
        return nn.Linear.__constants__, nn.Conv2d.__constants__, nn.BatchNorm2d.__constants__, nn.Module.dump_patches

    # ------------------------------------------------------------------------------------------------------ containers

    def numbered(*args):
        return nn.Sequential(*[nn.Linear(1, n) for n in args])

    def widths(m):
        return [each.out_features for each in m]

    for number, use in enumerate(
        (
            lambda s: widths(s[1:]),
            lambda s: s[-1].out_features,
            lambda s: s[5],
            lambda s: s[-6],
            lambda s: s["x"],
            lambda s: s[True].out_features,
            lambda s: s.__setitem__(1, nn.Linear(1, 9)) or widths(s),
            lambda s: s.__setitem__(7, nn.Linear(1, 9)),
            lambda s: s.__delitem__(1) or [n for n, _ in s.named_children()],
            lambda s: s.__delitem__(slice(0, 2)) or [n for n, _ in s.named_children()],
            lambda s: s.__delitem__(9),
            lambda s: widths(s.append(nn.Linear(1, 8))),
            lambda s: widths(s.insert(1, nn.Linear(1, 8))),
            lambda s: widths(s.insert(-1, nn.Linear(1, 8))),
            lambda s: s.insert(9, nn.Linear(1, 8)),
            lambda s: s.insert(0, 5),
            lambda s: widths(s.extend([nn.Linear(1, 7), nn.Linear(1, 6)])),
            lambda s: widths(s + numbered(5)),
            lambda s: s + [1],
            lambda s: widths(s * 2),
            lambda s: widths(2 * s),
            lambda s: s * 0,
            lambda s: s * 1.5,
            lambda s: s.pop(1).out_features,
            lambda s: s.pop(9),
            lambda s: (len(s), bool(s), len(nn.Sequential())),
            lambda s: s.__iadd__(numbered(4)) is s and widths(s),
            lambda s: s.__imul__(2) is s and widths(s),
            lambda s: s.__iadd__([1]),
            lambda s: s.append(3),
            lambda s: nn.Sequential(1),
            lambda s: nn.Sequential(nn.ReLU, nn.ReLU()),
            lambda s: s.extend(5),
            lambda s: list(dir(s))[-1],
        )
    ):

        def sequential(log, use=use):
            return shown(use(numbered(2, 3, 4)))

        sequential.__name__ = f"sequential_{number}"
        scene(sequential)

    for number, use in enumerate(
        (
            lambda m: widths(m[1:]),
            lambda m: m[-1].out_features,
            lambda m: m[5],
            lambda m: widths(m + [nn.Linear(1, 9)]),
            lambda m: m.__iadd__([nn.Linear(1, 9)]) is m and widths(m),
            lambda m: m.insert(1, nn.Linear(1, 8)) or widths(m),
            lambda m: m.pop().out_features,
            lambda m: m.pop(slice(0, 2)) and widths(m),
            lambda m: m.extend(3),
            lambda m: m.extend(iter([nn.Linear(1, 7)])),
            lambda m: m.append(5),
            lambda m: m.__delitem__(0) or [n for n, _ in m.named_children()],
            lambda m: m.__delitem__(slice(1, None)) or widths(m),
            lambda m: m.__setitem__(0, nn.Linear(1, 5)) or widths(m),
            lambda m: m.__setitem__(-1, 5),
            lambda m: m(torch.ones(1)),
            lambda m: nn.ModuleList(5),
            lambda m: nn.ModuleList([1]),
            lambda m: len(m),
            lambda m: m["0"],
        )
    ):

        def module_list(log, use=use):
            return shown(use(nn.ModuleList(numbered(2, 3, 4))))

        module_list.__name__ = f"module_list_{number}"
        scene(module_list)

    for number, use in enumerate(
        (
            lambda m: [list(m.keys()), len(m), "a" in m, "z" in m, list(m)],
            lambda m: m["z"],
            lambda m: m.pop("a").out_features,
            lambda m: m.pop("z"),
            lambda m: (
                m.update({"c": nn.Linear(1, 4), "a": nn.Linear(1, 5)}) or [(k, v.out_features) for k, v in m.items()]
            ),
            lambda m: m.update([("d", nn.Linear(1, 4))]) or list(m),
            lambda m: m.update(nn.ModuleDict({"e": nn.Linear(1, 4)})) or list(m),
            lambda m: m.update(5),
            lambda m: m.update([5]),
            lambda m: m.update([(1, 2, 3)]),
            lambda m: m.update({"x": 5}),
            lambda m: m.update({5: nn.ReLU()}),
            lambda m: m.clear() or len(m),
            lambda m: m.__delitem__("a") or list(m),
            lambda m: m.__setitem__("a.b", nn.ReLU()),
            lambda m: m.__setitem__("keys", nn.ReLU()),
            lambda m: m.a.out_features,
            lambda m: m(torch.ones(1)),
            lambda m: [v.out_features for v in m.values()],
            lambda m: list(m | nn.ModuleDict({"z": nn.ReLU()})),
        )
    ):

        def module_dict(log, use=use):
            return shown(use(nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.Linear(1, 3)})))

        module_dict.__name__ = f"module_dict_{number}"
        scene(module_dict)

    for number, use in enumerate(
        (
            lambda m: [len(m), [type(x).__name__ for x in m], shown(m[0]), shown(m[-1])],
            lambda m: shown(list(m[1:])),
            lambda m: m[5],
            lambda m: m.append(torch.ones(1)) is m and [type(x).__name__ for x in m],
            lambda m: m.extend([torch.ones(1), 5]) and [type(x).__name__ for x in m],
            lambda m: m.extend(5),
            lambda m: m.extend(torch.ones(2)),
            lambda m: m.__iadd__([torch.ones(1)]) is m and len(m),
            lambda m: m.__setitem__(0, torch.zeros(1)) or shown(m[0]),
            lambda m: m.__setitem__(9, torch.zeros(1)),
            lambda m: [n for n, _ in m.named_parameters()],
            lambda m: m(1),
            lambda m: m.pop(),
            lambda m: m.insert(0, torch.ones(1)),
            lambda m: list(m.state_dict()),
        )
    ):

        def parameter_list(log, use=use):
            return shown(use(nn.ParameterList([torch.ones(1), parameter(2), torch.zeros(2)])))

        parameter_list.__name__ = f"parameter_list_{number}"
        scene(parameter_list)

    for number, use in enumerate(
        (
            lambda m: [list(m.keys()), len(m), "a" in m, list(reversed(m)), shown(m["a"])],
            lambda m: m["z"],
            lambda m: shown(m.pop("a")),
            lambda m: shown(m.popitem()),
            lambda m: shown(m.get("a")),
            lambda m: m.get("z", 3),
            lambda m: m.setdefault("z", torch.ones(1)) is m["z"],
            lambda m: shown(m.setdefault("z")),
            lambda m: m.update({"c": torch.ones(1)}) or list(m),
            lambda m: m.update({"c": torch.ones(1), "a": 5}) or [(k, type(v).__name__) for k, v in m.items()],
            lambda m: m.update(5),
            lambda m: m.update([5]),
            lambda m: m.update([(1, 2, 3)]),
            lambda m: m.__setitem__(5, torch.ones(1)) or list(m),
            lambda m: m.clear() or len(m),
            lambda m: list(m.copy()),
            lambda m: list(m | nn.ParameterDict({"z": parameter(1)})),
            lambda m: list(m.__ior__(nn.ParameterDict({"z": parameter(1)}))),
            lambda m: list({"y": parameter(1)} | m),
            lambda m: list(m.fromkeys(["p", "q"], 1)),
            lambda m: m.__delitem__("a") or list(m),
            lambda m: m.__delitem__("z"),
            lambda m: m.a.tolist(),
            lambda m: m(1),
            lambda m: [n for n, _ in m.named_parameters()],
            lambda m: list(nn.ParameterDict([("b", parameter(1)), ("a", parameter(1))])),
            lambda m: list(nn.ParameterDict({"b": parameter(1), "a": parameter(1)})),
        )
    ):

        def parameter_dict(log, use=use):
            return shown(use(nn.ParameterDict({"a": torch.ones(1), "b": parameter(2)})))

        parameter_dict.__name__ = f"parameter_dict_{number}"
        scene(parameter_dict)

    return scene


def public_classes(library):
    names = (n for n in dir(torch.nn) if n[0].isupper())
    classes = {n: getattr(library.nn, n, None) for n in names}
    return {n: c for n, c in classes.items() if isinstance(c, type) and issubclass(c, library.nn.Module)}


def test_the_same_classes_are_derived_from_each_other():
    theirs, ours = public_classes(torch), public_classes(rushlight)
    for a in ours:
        for b in ours:
            assert issubclass(ours[a], ours[b]) == issubclass(theirs[a], theirs[b]), (a, b)


def test_classes_say_that_they_are_where_pytorchs_are():
    theirs, ours = public_classes(torch), public_classes(rushlight)
    assert {n: c.__module__ for n, c in ours.items()} == {n: theirs[n].__module__ for n in ours}


def test_signatures_are_pytorchs():
    theirs, ours = public_classes(torch), public_classes(rushlight)
    for name, cls in ours.items():
        for method in ("__init__", "forward"):
            assert arguments(getattr(cls, method)) == arguments(getattr(theirs[name], method)), (name, method)


def arguments(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, getattr(p.default, "__name__", None) or repr(p.default)) for p in found]


@pytest.mark.parametrize("name", scenes(torch))
def test_members_behave_as_pytorchs_do(name):
    assert compare(scenes, name) is None
