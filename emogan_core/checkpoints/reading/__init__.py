"""Steps that readers of several programs share: tables and prefixes, tensors by name, sizes, filters, encoders."""
