"""Exports with approval (R7.4): what may leave, who decided, how the files are made, their gRPC face."""
