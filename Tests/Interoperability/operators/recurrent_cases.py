"""Recurrent operators: pairs of a name and a `Model`."""
ALL = []
