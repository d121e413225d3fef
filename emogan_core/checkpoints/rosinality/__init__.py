"""State dicts of rosinality's programs, also inside files of pSp, e4e, ReStyle and HyperStyle."""
