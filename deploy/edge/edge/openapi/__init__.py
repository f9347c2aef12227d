"""The OpenAPI 3.1 document of everything that the edge serves over REST, made from the protos, and its page."""
