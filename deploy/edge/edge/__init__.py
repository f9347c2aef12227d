"""The Envoy edge: typed configuration, control plane, certificates."""
