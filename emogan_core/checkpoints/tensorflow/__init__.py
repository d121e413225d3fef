"""StyleGAN1, StyleGAN2 and StyleGAN2-ADA as NVIDIA's TensorFlow programs pickled them."""
