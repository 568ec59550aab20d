"""Fetching the items of one batch from a dataset."""

__all__ = ["IterableFetcher", "MapFetcher", "fetcher"]


class MapFetcher:
    """Items by index, all of a batch at once where the dataset can."""

    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.dataset, self.auto_collation, self.collate_fn = dataset, auto_collation, collate_fn

    def fetch(self, indices):
        if not self.auto_collation:
            return self.collate_fn(self.dataset[indices])
        if getattr(self.dataset, "__getitems__", None):
            items = self.dataset.__getitems__(indices)
        else:
            items = [self.dataset[index] for index in indices]
        return self.collate_fn(items)


class IterableFetcher:
    """Items in the order in which they come; only the number of indices matters."""

    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.iterator = iter(dataset)
        self.auto_collation, self.collate_fn, self.drop_last = auto_collation, collate_fn, drop_last
        self.ended = False

    def fetch(self, indices):
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.iterator))
        items = []
        for _ in indices:
            try:
                items.append(next(self.iterator))
            except StopIteration:
                self.ended = True
                break
        if not items or (self.drop_last and len(items) < len(indices)):
            raise StopIteration
        return self.collate_fn(items)


def fetcher(dataset, iterable, auto_collation, collate_fn, drop_last):
    """The fetcher of a dataset of either kind."""
    kind = IterableFetcher if iterable else MapFetcher
    return kind(dataset, auto_collation, collate_fn, drop_last)
