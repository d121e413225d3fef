"""State dicts of genforce, of Hammer, which came after it, and of InterFaceGAN, which came before."""
