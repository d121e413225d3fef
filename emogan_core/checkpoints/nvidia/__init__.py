"""StyleGAN2-ADA-PyTorch and StyleGAN3: pickled networks, and state dicts under the names of those programs."""
