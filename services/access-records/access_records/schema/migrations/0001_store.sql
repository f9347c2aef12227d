-- Everything that the platform keeps: base tables, never read by analysts.
CREATE DATABASE IF NOT EXISTS store
