"""The demo: the main job from a library to a merged pull request, every step checked as it is shown."""
