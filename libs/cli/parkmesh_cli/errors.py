"""What a person at the terminal is told when something cannot be done."""


class CliError(Exception):
    """One clear sentence for the person at the terminal; the command ends with it and exit code 1."""
