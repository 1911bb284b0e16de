"""A decision as JSON Patch operations, and operations applied to an object."""
