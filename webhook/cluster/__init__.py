"""The API server as a source: nodes and namespaces by list and watch; decides nothing."""
