"""The whole platform under load while its processes are killed, stopped and starved: no promise is broken."""
