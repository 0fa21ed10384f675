"""The dashboard's edges: the prompt library read, what was worked out before looked up, the site written."""
