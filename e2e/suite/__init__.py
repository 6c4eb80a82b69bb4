"""What the project promises, asked of a real Kubernetes."""
