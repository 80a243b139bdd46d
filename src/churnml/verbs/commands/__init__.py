"""How each verb is typed: its options, their words, and what is printed of what it returns.

In come words of the command line; out go calls of the verbs, which know nothing of it. A module per subject; read
`call.py` first, which holds what all commands share, then `store.py`, which is short. Nothing heavy is imported here
before a command runs, so that `churnml --help` answers at once.
"""
