"""The operators of rushlight, by family; importing this package declares them all."""
