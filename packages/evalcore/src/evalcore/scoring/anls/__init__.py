"""ANLS*, the reference score."""
