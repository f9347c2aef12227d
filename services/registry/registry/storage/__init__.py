"""How the register is kept: objects and their changes in SQL, each change numbered, kept for ever and sealed."""
