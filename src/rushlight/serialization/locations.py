"""Where storages were when they were saved, and where they go: ``map_location``, and the registry of devices behind it."""

from ..devices import device
from ..storage import UntypedStorage

__all__ = ["default_restore_location", "location_tag", "register_package", "restorer", "storage_type_name"]

#: (priority, tagger, deserializer)
_registry: list[tuple] = []


def register_package(priority, tagger, deserializer):
    """Teach ``save`` and ``load`` a kind of memory.

    Args:
        priority: lower ones are asked first.
        tagger: storage to its location's name, or None.
        deserializer: (storage, location) to the storage there, or None.
    """
    _registry.append((priority, tagger, deserializer))
    _registry.sort(key=lambda entry: entry[0])


def storage_type_name(storage):
    """The class of a storage for error texts."""
    return f"{type(storage).__module__}.{type(storage).__qualname__}"


def location_tag(storage):
    """The name of the place where a storage is: "cpu"."""
    for _, tagger, _ in _registry:
        found = tagger(storage)
        if found is not None:
            return found
    raise RuntimeError(f"don't know how to determine data location of {storage_type_name(storage)}")


def default_restore_location(storage, location):
    """The storage at the location it was saved from; RuntimeError where that is not here, as for all accelerators."""
    for _, _, deserializer in _registry:
        found = deserializer(storage, location)
        if found is not None:
            return found
    raise RuntimeError(
        f"don't know how to restore data location of {storage_type_name(storage)} (tagged with {location})"
    )


def _on_cpu(storage, location):
    return storage if location == "cpu" else None


_TO_CPU = (
    "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the "
    "CPU."
)


def _elsewhere(storage, location):
    """PyTorch's refusals for devices that are not there."""
    kind = location.partition(":")[0]
    if kind in ("cuda", "xpu"):
        raise RuntimeError(
            f"Attempting to deserialize object on a {kind.upper()} device but torch.{kind}.is_available() is False. {_TO_CPU}"
        )
    if kind == "hpu":
        raise RuntimeError(f"The HPU device module is not registered. {_TO_CPU}")
    if kind == "mps":
        raise RuntimeError("torch.UntypedStorage(): Storage device not recognized: mps")
    if kind == "meta":
        raise NotImplementedError("rushlight has no meta device: its tensors always hold values")
    return None


register_package(10, lambda storage: "cpu" if isinstance(storage, UntypedStorage) else None, _on_cpu)
register_package(20, lambda storage: None, _elsewhere)


def restorer(map_location):
    """A function (storage, location) to storage, of what ``torch.load`` takes as ``map_location``."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes)):
        place = map_location if isinstance(map_location, str) else map_location.decode("ascii")
        return lambda storage, location: default_restore_location(storage, place)
    if isinstance(map_location, device):
        return lambda storage, location: default_restore_location(storage, str(map_location))

    def restore(storage, location):
        found = map_location(storage, location)
        return default_restore_location(storage, location) if found is None else found

    return restore
