"""The verbs of `gpu-sharing`: one module or package for each."""
