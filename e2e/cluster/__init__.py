"""A real Kubernetes of two nodes, in their own namespaces on this machine."""
