"""Who gets in: addresses, TLS, tokens, sessions, and the bounds on what is sent."""
