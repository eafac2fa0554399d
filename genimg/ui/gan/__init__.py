"""The GAN tab: the latent space of a generator, and the discriminator's view."""
