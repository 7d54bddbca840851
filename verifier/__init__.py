"""The stand-alone verifier: one file that others take away. It imports nothing of ours."""
