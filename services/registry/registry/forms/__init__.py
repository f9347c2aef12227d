"""The second ring of validation: what the domain says about each kind of fact, beyond what its proto can state.

One module for each kind, and one for each noun that several kinds share. Each lists its rules, in English and Chinese;
`table` picks the form of a kind. A form puts into the message what the proto calls documented normalisation and what
the platform derives from the stated facts, and gives every violation that it finds, never only the first.
"""
