"""The service on the VM."""
