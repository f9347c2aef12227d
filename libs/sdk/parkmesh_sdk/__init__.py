"""The vendor SDK for Python: token, upload by gRPC or REST, retries."""
