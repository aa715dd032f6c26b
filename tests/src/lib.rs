//! End-to-end tests: a real API server with kubelets, real helm and kubectl.
