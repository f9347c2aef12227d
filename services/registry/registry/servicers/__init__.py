"""The gRPC faces: convert, call one use case, convert; one module for each service of the protos."""
