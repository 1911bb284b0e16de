"""The API server: nodes and namespaces by watch, pods by list, events; decides nothing."""
