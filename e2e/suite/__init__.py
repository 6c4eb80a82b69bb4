"""Tests of the project's promises on a real Kubernetes."""
