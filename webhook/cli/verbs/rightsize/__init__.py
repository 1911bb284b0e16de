"""`gpu-sharing rightsize`: the sizes of an audit as changes of the owners' templates."""
