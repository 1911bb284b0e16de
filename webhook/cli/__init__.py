"""The `gpu-sharing` command. The only package that joins the others."""
