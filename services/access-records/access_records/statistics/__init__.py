"""Figures of records: which lots and days they are of, how they are asked for, their gRPC face."""
