"""The `gpu-sharing` command, one module a subcommand; the only place that joins the rooms."""
