"""The Compare tab: a GAN and an image GPT that learned the same pictures, side by side."""
