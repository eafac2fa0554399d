"""A plug-in of genimg: a small GAN, and stripes for it to learn."""
