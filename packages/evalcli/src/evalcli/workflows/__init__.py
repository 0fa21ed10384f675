"""What workflows on GitHub do: bumps, triggers, publishing, the sweep; and the workflows themselves."""
