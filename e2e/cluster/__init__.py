"""A real Kubernetes of one node, in namespaces of its own on this machine."""
