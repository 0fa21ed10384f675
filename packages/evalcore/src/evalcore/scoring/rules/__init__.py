"""Which rule compares a field: from the schema, the policy, and the field's name."""
