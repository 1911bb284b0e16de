"""`gpu-sharing conformance`: what this cluster refuses, tried by dry runs."""
