"""Reading a prompt library: components, cases, models, schemas, and the checkout they come from."""
