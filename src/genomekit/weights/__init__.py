"""Checkpoints: by name, folder or file, in our own layout and those of others."""
