"""Pickles as inert values: the machine that follows their opcodes, and the files that hold them. Knows no generator."""
