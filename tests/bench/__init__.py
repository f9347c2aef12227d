"""How fast, how large and how prompt the platform is: measured on a whole one, and void unless the books balance."""
